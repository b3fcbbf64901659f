"""One Lambda execution environment: a worker process, and the Runtime API that feeds it one event at a time.

The Runtime API is Lambda's own (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), so the process runs
awslambdaric, the interface client that AWS ships in its runtimes. Each sandbox has a server of its own, because the
protocol does not say which environment is asking.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.stack.template import Function

# Lambda's limit of a synchronous response, in bytes.
MAX_RESPONSE = 6_291_556
# Lambda gives 10 s; a loaded laptop that starts eight interpreters at once needs more.
_INIT_SECONDS = 60.0
_PREFIX = "/2018-06-01/runtime"
# Ends the worker when the pipe's other end closes, however this process ended; works on macOS too, and unlike
# PR_SET_PDEATHSIG it does not depend on the thread that started the worker.
_BOOTSTRAP = """
import os, runpy, sys, threading
def watch():
    os.read(int(sys.argv[1]), 1)
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
sys.argv[1:] = sys.argv[2:]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
"""


class NotTakenError(Exception):
    """The worker died before it took the event: nothing of the event has run, another worker may take it."""


@dataclass(frozen=True)
class Result:
    """What an invocation came to; `error` is Lambda's FunctionError (`Unhandled`) or None. `payload` is JSON."""

    payload: bytes
    error: str | None = None

    @classmethod
    def failure(cls, kind: str, message: str) -> Result:
        """Return an error that Lambda itself makes, in its shape."""
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


class Sandbox:
    """A worker process of `function`. `environment` is its whole environment but for the Runtime API's address.

    `log` is what it writes its stdout and stderr to. May raise OSError when the process does not start.
    """

    def __init__(self, function: Function, environment: Mapping[str, str], log: IO[bytes] | int) -> None:
        self.function = function
        self.alive = True
        self._changed = threading.Condition()
        self._event: tuple[str, bytes] | None = None
        self._taken_at: float | None = None
        self._outcome: Result | None = None
        self._served = 0
        self._server = _RuntimeServer(self)
        threading.Thread(target=self._server.serve_forever, name=f"runtime-{function.name}", daemon=True).start()
        read_end, self._lifeline = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP, str(read_end), function.handler],
            cwd=function.code,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(read_end,),
            start_new_session=True,  # a Ctrl-C in the terminal is for the stack, which then ends its workers
        )
        os.close(read_end)
        threading.Thread(target=self._reap, name=f"reap-{function.name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The worker's process id, which is its process group's too."""
        return self._process.pid

    def invoke(self, payload: bytes) -> Result:
        """Run one event and return what it came to. May raise NotTakenError."""
        request_id = str(uuid.uuid4())
        with self._changed:
            self._event, self._taken_at, self._outcome = (request_id, payload), None, None
            self._changed.notify_all()
            asked_at = time.monotonic()
            while self._outcome is None:
                if not self.alive:
                    break
                if self._taken_at is None:
                    left = asked_at + _INIT_SECONDS - time.monotonic()
                else:
                    left = self._taken_at + self.function.timeout - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            outcome, taken = self._outcome, self._taken_at is not None
            self._event = None
            self._served += 1
        if outcome is not None:
            return outcome
        if not self.alive:
            if not taken and self._served > 1:
                raise NotTakenError
            return Result.failure("Runtime.ExitError", f"RequestId: {request_id} Error: {self._how_it_ended()}")
        self.kill()
        seconds = self.function.timeout if taken else _INIT_SECONDS
        return Result.failure(
            "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        )

    def kill(self) -> None:
        """End the worker and whatever it started, at once."""
        self.alive = False
        # It may have ended by itself, and the reaper have seen it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._changed:
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until the killed worker is gone."""
        self._process.wait(seconds)

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        return f"signal: {signal.strsignal(-code)}" if code < 0 else f"Runtime exited with error: exit status {code}"

    def _reap(self) -> None:
        self._process.wait()
        with self._changed:
            self.alive = False
            self._changed.notify_all()
        os.close(self._lifeline)
        self._server.shutdown()
        self._server.server_close()

    # ---- the Runtime API's side ----

    def next_event(self) -> tuple[str, bytes, float] | None:
        """Wait for an event; return its request id, payload and deadline (Unix seconds), or None at the end."""
        with self._changed:
            while self.alive and (self._event is None or self._taken_at is not None):
                self._changed.wait()
            if self._event is None or not self.alive:
                return None
            self._taken_at = time.monotonic()
            self._changed.notify_all()
            return (*self._event, time.time() + self.function.timeout)

    def finish(self, request_id: str | None, result: Result) -> None:
        """Take the result of `request_id`, or of whatever waits when the function could not be initialised (None)."""
        with self._changed:
            waiting = self._event
            if self._outcome is None and (request_id is None or (waiting is not None and waiting[0] == request_id)):
                self._outcome = result
                self._changed.notify_all()


class _RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a worker that was killed cuts its connection."""


class _RuntimeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; Nagle would hold the second back for 40 ms.
    disable_nagle_algorithm = True
    server: _RuntimeServer

    def do_GET(self) -> None:
        event = self.server.sandbox.next_event() if self.path == f"{_PREFIX}/invocation/next" else None
        if event is None:
            self._answer(410 if self.path.endswith("/next") else 404)
            return
        request_id, payload, deadline = event
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.sandbox.function.arn,
            # Not sampled: there is no X-Ray daemon here.
            "Lambda-Runtime-Trace-Id": (
                f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
            ),
        }
        self._answer(200, payload, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sandbox = self.server.sandbox
        _, _, rest = self.path.partition(f"{_PREFIX}/")
        match rest.split("/"):
            case ["invocation", request_id, "response"] if len(body) > MAX_RESPONSE:
                message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
                sandbox.finish(request_id, Result.failure("Function.ResponseSizeTooLarge", message))
            case ["invocation", request_id, "response"]:
                sandbox.finish(request_id, Result(body))
            case ["invocation", request_id, "error"]:
                sandbox.finish(request_id, Result(body, "Unhandled"))
            case ["init", "error"]:
                sandbox.finish(None, Result(body, "Unhandled"))
            case _:
                self._answer(404)
                return
        self._answer(202, b'{"status":"OK"}')

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the functions' own logs are what matters."""
