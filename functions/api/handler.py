"""The API's function: routes in, one call each, JSON out; errors become answers here and nowhere else."""

import base64
import functools
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api.answers import answer, error_answer
from api.dry_runs import Resolver
from api.executions import Executions
from api.starts import start
from api.status import status_of
from prewarm.errors import InvalidRequest, Problem, RefusedRequest, UnknownRun
from prewarm.observability import logger
from prewarm.request import parse_json
from prewarm.settings import Settings
from prewarm.storage import storage

app = APIGatewayRestResolver()
_executions = functools.cache(lambda: Executions(Settings.from_environment().state_machine_arn))
_resolver = functools.cache(lambda: Resolver(Settings.from_environment().resolve_function))


@app.post("/prewarm")
def post_prewarm() -> Response[str]:
    """Start a run."""
    return answer(200, start(_body(), storage(), _executions(), _resolver()))


@app.get("/status")
def get_status() -> Response[str]:
    """Tell how far a run is; the requestID comes in the query, or, as the old documentation shows, in a JSON body."""
    request_id = app.current_event.query_string_parameters.get("requestID")
    if not request_id and (body := _body()):
        document = parse_json(body)
        request_id = document.get("requestID") if isinstance(document, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise InvalidRequest([Problem("requestID", "is missing; give it as /status?requestID=…")])
    return answer(200, status_of(_executions().describe(request_id), storage()))


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
    return error_answer(404, "NoSuchRoute", "there is no such route; see POST /prewarm and GET /status")


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def broken(error: Exception) -> Response[str]:
    """Answer when something of ours, or of AWS's, is broken: the log has it, the caller gets no traceback."""
    logger.exception("unexpected", exc_info=error)
    return error_answer(500, "ServiceError", "the service failed to answer; try again, and look into its log")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Answer one API Gateway proxy event."""
    logger.append_keys(api_request=(event.get("requestContext") or {}).get("requestId"))
    return app.resolve(event, context)


def _body() -> bytes:
    """Return the request's body as it came; Powertools' decoded_body takes no bytes that are not UTF-8."""
    body = app.current_event.body or ""
    return base64.b64decode(body) if app.current_event.is_base64_encoded else body.encode()
