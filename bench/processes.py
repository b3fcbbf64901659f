"""Memory of this process and its descendants, by kind: a function's handler, nginx, or the stack itself."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

STACK = "stack (moto, API Gateway, this script)"


def processes() -> Iterator[tuple[int, str]]:
    """Yield id and kind of this process and of each descendant."""
    yield os.getpid(), STACK
    left = [os.getpid()]
    while left:
        for children in Path(f"/proc/{left.pop()}/task").glob("*/children"):
            for child in _words(children):
                left.append(int(child))
                words = _text(Path(f"/proc/{child}/cmdline")).split("\0")
                yield int(child), next((word for word in words if word.endswith(".handler")), Path(words[0]).name)


def megabytes(process: int, line: str = "VmRSS") -> float:
    """Return a figure of a process's memory, 0 after its end."""
    lines = _text(Path(f"/proc/{process}/status")).splitlines()
    return next((float(each.split()[1]) / 1024 for each in lines if each.startswith(line)), 0.0)


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:  # the process has ended
        return ""


@dataclass
class Watch:
    """Samples the memory of all processes in a thread, and keeps each kind's largest, before and after a mark."""

    seconds: float = 0.5
    first: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    later: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    marked: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def mark(self) -> None:
        """Count the samples from now on as later ones."""
        self.marked = True

    def _run(self) -> None:
        while not self._ended.wait(self.seconds):
            largest = self.later if self.marked else self.first
            for process, kind in processes():
                largest[kind] = max(largest[kind], megabytes(process))

    def rows(self) -> list[tuple[str, float, float]]:
        """Return kind, MB before and MB after the mark, of each kind."""
        return [(kind, self.first.get(kind, 0.0), self.later.get(kind, 0.0)) for kind in {**self.first, **self.later}]
