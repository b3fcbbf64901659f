"""The API's Lambda function: each route calls one function and returns its result as JSON."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from api.history_routes import router as history_router
from api.http.error_handlers import add_error_handlers
from api.http.events import bad_event, event_problem
from api.http.params import RUN, body_of, caller_of, check_query, check_run, includes_pops, page_of, request_id_of
from api.http.responses import CORS, json_response
from api.runs.cancel import cancel
from api.runs.executions import Execution
from api.runs.lookup import find_run
from api.runs.progress import find_progress
from api.runs.report import report_link
from api.runs.retry import retry
from api.runs.start import start
from api.runs.status import as_contract
from api.services import executions, has_console, resolver
from api.static_routes import router as static_router
from prewarm.garbage import collect_rarely
from prewarm.observability import logger
from prewarm.storage.run_store import storage

_executions, _resolver = executions, resolver
app = APIGatewayRestResolver(cors=CORS)
add_error_handlers(app)
app.include_router(static_router)
app.include_router(history_router)
collect_rarely()


@app.post("/prewarm")
def post_prewarm() -> Response[str]:
    """Start a run."""
    check_query(app.current_event)
    body, caller = body_of(app.current_event), caller_of(app.current_event)
    return json_response(200, start(body, storage(), _executions(), _resolver(), caller))


@app.delete("/prewarm")
def delete_prewarm() -> Response[str]:
    """Cancel a run."""
    check_run(app.current_event, "unknown field; this route reads requestID")
    return json_response(200, cancel(_run(), _executions(), storage(), has_console=has_console()))


@app.post("/retry")
def post_retry() -> Response[str]:
    """Start a new run of the failed URLs."""
    check_run(app.current_event, "a retry takes the old run's options; start a run to change them")
    return json_response(200, retry(_run(), storage(), _executions(), _resolver(), caller_of(app.current_event)))


@app.get("/status")
def get_status() -> Response[str]:
    """Return a run's progress."""
    page, with_pops = page_of(app.current_event), includes_pops(app.current_event)
    progress = find_progress(_run(), storage(), with_pops=with_pops)
    return json_response(200, as_contract(progress, page, has_console=has_console()))


@app.get("/report")
def get_report() -> Response[str]:
    """Return a link to a run's report."""
    check_query(app.current_event, (*RUN, "format"))
    return json_response(200, report_link(_run(), storage(), app.current_event.query_string_parameters.get("format")))


def _run() -> Execution:
    return find_run(request_id_of(app.current_event), _executions(), storage())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Handle one proxy event: API Gateway's, or that of a caller who invokes the function."""
    if problem := event_problem(event):
        return bad_event(problem)
    logger.append_keys(api_request=(event.get("requestContext") or {}).get("requestId"))
    return app.resolve(event, context)
