"""SIGTERM ends a bench as an exception does, so that the servers that it has started end with it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

# What a shell reports of a program that SIGTERM has ended.
TERMINATED = 128 + signal.SIGTERM


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit in the block, whose `finally` clauses end the servers.

    Signals can be handled in the main thread only; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(TERMINATED)


def output_of_errors(command: Sequence[str]) -> tuple[int, str]:
    """Run a command to its end; return its exit status and what it wrote to standard error.

    If this process is ended meanwhile, the command gets SIGTERM and time to end its own servers: `subprocess.run`
    would kill it.
    """
    with exit_on_sigterm(), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        try:
            _, errors = child.communicate()
        except BaseException:
            child.terminate()
            child.communicate()
            raise
    return child.returncode, errors
