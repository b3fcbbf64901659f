"""Start the processes of workers: forked from a server that has imported the functions' packages, or on their own.

Forking without exec is safe on Linux only: on macOS its system libraries refuse to run in such a child. There, and
after the server was lost, each worker is a new interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER = Path(__file__).with_name("fork_server.py")
_MAX_MESSAGE = 1 << 20
# Exits the worker when the other end of the pipe closes, however this process ended. It works on macOS too, and
# unlike PR_SET_PDEATHSIG it does not depend on the thread that started the worker.
_BOOTSTRAP = """
import os, runpy, sys, threading
def watch():
    os.read(int(sys.argv[1]), 1)
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
sys.argv[1:] = sys.argv[2:]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
"""


class WorkerProcess(Protocol):
    """What is used of subprocess.Popen."""

    @property
    def pid(self) -> int:
        """The process id, which is also the process group id."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit status, or minus the signal's number."""


class Launcher(Protocol):
    """Starts workers."""

    def start(
        self, handler: str, folder: Path, environment: Mapping[str, str], log: int, lifeline: int
    ) -> WorkerProcess:
        """Start a worker that exits when the other end of the pipe `lifeline` closes. May raise OSError."""

    def stop(self) -> None:
        """End what `start` uses. The workers must have ended."""


class Interpreters:
    """Starts a new interpreter for each worker."""

    def start(
        self, handler: str, folder: Path, environment: Mapping[str, str], log: int, lifeline: int
    ) -> WorkerProcess:
        """Start a worker. May raise OSError."""
        return subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP, str(lifeline), handler],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lifeline,),
            start_new_session=True,  # Ctrl-C in the terminal goes to the stack, which then ends its workers
        )

    def stop(self) -> None:
        """Do nothing."""


class Forked:
    """A worker that the fork server started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._status = -int(signal.SIGKILL)

    def end(self, status: int) -> None:
        """Store the exit status."""
        self._status = status
        self._ended.set()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end as Popen does. May raise subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0.0)
        return self._status


class ForkServer:
    """Starts workers by forking a process that has imported the functions' packages.

    That process starts at once, in parallel with the rest of the stack. `environment` is that of any function.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, str(_SERVER), str(theirs.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._changed = threading.Condition()
        self._requested = threading.Lock()
        self._started: deque[Forked] = deque()
        self._running: dict[int, Forked] = {}
        self._lost = False
        threading.Thread(target=self._receive, name="fork-server", daemon=True).start()

    def start(
        self, handler: str, folder: Path, environment: Mapping[str, str], log: int, lifeline: int
    ) -> WorkerProcess:
        """Start a worker. May raise OSError."""
        request = {"environment": dict(environment), "folder": str(folder), "handler": handler}
        with self._requested:
            with suppress(OSError):
                socket.send_fds(self._socket, [json.dumps(request).encode()], [log, lifeline])
            with self._changed:
                self._changed.wait_for(lambda: self._started or self._lost)
                if self._started:
                    return self._started.popleft()
        return Interpreters().start(handler, folder, environment, log, lifeline)

    def stop(self) -> None:
        """End the server, which has nothing to store."""
        self._server.kill()
        self._server.wait()

    def _receive(self) -> None:
        with self._socket:
            while message := self._message():
                with self._changed:
                    if "status" in message:
                        self._running.pop(message["pid"]).end(message["status"])
                        continue
                    process = self._running[message["pid"]] = Forked(message["pid"])
                    self._started.append(process)
                    self._changed.notify_all()
            with self._changed:
                self._lost = True
                self._changed.notify_all()
                running = list(self._running.values())
        for process in running:
            # Their end cannot be observed without it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.end(-int(signal.SIGKILL))

    def _message(self) -> dict[str, int] | None:
        try:
            text = self._socket.recv(_MAX_MESSAGE)
        except OSError:
            return None
        message: dict[str, int] | None = json.loads(text) if text else None
        return message


def launcher(environment: Mapping[str, str]) -> Launcher:
    """Return the fastest way to start workers that this system has."""
    return ForkServer(environment) if sys.platform == "linux" else Interpreters()
