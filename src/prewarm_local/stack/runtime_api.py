"""Lambda's Runtime API, from which a worker fetches events and to which it returns results.

The protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda's limit of a synchronous response, in bytes.
MAX_RESPONSE = 6_291_556
_PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Result:
    """The result of an invocation.

    `payload` is JSON, `error` Lambda's FunctionError (`Unhandled`) or None.
    """

    payload: bytes
    error: str | None = None

    @classmethod
    def failure(cls, kind: str, message: str) -> Result:
        """Return an error of Lambda itself, in Lambda's format."""
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


class Worker(Protocol):
    """The execution environment that the server serves."""

    def next_event(self) -> tuple[str, bytes, float] | None:
        """Wait for an event; return its request id, payload and deadline.

        The deadline is in Unix seconds. Returns None after the end.
        """

    def finish(self, request_id: str | None, result: Result) -> None:
        """Store the result of `request_id`.

        None stands for the pending event, if initialisation failed.
        """


class RuntimeServer(ThreadingHTTPServer):
    """Serves one `worker` on a free loopback port.

    `function_arn` is the function it runs.
    """

    daemon_threads = True

    def __init__(self, worker: Worker, function_arn: str) -> None:
        self.worker = worker
        self.function_arn = function_arn
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: a killed worker drops its connection."""


class _RuntimeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; Nagle's algorithm would delay the second by 40 ms.
    disable_nagle_algorithm = True
    server: RuntimeServer

    def do_GET(self) -> None:
        event = self.server.worker.next_event() if self.path == f"{_PREFIX}/invocation/next" else None
        if event is None:
            self._respond(410 if self.path.endswith("/next") else 404)
            return
        request_id, payload, deadline = event
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.function_arn,
            # Not sampled: there is no X-Ray daemon here.
            "Lambda-Runtime-Trace-Id": (
                f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
            ),
        }
        self._respond(200, payload, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        worker = self.server.worker
        _, _, rest = self.path.partition(f"{_PREFIX}/")
        match rest.split("/"):
            case ["invocation", request_id, "response"] if len(body) > MAX_RESPONSE:
                message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
                worker.finish(request_id, Result.failure("Function.ResponseSizeTooLarge", message))
            case ["invocation", request_id, "response"]:
                worker.finish(request_id, Result(body))
            case ["invocation", request_id, "error"]:
                worker.finish(request_id, Result(body, "Unhandled"))
            case ["init", "error"]:
                worker.finish(None, Result(body, "Unhandled"))
            case _:
                self._respond(404)
                return
        self._respond(202, b'{"status":"OK"}')

    def _respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Log nothing: the functions have their own logs."""
