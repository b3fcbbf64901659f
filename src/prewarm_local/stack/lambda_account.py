"""Lambda's account settings, which moto lacks: how many invocations may run at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# GetAccountSettings (Lambda API Reference).
PATH = "/2016-08-19/account-settings"


class LambdaAccountMiddleware:
    """Answers GetAccountSettings, and passes all other calls on; `concurrency` is set when the workers exist."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self.concurrency = 0

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one call, as WSGI requires."""
        if environ["PATH_INFO"].rstrip("/") != PATH or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        limits = {"ConcurrentExecutions": self.concurrency, "UnreservedConcurrentExecutions": self.concurrency}
        body = json.dumps({"AccountLimit": limits}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]
