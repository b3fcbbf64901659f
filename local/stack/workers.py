"""Lambda: runs the template's functions in worker processes, one event at a time in each.

Every function has its own workers, grown on demand to a cap and kept while the stack lives; invocations beyond the
cap wait in line. The cap is per function, so that a status request never waits behind batches that take minutes.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local.stack.sandbox import NotTakenError, Result, Sandbox
from local.stack.session import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.stack.template import Function

# Lambda's limit of a synchronous invocation's event, in bytes.
MAX_EVENT = 6_291_456
# Where the edge is, for the functions: settings of the user's environment, since AWS has no place for them.
EDGE_VARIABLES = (
    "PREWARM_NAMESERVERS",
    "PREWARM_CA_BUNDLE",
    "PREWARM_HTTPS_PORT",
    "PREWARM_HTTP_PORT",
    "PREWARM_EDGE_NETWORKS",
)
# What a Python process needs of this machine to start as it does here.
_MACHINE_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "PYTHONDONTWRITEBYTECODE")


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
                _environment(function, endpoint, region, environment or {}),
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
        name = function.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
        if name not in self._pools:
            raise UnknownFunctionError(f"Function not found: {function}")
        if len(payload) > MAX_EVENT:
            raise EventTooLargeError(
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type"
                f" (limit {MAX_EVENT} bytes)"
            )
        return self._pools[name].invoke(payload or b"{}")

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


def _environment(function: Function, endpoint: str, region: str, added: Mapping[str, str]) -> dict[str, str]:
    """Return what Lambda sets (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and the edge's."""
    lambda_variables = {
        "_HANDLER": function.handler,
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "PYTHONPATH": str(function.code),
        "LAMBDA_TASK_ROOT": str(function.code),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": ACCESS_KEY,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "embedded",
        # Not Lambda's: where the embedded account is, no files of the user's, no daemon for traces.
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_XRAY_SDK_ENABLED": "false",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    machine = {name: os.environ[name] for name in _MACHINE_VARIABLES if name in os.environ}
    edge = {name: os.environ[name] for name in EDGE_VARIABLES if name in os.environ}
    if (bundle := edge.get("PREWARM_CA_BUNDLE")) and Path(bundle).exists():
        edge["PREWARM_CA_BUNDLE"] = str(Path(bundle).resolve())  # workers run in another folder
    return {**machine, **lambda_variables, **function.environment, **edge, **added}
