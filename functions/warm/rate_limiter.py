"""Token buckets that limit fetches per second. Pure: the time is an argument."""

from dataclasses import dataclass

# The share of a second whose unused fetches may start at once.
BURST_SECONDS = 0.1


@dataclass
class TokenBucket:
    """Limit the fetches that start to `rate` per second; None means no limit."""

    rate: float | None
    _tokens: float = 1.0
    _updated: float | None = None

    def acquire(self, now: float) -> float:
        """Return 0 and use up a token, or return the seconds until there is one; `now` in monotonic seconds."""
        if self.rate is None:
            return 0.0
        elapsed = 0.0 if self._updated is None else now - self._updated
        self._updated = now
        self._tokens = min(max(1.0, self.rate * BURST_SECONDS), self._tokens + elapsed * self.rate)
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self.rate
        self._tokens -= 1.0
        return 0.0


class RateLimiter:
    """A worker's two rates in fetches per second: the planned one (None: no limit), and a slower one.

    The slower rate is for the time while an origin shows signs of overload; it is never above the planned one.
    """

    def __init__(self, rate: float | None, slowed_rate: float) -> None:
        self._planned = TokenBucket(rate)
        self._slowed = TokenBucket(min(rate or slowed_rate, slowed_rate))

    def acquire(self, now: float, *, slowed: bool) -> float:
        """Return 0 where a fetch may start now, or the seconds to wait; `now` in monotonic seconds."""
        return (self._slowed if slowed else self._planned).acquire(now)
