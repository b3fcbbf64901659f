"""Lambda: run the template's functions in worker processes, one event at a time in each.

Each function has its own workers, started on demand up to a cap and kept while the stack runs; further invocations
are queued. The cap is per function, so that a status request never waits for batches that take minutes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import IO, TYPE_CHECKING

from prewarm_local.stack.lambda_environment import lambda_environment
from prewarm_local.stack.lambda_process import EventNotFetchedError, LambdaProcess
from prewarm_local.stack.worker_processes import Interpreters, launcher

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prewarm_local.stack.resources import Function
    from prewarm_local.stack.runtime_api import Result
    from prewarm_local.stack.worker_processes import Launcher

# Lambda's limit of a synchronous invocation's event, in bytes.
MAX_EVENT = 6_291_456


class InvokeError(Exception):
    """Lambda refuses the call; `code` and `status` are those of Lambda's API error."""

    code = "ServiceException"
    status = 500


class EventTooLargeError(InvokeError):
    """The event exceeds Lambda's limit of 6 MB."""

    code = "RequestEntityTooLargeException"
    status = 413


class UnknownFunctionError(InvokeError):
    """The template has no function with this name or ARN."""

    code = "ResourceNotFoundException"
    status = 404


class StoppedError(InvokeError):
    """The stack is stopping and does not invoke functions."""

    status = 503


class Workers:
    """The workers of all `functions`, which reach AWS at `endpoint`.

    `environment` is added to every function's variables; `cap` is the maximum number of workers per function
    (default: four per core); `log_dir` receives one file per function; `echo` copies the logs to stderr.
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
        environments = {
            function.name: lambda_environment(function, endpoint, region, environment or {}) for function in functions
        }
        cap = cap or 4 * (os.cpu_count() or 1)
        # Of all functions together, as Lambda limits an account.
        self.most_at_once = cap * len(functions)
        self._launcher = launcher(next(iter(environments.values()))) if functions else Interpreters()
        self._pools = {
            function.name: _Pool(
                function,
                environments[function.name],
                self._launcher,
                cap,
                log_dir / f"{function.logical_id}.log",
                echo=echo,
            )
            for function in functions
        }

    def invoke(self, function: str, payload: bytes) -> Result:
        """Run `function` on an event of JSON bytes, and return the result.

        `function` is a name, or an ARN with or without a version.
        May raise InvokeError: UnknownFunctionError, EventTooLargeError, StoppedError.
        """
        return self._pool(function, payload).invoke(payload or b"{}")

    def start(self, function: str, payload: bytes) -> None:
        """Run `function` on an event without waiting; failures appear only in its log.

        Raises the same errors as `invoke`.
        """
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
        """Return the process ids of the running workers."""
        return [process.pid for pool in self._pools.values() for process in pool.processes() if process.alive]

    def stop(self) -> None:
        """Kill all workers, fail waiting invocations, and wait until the workers exited."""
        killed = [process for pool in self._pools.values() for process in pool.stop()]
        for process in killed:
            process.wait(5)
        self._launcher.stop()


class _Pool:
    """The workers of one function."""

    def __init__(
        self,
        function: Function,
        environment: Mapping[str, str],
        launcher: Launcher,
        cap: int,
        log_file: Path,
        *,
        echo: bool,
    ) -> None:
        self._function = function
        self._environment = environment
        self._launcher = launcher
        self._cap = cap
        self._log_file = log_file
        self._echo = echo
        self._changed = threading.Condition()
        self._idle: list[LambdaProcess] = []
        self._busy: set[LambdaProcess] = set()
        self._starting = 0
        self._stopped = False

    def invoke(self, payload: bytes) -> Result:
        while True:
            process = self._acquire()
            try:
                return process.invoke(payload)
            except EventNotFetchedError:
                continue
            finally:
                self._release(process)

    def processes(self) -> list[LambdaProcess]:
        with self._changed:
            return [*self._idle, *self._busy]

    def stop(self) -> list[LambdaProcess]:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            processes = [*self._idle, *self._busy]
        for process in processes:
            process.kill()
        return processes

    def _acquire(self) -> LambdaProcess:
        with self._changed:
            while True:
                if self._stopped:
                    raise StoppedError("the embedded stack is stopped")
                while self._idle:
                    process = self._idle.pop()
                    if process.alive:
                        self._busy.add(process)
                        return process
                if len(self._busy) + self._starting < self._cap:
                    self._starting += 1
                    break
                self._changed.wait()
        process = self._start()
        if self._stopped:
            # stop() may have listed the workers before this one existed.
            process.kill()
        return process

    def _start(self) -> LambdaProcess:
        process = None
        try:
            with self._log() as log:
                process = LambdaProcess(self._function, self._environment, log, self._launcher)
            return process
        finally:
            with self._changed:
                self._starting -= 1
                if process is not None:
                    self._busy.add(process)
                self._changed.notify()

    def _release(self, process: LambdaProcess) -> None:
        with self._changed:
            self._busy.discard(process)
            if process.alive and not self._stopped:
                self._idle.append(process)
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
