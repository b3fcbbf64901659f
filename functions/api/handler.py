"""The API's function: routes in, one call each, JSON out; errors become answers here and nowhere else."""

import functools
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api.answers import answer, error_answer
from api.dry_runs import Resolver
from api.executions import Executions
from api.pops import pops
from api.questions import body_of, page_of, request_id_of
from api.starts import start
from api.status import status_of
from prewarm.errors import RefusedRequest, UnknownRun
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage import storage

app = APIGatewayRestResolver()
_executions = functools.cache(lambda: Executions(Settings.from_environment().state_machine_arn))
_resolver = functools.cache(lambda: Resolver(Settings.from_environment().resolve_function))


@app.post("/prewarm")
def post_prewarm() -> Response[str]:
    """Start a run."""
    return answer(200, start(body_of(app.current_event), storage(), _executions(), _resolver()))


@app.get("/status")
def get_status() -> Response[str]:
    """Tell how far a run is."""
    event = app.current_event
    page = page_of(event)
    return answer(200, status_of(_executions().describe(request_id_of(event)), storage(), page))


@app.get("/pops")
def get_pops() -> Response[str]:
    """Tell which POPs are known, and what the names of regions and countries mean."""
    return answer(200, pops(), {"Cache-Control": "max-age=3600"})


@app.exception_handler(RefusedRequest)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
def refused(error: RefusedRequest) -> Response[str]:
    """Answer what the caller can mend."""
    return answer(error.http_status, error.as_json())


@app.exception_handler(UnknownRun)  # type: ignore[untyped-decorator]
def unknown_run(error: UnknownRun) -> Response[str]:
    """Answer for a run that does not exist."""
    return error_answer(404, "UnknownRun", f"requestID: no run {str(error)[:200]!r} is known here")


@app.not_found
def no_route(_: NotFoundError) -> Response[str]:
    """Answer for a route that does not exist."""
    return error_answer(404, "NoSuchRoute", "there is no such route; see POST /prewarm, GET /status and GET /pops")


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def broken(error: Exception) -> Response[str]:
    """Answer when something of ours, or of AWS's, is broken: the log has it, the caller gets no traceback."""
    logger.exception("unexpected", exc_info=error)
    return error_answer(500, "ServiceError", "the service failed to answer; try again, and look into its log")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Answer one API Gateway proxy event."""
    logger.append_keys(api_request=(event.get("requestContext") or {}).get("requestId"))
    return app.resolve(event, context)
