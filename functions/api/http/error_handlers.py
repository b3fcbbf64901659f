"""Exception handlers: convert exceptions to error responses of one shape, without tracebacks."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api.http.responses import error_response, json_response
from prewarm.errors import RefusedRequest, RunNotFound, TransientError, truncate
from prewarm.observability import logger


def add_error_handlers(app: APIGatewayRestResolver) -> None:
    """Register the handlers of all exceptions that the routes may raise."""

    @app.exception_handler(RefusedRequest)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
    def refused_request(error: RefusedRequest) -> Response[str]:
        """Return the problems that the caller can fix."""
        return json_response(error.http_status, error.as_json())

    @app.exception_handler(RunNotFound)  # type: ignore[untyped-decorator]
    def run_not_found(error: RunNotFound) -> Response[str]:
        """Return 404 for a run that does not exist."""
        what = f"requestID: run {truncate(str(error))!r} {error.reason}; GET /runs lists the runs"
        return error_response(404, "RunNotFound", what)

    @app.exception_handler(TransientError)  # type: ignore[untyped-decorator]
    def transient_error(error: TransientError) -> Response[str]:
        """Return 429 or 503 when AWS throttles or fails for a moment."""
        logger.warning("transient error", extra={"reason": str(error)})
        if error.throttled:
            return error_response(429, "Throttled", "AWS throttles this account's calls; try again in a few seconds")
        return error_response(503, "ServiceUnavailable", "AWS failed for a moment; try again in a few seconds")

    @app.not_found
    def route_not_found(_: NotFoundError) -> Response[str]:
        """Return 404 for a route that does not exist."""
        what = "this route does not exist; check the path and the stage, such as /v1; see docs/api.md"
        return error_response(404, "RouteNotFound", what)

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unexpected_error(error: Exception) -> Response[str]:
        """Log an unexpected error of service or AWS; return 500 without details."""
        logger.exception("unexpected error", exc_info=error)
        return error_response(500, "ServiceError", "unexpected error; try again, and see the API function's log")
