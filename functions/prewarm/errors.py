"""The exceptions that this project raises on purpose.

PrewarmError
├── RefusedRequest            the caller can fix it; nothing was started
│   ├── InvalidRequest        400, or the state Rejected
│   ├── RequestTooLarge       413
│   ├── Conflict              409: the run's state does not allow the operation
│   └── Missing               404: the run exists, the requested document does not
├── RunNotFound                404
├── TransientError            AWS failed for a moment: 503, or 429 if it throttles; the state machine retries
└── BrokenSetting             an environment variable is missing or invalid; the function cannot work

A failed target is a row of data (see results/outcome.py), never an exception. Any other exception that escapes a
handler means broken infrastructure and fails the state that raised it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# How many problems of one request are listed; the rest are counted.
PROBLEMS_SHOWN = 20
# How much of a caller's text an error message repeats: enough to find it in the request.
CHARACTERS_SHOWN = 200


def truncate(text: str) -> str:
    """Return a caller's text as an error message repeats it: at most 200 characters.

    JSON can contain a lone surrogate, which UTF-8 cannot encode; it is written as an escape sequence.
    """
    text = text[: CHARACTERS_SHOWN + 1].encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= CHARACTERS_SHOWN else text[:CHARACTERS_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a request: the field's path, the message, similar valid names."""

    field: str
    message: str
    near: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the problem as one line.

        For example `region[0]: unknown region 'apca'; did you mean apac?`.
        """
        hint = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        return f"{self.field}: {self.message}{hint}" if self.field else f"{self.message}{hint}"

    def as_json(self) -> dict[str, object]:
        """Return the problem in the API's error shape."""
        return {"field": self.field, "message": self.message, "near": list(self.near)}


# Takes the place of each problem after the first twenty of its kind: it is counted, never shown. A request may have
# a hundred thousand problems, and the text of each would take longer to make than the check itself.
UNLISTED = Problem("", "not listed")


class PrewarmError(Exception):
    """Base of all errors that this project raises on purpose."""


class RefusedRequest(PrewarmError):
    """A request that the service refuses, with the problems that the caller can fix."""

    code = "RefusedRequest"
    http_status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.message())

    def message(self) -> str:
        """Return the first twenty problems in one line, with the number of the rest."""
        listed = " | ".join(problem.sentence() for problem in self.problems[:PROBLEMS_SHOWN])
        rest = len(self.problems) - PROBLEMS_SHOWN
        return f"{listed} | … and {rest} more problems" if rest > 0 else listed

    def as_json(self) -> dict[str, object]:
        """Return the API's error shape: code, message, details (one per listed problem)."""
        return {"error": {"code": self.code, "message": self.message(), "details": self.details()}}

    def details(self) -> list[dict[str, object]]:
        """Return the first twenty problems as JSON objects."""
        return [problem.as_json() for problem in self.problems[:PROBLEMS_SHOWN]]


class InvalidRequest(RefusedRequest):
    """The request's content is invalid."""

    code = "InvalidRequest"


class RequestTooLarge(RefusedRequest):
    """The request's body is larger than the limit."""

    code = "RequestTooLarge"
    http_status = 413


class Conflict(RefusedRequest):
    """The run's state does not allow the operation.

    `code` is the machine-readable reason.
    """

    http_status = 409

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        self.code = code
        super().__init__(problems)


class Missing(RefusedRequest):
    """The run exists, but the requested document does not.

    `code` is the machine-readable reason.
    """

    http_status = 404

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        self.code = code
        super().__init__(problems)


class RunNotFound(PrewarmError):
    """No run with this name or ARN exists; `reason` continues a sentence that begins with it."""

    def __init__(self, run: str, reason: str = "does not exist") -> None:
        self.reason = reason
        super().__init__(run)


class TransientError(PrewarmError):
    """A call to AWS failed for a moment, after the SDK's own retries: reset, response cut off, error 5xx.

    The same call may succeed a minute later. The state machine retries this error by its name.
    """

    def __init__(self, message: str, *, throttled: bool = False) -> None:
        """`throttled`: whether AWS throttles the account's calls, so that the caller should slow down."""
        self.throttled = throttled
        super().__init__(message)


class BrokenSetting(PrewarmError):
    """An environment variable is missing or has an invalid value."""
