"""One Lambda execution environment: a worker process, and a Runtime API that serves it one event at a time.

The process runs awslambdaric, the interface client that AWS ships in its runtimes. Each worker has its own server,
because the protocol does not identify the execution environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import uuid
from typing import IO, TYPE_CHECKING

from prewarm_local.stack.runtime_api import Result, RuntimeServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.resources import Function
    from prewarm_local.stack.worker_processes import Launcher

# Lambda allows 10 s; a loaded laptop that starts eight interpreters at once needs more.
_INIT_SECONDS = 60.0


class EventNotFetchedError(Exception):
    """The worker exited before it fetched the event, so another worker can run it."""


class LambdaProcess:
    """A worker process of `function`, started by `launcher`.

    `environment` is its environment without the Runtime API's address.
    `log` receives stdout and stderr. May raise OSError if the process does not start.
    """

    def __init__(
        self, function: Function, environment: Mapping[str, str], log: IO[bytes], launcher: Launcher
    ) -> None:
        self.function = function
        self.alive = True
        self._changed = threading.Condition()
        self._event: tuple[str, bytes] | None = None
        self._fetched_at: float | None = None
        self._outcome: Result | None = None
        self._served = 0
        self._server = RuntimeServer(self, function.arn)
        threading.Thread(target=self._server.serve_forever, name=f"runtime-{function.name}", daemon=True).start()
        read_end, self._lifeline = os.pipe()
        variables = {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"}
        try:
            self._process = launcher.start(function.handler, function.code, variables, log.fileno(), read_end)
        finally:
            os.close(read_end)
        threading.Thread(target=self._reap, name=f"reap-{function.name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The worker's process id, which is also its process group id."""
        return self._process.pid

    def invoke(self, payload: bytes) -> Result:
        """Run one event and return its result. May raise EventNotFetchedError."""
        request_id = str(uuid.uuid4())
        with self._changed:
            self._event, self._fetched_at, self._outcome = (request_id, payload), None, None
            self._changed.notify_all()
            asked_at = time.monotonic()
            while self._outcome is None:
                if not self.alive:
                    break
                if self._fetched_at is None:
                    left = asked_at + _INIT_SECONDS - time.monotonic()
                else:
                    left = self._fetched_at + self.function.timeout - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            outcome, fetched = self._outcome, self._fetched_at is not None
            self._event = None
            self._served += 1
        if outcome is not None:
            return outcome
        if not self.alive:
            if not fetched and self._served > 1:
                raise EventNotFetchedError
            return Result.failure("Runtime.ExitError", f"RequestId: {request_id} Error: {self._exit_reason()}")
        self.kill()
        seconds = self.function.timeout if fetched else _INIT_SECONDS
        return Result.failure(
            "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        )

    def kill(self) -> None:
        """Kill the worker and its child processes."""
        self.alive = False
        # The worker may have exited already, and the reaper thread noticed it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._changed:
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until the killed worker has exited."""
        self._process.wait(seconds)

    def _exit_reason(self) -> str:
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

    # ---- called by the Runtime API ----

    def next_event(self) -> tuple[str, bytes, float] | None:
        """Wait for an event; return its request id, payload and deadline.

        The deadline is in Unix seconds. Returns None after the end.
        """
        with self._changed:
            while self.alive and (self._event is None or self._fetched_at is not None):
                self._changed.wait()
            if self._event is None or not self.alive:
                return None
            self._fetched_at = time.monotonic()
            self._changed.notify_all()
            return (*self._event, time.time() + self.function.timeout)

    def finish(self, request_id: str | None, result: Result) -> None:
        """Store the result of `request_id`.

        None stands for the pending event, if initialisation failed.
        """
        with self._changed:
            pending = self._event
            if self._outcome is None and (request_id is None or (pending is not None and pending[0] == request_id)):
                self._outcome = result
                self._changed.notify_all()
