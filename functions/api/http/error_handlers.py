"""Errors become answers here and nowhere else: one shape, and no traceback."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api.http.responses import answer, error_answer
from prewarm.errors import RefusedRequest, RunNotFound
from prewarm.observability import logger


def answer_errors(app: APIGatewayRestResolver) -> None:
    """Have an app answer for what its routes raise."""

    @app.exception_handler(RefusedRequest)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
    def refused(error: RefusedRequest) -> Response[str]:
        """ApiModel what the caller can mend."""
        return answer(error.http_status, error.as_json())

    @app.exception_handler(RunNotFound)  # type: ignore[untyped-decorator]
    def unknown_run(error: RunNotFound) -> Response[str]:
        """ApiModel for a run that does not exist."""
        return error_answer(404, "RunNotFound", f"requestID: no run {str(error)[:200]!r} is known here")

    @app.not_found
    def no_route(_: NotFoundError) -> Response[str]:
        """ApiModel for a route that does not exist."""
        return error_answer(404, "RouteNotFound", "there is no such route; see docs/api.md")

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def broken(error: Exception) -> Response[str]:
        """ApiModel when something of ours, or of AWS's, is broken: the log has it, the caller gets no traceback."""
        logger.exception("unexpected", exc_info=error)
        return error_answer(500, "ServiceError", "the service failed to answer; try again, and look into its log")
