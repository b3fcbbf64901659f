"""The times around a worker's fetches: from its start to the first one, from the last response to the ledger item.

A cold environment (its first invocation) also creates clients and connections; the process's CPU time at that moment
is what it spent on imports.
"""

import functools
import time
from dataclasses import dataclass, field

from prewarm.garbage import collect_rarely


@functools.cache  # the first call of an environment is the only one that runs
def _begin_environment() -> float:
    """Prepare a new environment; returns the time of its start, in monotonic seconds."""
    collect_rarely()
    return time.monotonic()


@dataclass
class BatchLife:
    """The times of one invocation, in milliseconds; None where nothing was fetched.

    `started` in monotonic seconds; `cold`: it is its environment's first; `init_ms`: the CPU time before it, if cold.
    """

    started: float = field(default_factory=time.monotonic)
    cold: bool = field(init=False)
    init_ms: float = field(init=False)
    to_first_fetch_ms: float | None = None
    to_stored_ms: float | None = None

    def __post_init__(self) -> None:
        """Find out whether the environment is a new one."""
        used = time.process_time()
        self.cold = _begin_environment() >= self.started
        self.init_ms = round(used * 1000, 1) if self.cold else 0.0

    def stored(self, fetched: tuple[float, float] | None) -> None:
        """Record that the ledger item is stored now.

        `fetched`: when the first fetch started and the last response came, in monotonic seconds.
        """
        if fetched is not None:
            first, last = fetched
            self.to_first_fetch_ms = round((first - self.started) * 1000, 1)
            self.to_stored_ms = round((time.monotonic() - last) * 1000, 1)

    def as_log(self) -> dict[str, object]:
        """Return the times as a log line has them."""
        names = ("cold", "init_ms", "to_first_fetch_ms", "to_stored_ms")
        return {name: getattr(self, name) for name in names}
