"""A token bucket that limits fetches per second. Pure: the clock is handed in."""

from dataclasses import dataclass

# How much of an unused second may be caught up with at once.
BURST_SECONDS = 0.1


@dataclass
class TokenBucket:
    """Holds fetches back so that no more begin than `rate` a second; None is no limit."""

    rate: float | None
    _ready: float = 1.0
    _then: float | None = None

    def wait(self, now: float) -> float:
        """Return 0 where a fetch may begin now, which it is then taken to do, else the seconds to wait."""
        if self.rate is None:
            return 0.0
        passed = 0.0 if self._then is None else now - self._then
        self._then = now
        self._ready = min(max(1.0, self.rate * BURST_SECONDS), self._ready + passed * self.rate)
        if self._ready < 1.0:
            return (1.0 - self._ready) / self.rate
        self._ready -= 1.0
        return 0.0
