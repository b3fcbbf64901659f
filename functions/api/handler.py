"""The API's function: routes in, one call each, JSON out; errors become answers here and nowhere else."""

import functools
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from api.http.error_handlers import answer_errors
from api.http.params import body_of, idempotency_key_of, page_of, request_id_of, with_pops
from api.http.responses import CORS, answer
from api.runs.dry_run import Resolver
from api.runs.executions import Execution, Executions
from api.runs.lookup import look_at
from api.runs.manage import cancel, list_runs, retry
from api.runs.report import report
from api.runs.start import start
from api.runs.status import status_of
from api.static_routes import router
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import storage

app = APIGatewayRestResolver(cors=CORS)
answer_errors(app)
app.include_router(router)
_executions = functools.cache(lambda: Executions(Settings.from_environment().state_machine_arn))
_resolver = functools.cache(lambda: Resolver(Settings.from_environment().resolve_function))


@app.post("/prewarm")
def post_prewarm() -> Response[str]:
    """Start a run."""
    event = app.current_event
    key = idempotency_key_of(event)
    return answer(200, start(body_of(event), storage(), _executions(), _resolver(), key))


@app.delete("/prewarm")
def delete_prewarm() -> Response[str]:
    """Cancel a run."""
    return answer(200, cancel(_run(), _executions(), storage()))


@app.post("/retry")
def post_retry() -> Response[str]:
    """Start a new run of what failed."""
    return answer(200, retry(_run(), storage(), _executions(), _resolver(), idempotency_key_of(app.current_event)))


@app.get("/runs")
def get_runs() -> Response[str]:
    """List runs, newest first."""
    query = app.current_event.query_string_parameters
    return answer(200, list_runs(_executions(), query.get("status"), query.get("limit"), query.get("nextToken")))


@app.get("/status")
def get_status() -> Response[str]:
    """Tell how far a run is."""
    event = app.current_event
    page, pops_too = page_of(event), with_pops(event)
    return answer(200, status_of(_run(), storage(), page, with_pops=pops_too))


@app.get("/report")
def get_report() -> Response[str]:
    """Give a link to a run's report."""
    return answer(200, report(_run(), storage(), app.current_event.query_string_parameters.get("format")))


def _run() -> Execution:
    """Look at the run that is asked for."""
    return look_at(request_id_of(app.current_event), _executions(), storage())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """ApiModel one API Gateway proxy event."""
    logger.append_keys(api_request=(event.get("requestContext") or {}).get("requestId"))
    return app.resolve(event, context)
