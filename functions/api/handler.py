"""The API's Lambda function: each route calls one function and returns its result as JSON."""

import functools
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from api.http.error_handlers import add_error_handlers
from api.http.params import body_of, idempotency_key_of, includes_pops, page_of, request_id_of
from api.http.responses import CORS, json_response
from api.runs.cancel import cancel
from api.runs.dry_run import Resolver
from api.runs.executions import Execution, Executions
from api.runs.list_runs import list_runs
from api.runs.lookup import find_run
from api.runs.progress import find_progress
from api.runs.report import report_link
from api.runs.retry import retry
from api.runs.start import start
from api.runs.status import as_contract
from api.static_routes import router
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import storage

app = APIGatewayRestResolver(cors=CORS)
add_error_handlers(app)
app.include_router(router)
_executions = functools.cache(lambda: Executions(Settings.from_environment().state_machine_arn))
_resolver = functools.cache(lambda: Resolver(Settings.from_environment().resolve_function))


@app.post("/prewarm")
def post_prewarm() -> Response[str]:
    """Start a run."""
    body, key = body_of(app.current_event), idempotency_key_of(app.current_event)
    return json_response(200, start(body, storage(), _executions(), _resolver(), key))


@app.delete("/prewarm")
def delete_prewarm() -> Response[str]:
    """Cancel a run."""
    return json_response(200, cancel(_run(), _executions(), storage()))


@app.post("/retry")
def post_retry() -> Response[str]:
    """Start a new run of the failed URLs."""
    key = idempotency_key_of(app.current_event)
    return json_response(200, retry(_run(), storage(), _executions(), _resolver(), key))


@app.get("/runs")
def get_runs() -> Response[str]:
    """List runs, newest first."""
    query = app.current_event.query_string_parameters
    return json_response(200, list_runs(_executions(), *map(query.get, ("status", "limit", "nextToken"))))


@app.get("/status")
def get_status() -> Response[str]:
    """Return a run's progress."""
    page, with_pops = page_of(app.current_event), includes_pops(app.current_event)
    return json_response(200, as_contract(find_progress(_run(), storage(), with_pops=with_pops), page))


@app.get("/report")
def get_report() -> Response[str]:
    """Return a link to a run's report."""
    return json_response(200, report_link(_run(), storage(), app.current_event.query_string_parameters.get("format")))


def _run() -> Execution:
    return find_run(request_id_of(app.current_event), _executions(), storage())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Handle one API Gateway proxy event."""
    logger.append_keys(api_request=(event.get("requestContext") or {}).get("requestId"))
    return app.resolve(event, context)
