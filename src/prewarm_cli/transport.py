"""How the API's client reaches the API: what a transport sends and returns, and when it tries again."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

# (connect, read) in seconds. A dry run may take API Gateway's 29 seconds.
TIMEOUT = (10, 60)
RETRIES, BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 4, 0.5, 30
RETRIED_STATUSES = (429, 500, 502, 503, 504)


class Call(NamedTuple):
    """A call of a route; entries of `query` that are None are not sent; `key`: the Idempotency-Key."""

    method: str
    path: str
    query: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    key: str | None = None

    @property
    def repeatable(self) -> bool:
        """Return whether repeating it has no further effect."""
        return self.method == "GET" or self.key is not None


class Reply(NamedTuple):
    """A response: its status, and its JSON document; None if the body is not JSON."""

    status: int
    document: Any


class Transport(Protocol):
    """Sends calls to one API.

    GETs are repeated after connection errors, 429 and 5xx. A POST is repeated only with an Idempotency-Key: without
    one, a lost response may hide a run that was started.
    """

    @property
    def name(self) -> str:
        """The API's address, or its function's ARN."""

    @property
    def forbidden_hint(self) -> str:
        """What to check after a 403."""

    def send(self, call: Call) -> Reply:
        """Return the response to a call.

        Raises:
            CommandFailed: there is none.

        """
