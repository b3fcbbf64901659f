"""Error responses of the API as failures of a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from prewarm_cli.errors import Code, CommandFailed
from prewarm_cli.options.user_request import UserRequest, in_users_terms, problem_texts

if TYPE_CHECKING:
    from prewarm_cli.transport import Reply

# The end of an error's message when the service found more problems than it lists.
MORE_PROBLEMS = re.compile(r"… and [0-9,]+ more problems$")
BAD_INPUT_STATUSES = frozenset({400, 404, 409, 413})
FORBIDDEN, TOO_MANY_REQUESTS, OK = 403, 429, 200


class RequestRefused(CommandFailed):
    """An error response that lists problems, each with its field: `renamed` puts them into other words."""

    def __init__(self, details: list[dict[str, Any]], message: str, code: Code, document: dict[str, Any]) -> None:
        self.details = details
        found = MORE_PROBLEMS.search(message)
        self._more = found[0] if found else ""
        super().__init__(self.text(problem_texts(details, None)), code, document)

    def text(self, problems: list[str]) -> str:
        """Return the problems as one message: one line each, since each needs its own fix."""
        if len(problems) == 1 and not self._more:
            return problems[0]
        more = f"\n  {self._more}" if self._more else ""
        return "the request has several problems:" + "".join(f"\n  {each}" for each in problems) + more

    def renamed(self, request: UserRequest) -> CommandFailed:
        """Return the same failure with the places where the user wrote the values."""
        return CommandFailed(self.text(problem_texts(self.details, request)), self.code, self.document)


def failure_of(reply: Reply, name: str, forbidden_hint: str) -> CommandFailed:
    """Return the failure for a response other than a 200 with a JSON object; `name`: what was called."""
    status, document = reply
    body = document.get("error") if isinstance(document, dict) else None
    error = body if isinstance(body, dict) else {}
    problem = "a body that is not JSON" if document is None else "JSON that is not an object" if status == OK else ""
    message = str(error.get("message") or f"{name} returned {status}" + (problem and f" with {problem}"))
    code = Code.BAD_INPUT if status in BAD_INPUT_STATUSES else Code.SERVICE
    listed = error.get("details")
    details = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if details:
        return RequestRefused(details, message, code, {"error": error})
    if status == FORBIDDEN:
        message += f"; {forbidden_hint}"
    if status == TOO_MANY_REQUESTS:
        message += "; rate limit exceeded; try again later"
    return CommandFailed(in_users_terms(message), code, {"error": error} if error else None)
