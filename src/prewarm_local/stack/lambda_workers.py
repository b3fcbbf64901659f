"""Lambda: runs the template's functions in worker processes, one event at a time in each.

Every function has its own workers, grown on demand to a cap and kept while the stack lives; invocations beyond the
cap wait in line. The cap is per function, so that a status request never waits behind batches that take minutes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import IO, TYPE_CHECKING

from prewarm_local.stack.lambda_environment import lambda_environment
from prewarm_local.stack.lambda_process import NotTakenError, Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prewarm_local.stack.runtime_api import Result
    from prewarm_local.stack.template import Function

# Lambda's limit of a synchronous invocation's event, in bytes.
MAX_EVENT = 6_291_456


class InvokeError(Exception):
    """Lambda refuses the call; `code` and `status` are those of its API's error."""

    code = "ServiceException"
    status = 500


class EventTooLargeError(InvokeError):
    """The event is above Lambda's 6 MB."""

    code = "RequestEntityTooLargeException"
    status = 413


class UnknownFunctionError(InvokeError):
    """The template has no function of this name or ARN."""

    code = "ResourceNotFoundException"
    status = 404


class StoppedError(InvokeError):
    """The stack is being stopped; nothing is invoked any more."""

    status = 503


class Workers:
    """The workers of all `functions`, which reach AWS at `endpoint`.

    `environment` is added to every function's variables; `cap` is the most workers of one function (default: four per
    core); `log_dir` gets one file per function; `echo` copies the logs to stderr.
    """

    def __init__(
        self,
        functions: tuple[Function, ...],
        endpoint: str,
        region: str,
        log_dir: Path,
        environment: Mapping[str, str] | None = None,
        cap: int | None = None,
        *,
        echo: bool = False,
    ) -> None:
        self._pools = {
            function.name: _Pool(
                function,
                lambda_environment(function, endpoint, region, environment or {}),
                cap or 4 * (os.cpu_count() or 1),
                log_dir / f"{function.logical_id}.log",
                echo=echo,
            )
            for function in functions
        }

    def invoke(self, function: str, payload: bytes) -> Result:
        """Run `function` (name, or ARN with or without a version) on an event of JSON bytes, and wait for it.

        May raise InvokeError: UnknownFunctionError, EventTooLargeError, StoppedError.
        """
        return self._pool(function, payload).invoke(payload or b"{}")

    def start(self, function: str, payload: bytes) -> None:
        """Run `function` on an event without waiting for it; its failures are in its log only. Raises as `invoke`."""
        pool = self._pool(function, payload)

        def run() -> None:
            with contextlib.suppress(StoppedError):
                pool.invoke(payload or b"{}")

        threading.Thread(target=run, name=f"event-{function}", daemon=True).start()

    def _pool(self, function: str, payload: bytes) -> _Pool:
        name = function.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
        if name not in self._pools:
            raise UnknownFunctionError(f"Function not found: {function}")
        if len(payload) > MAX_EVENT:
            raise EventTooLargeError(
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type"
                f" (limit {MAX_EVENT} bytes)"
            )
        return self._pools[name]

    def pids(self) -> list[int]:
        """Return the process ids of the living workers."""
        return [sandbox.pid for pool in self._pools.values() for sandbox in pool.sandboxes() if sandbox.alive]

    def stop(self) -> None:
        """End all workers and whoever waits for them; returns when the processes are gone."""
        killed = [sandbox for pool in self._pools.values() for sandbox in pool.stop()]
        for sandbox in killed:
            sandbox.wait(5)


class _Pool:
    """The workers of one function."""

    def __init__(
        self, function: Function, environment: Mapping[str, str], cap: int, log_file: Path, *, echo: bool
    ) -> None:
        self._function = function
        self._environment = environment
        self._cap = cap
        self._log_file = log_file
        self._echo = echo
        self._changed = threading.Condition()
        self._idle: list[Sandbox] = []
        self._busy: set[Sandbox] = set()
        self._starting = 0
        self._stopped = False

    def invoke(self, payload: bytes) -> Result:
        while True:
            sandbox = self._acquire()
            try:
                return sandbox.invoke(payload)
            except NotTakenError:
                continue
            finally:
                self._release(sandbox)

    def sandboxes(self) -> list[Sandbox]:
        with self._changed:
            return [*self._idle, *self._busy]

    def stop(self) -> list[Sandbox]:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            sandboxes = [*self._idle, *self._busy]
        for sandbox in sandboxes:
            sandbox.kill()
        return sandboxes

    def _acquire(self) -> Sandbox:
        with self._changed:
            while True:
                if self._stopped:
                    raise StoppedError("the embedded stack is stopped")
                while self._idle:
                    sandbox = self._idle.pop()
                    if sandbox.alive:
                        self._busy.add(sandbox)
                        return sandbox
                if len(self._busy) + self._starting < self._cap:
                    self._starting += 1
                    break
                self._changed.wait()
        sandbox = self._start()
        if self._stopped:
            # stop() may have looked before the sandbox was there.
            sandbox.kill()
        return sandbox

    def _start(self) -> Sandbox:
        sandbox = None
        try:
            with self._log() as log:
                sandbox = Sandbox(self._function, self._environment, log)
            return sandbox
        finally:
            with self._changed:
                self._starting -= 1
                if sandbox is not None:
                    self._busy.add(sandbox)
                self._changed.notify()

    def _release(self, sandbox: Sandbox) -> None:
        with self._changed:
            self._busy.discard(sandbox)
            if sandbox.alive and not self._stopped:
                self._idle.append(sandbox)
            self._changed.notify()

    def _log(self) -> IO[bytes]:
        if not self._echo:
            return self._log_file.open("ab")
        read_end, write_end = os.pipe()
        threading.Thread(target=self._copy, args=(read_end,), daemon=True).start()
        return os.fdopen(write_end, "wb")

    def _copy(self, read_end: int) -> None:
        with os.fdopen(read_end, "rb", buffering=0) as source, self._log_file.open("ab", buffering=0) as log:
            while chunk := source.read(65_536):
                log.write(chunk)
                sys.stderr.buffer.write(chunk)
                sys.stderr.buffer.flush()
