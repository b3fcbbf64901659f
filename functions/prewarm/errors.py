"""Everything this project raises on purpose.

PrewarmError
├── RefusedRequest            the caller can mend it; nothing was started
│   ├── InvalidRequest        400, or the state Rejected
│   ├── RequestTooLarge       413
│   ├── Conflict              409: what is asked for does not fit what there is
│   └── Missing               404: the run is there, what is asked of it is not
├── RunNotFound                404
└── BrokenSetting             an environment variable is missing or wrong; the function cannot work

A target that failed is a row of data (see outcome.py), never an exception. Whatever else escapes a handler is
broken infrastructure and fails the state in which it broke.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# How many problems of one request are spelled out; the rest are counted.
PROBLEMS_TOLD = 20
# How much of what a caller wrote is repeated to them: enough to find it again.
CHARACTERS_SHOWN = 200


def truncate(text: str) -> str:
    """Return what a caller wrote as it is repeated to them: cut where it is long.

    JSON may hold half a surrogate pair, which no response can be encoded with: it is spelled out.
    """
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= CHARACTERS_SHOWN else text[:CHARACTERS_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: the field's path (`url_list[3]`), what to mend, and near names if any."""

    field: str
    message: str
    near: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the problem as one line: `region[0]: unknown region 'apca'; did you mean apac?`."""
        hint = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        return f"{self.field}: {self.message}{hint}" if self.field else f"{self.message}{hint}"

    def as_json(self) -> dict[str, object]:
        """Return the problem in the API's error shape."""
        return {"field": self.field, "message": self.message, "near": list(self.near)}


class PrewarmError(Exception):
    """Base of all errors that this project raises on purpose."""


class RefusedRequest(PrewarmError):
    """A request that will not be carried out, with the problems that the caller can mend."""

    code = "RefusedRequest"
    http_status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.message())

    def message(self) -> str:
        """Return all problems in one line, the first few in words and the rest as a count."""
        told = " | ".join(problem.sentence() for problem in self.problems[:PROBLEMS_TOLD])
        rest = len(self.problems) - PROBLEMS_TOLD
        return f"{told} | and {rest} more problems" if rest > 0 else told

    def as_json(self) -> dict[str, object]:
        """Return the API's error shape: code, message, details (one per problem told)."""
        return {"error": {"code": self.code, "message": self.message(), "details": self.details()}}

    def details(self) -> list[dict[str, object]]:
        """Return the problems that are told, one by one."""
        return [problem.as_json() for problem in self.problems[:PROBLEMS_TOLD]]


class InvalidRequest(RefusedRequest):
    """The request's content is wrong."""

    code = "InvalidRequest"


class RequestTooLarge(RefusedRequest):
    """The request's body is over the limit."""

    code = "RequestTooLarge"
    http_status = 413


class Conflict(RefusedRequest):
    """What is asked for does not fit what there is: `code` says how, for machines."""

    http_status = 409

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        self.code = code
        super().__init__(problems)


class Missing(RefusedRequest):
    """The run has not what is asked for: `code` says what, for machines."""

    http_status = 404

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        self.code = code
        super().__init__(problems)


class RunNotFound(PrewarmError):
    """No run of this name or ARN exists."""


class BrokenSetting(PrewarmError):
    """An environment variable is missing or holds what cannot be used."""
