"""A token bucket that limits fetches per second. Pure: the time is an argument."""

from dataclasses import dataclass

# The share of a second whose unused fetches may start at once.
BURST_SECONDS = 0.1


@dataclass
class TokenBucket:
    """Limit the fetches that start to `rate` per second; None means no limit."""

    rate: float | None
    tokens: float = 1.0
    _updated: float | None = None

    def wait(self, now: float) -> float:
        """Return the seconds until there is a token; `now` in monotonic seconds."""
        if self.rate is None:
            return 0.0
        elapsed = 0.0 if self._updated is None else now - self._updated
        self._updated = now
        self.tokens = min(max(1.0, self.rate * BURST_SECONDS), self.tokens + elapsed * self.rate)
        return max(0.0, (1.0 - self.tokens) / self.rate)

    def acquire(self, now: float) -> float:
        """Return 0 and use up a token, or return the seconds until there is one; `now` in monotonic seconds."""
        wait = self.wait(now)
        if not wait and self.rate is not None:
            self.tokens -= 1.0
        return wait
