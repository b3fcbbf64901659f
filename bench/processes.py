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
    """Samples the memory of all processes in a thread, and keeps each kind's largest for each part of the run."""

    seconds: float = 0.5
    largest: list[dict[str, float]] = field(default_factory=lambda: [defaultdict(float)])
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

    def enter_part(self, part: int) -> None:
        """Count the samples from now on as those of a part, at first of part 0; no part is entered twice."""
        while len(self.largest) <= part:
            self.largest.append(defaultdict(float))

    def _run(self) -> None:
        while not self._ended.wait(self.seconds):
            largest = self.largest[-1]
            for process, kind in processes():
                largest[kind] = max(largest[kind], megabytes(process))

    def rows(self, parts: int) -> list[tuple[str, list[float]]]:
        """Return kind and MB in each of so many parts, 0 where it did not run."""
        self.enter_part(parts - 1)
        kinds = sorted({kind for each in self.largest for kind in each})
        return [(kind, [each.get(kind, 0.0) for each in self.largest]) for kind in kinds]
