"""The command as a subprocess: in a pipe, or in a pseudo-terminal whose output is recorded."""

import codecs
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.fake_api import CI_VARIABLES
from tests.support.service import PREWARM, ROOT, Service

# A guard against hanging: `prewarm run` took 29 s with 20 processes for two processors.
TIMEOUT_SECONDS = 90


def environment(service: Service | None, **more: str) -> dict[str, str]:
    """Return the command's environment: the API's address and key, without the user's own settings."""
    own = {name for name in os.environ if name.startswith("PREWARM_")} | CI_VARIABLES
    kept = {name: value for name, value in os.environ.items() if name not in own}
    api = {"PREWARM_API_URL": service.ready["api"], "PREWARM_API_KEY": service.ready["apiKey"]} if service else {}
    return kept | {"XDG_CONFIG_HOME": "/nonexistent", "TERM": "xterm", "COLUMNS": "110"} | api | more


def piped(service: Service | None, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, with its output in pipes."""
    return subprocess.run(
        [*PREWARM, *arguments],
        cwd=ROOT,
        env=environment(service, **more),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@dataclass
class Terminal:
    """A command in a pseudo-terminal; `shown` is its output so far, including escape sequences."""

    process: "subprocess.Popen[bytes]"
    master: int
    shown: str = ""
    # A character may be divided between two reads.
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def until(self, condition: Callable[[str], bool]) -> str:
        """Read until the output meets a condition, or the command has ended."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition(self.shown) and time.monotonic() < deadline:
            if not select.select([self.master], [], [], 0.1)[0]:
                if self.process.poll() is not None:
                    break
                continue
            try:
                read = os.read(self.master, 65_536)
            except OSError:  # Linux raises it when the other end is closed
                break
            self.shown += self._decoder.decode(read)
        return self.shown

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Read the rest of the output, and return the exit code."""
        self.until(lambda _: False)
        return self.process.wait(TIMEOUT_SECONDS)


def _restore_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminal(service: Service | None, *arguments: str, **more: str) -> Iterator[Terminal]:
    """Run the command in a new pseudo-terminal, as the leader of a session."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*PREWARM, *arguments],
        cwd=ROOT,
        env=environment(service, **more),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        # A shell that runs the tests in the background makes them, and all their children, ignore SIGINT.
        preexec_fn=_restore_sigint,  # noqa: PLW1509 - no thread of these tests holds a lock
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
