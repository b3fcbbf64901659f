"""The command as its users start it: in a pipe, or in a terminal of which every byte is seen."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.service import PREWARM, ROOT, Service

PATIENCE_SECONDS = 30


def environment(service: Service | None, **more: str) -> dict[str, str]:
    """The command's variables: where the API is, and nothing of the user's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREWARM_")}
    found = {"PREWARM_API_URL": service.ready["api"], "PREWARM_API_KEY": service.ready["apiKey"]} if service else {}
    return kept | {"XDG_CONFIG_HOME": "/nonexistent", "TERM": "xterm", "COLUMNS": "110"} | found | more


def piped(service: Service | None, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, its outputs in pipes."""
    return subprocess.run(
        [*PREWARM, *arguments],
        cwd=ROOT,
        env=environment(service, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@dataclass
class Terminal:
    """A command in a pseudo-terminal; `shown` is what it wrote until now, escape sequences and all."""

    process: "subprocess.Popen[bytes]"
    master: int
    shown: str = ""

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read until something is seen, or the command has ended."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not seen(self.shown) and time.monotonic() < give_up:
            if not select.select([self.master], [], [], 0.1)[0]:
                if self.process.poll() is not None:
                    break
                continue
            try:
                read = os.read(self.master, 65_536)
            except OSError:  # Linux's way of saying that nobody has the other end any more
                break
            self.shown += read.decode(errors="replace")
        return self.shown

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Read the rest; returns the exit code."""
        self.until(lambda _: False)
        return self.process.wait(PATIENCE_SECONDS)


def _mind_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminal(service: Service | None, *arguments: str, **more: str) -> Iterator[Terminal]:
    """Run the command in a terminal of its own, as the leader of a session."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*PREWARM, *arguments],
        cwd=ROOT,
        env=environment(service, **more),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        # A shell that puts the tests into the background has them, and all that they start, ignore Ctrl-C.
        preexec_fn=_mind_ctrl_c,  # noqa: PLW1509 - no thread of these tests holds a lock
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
