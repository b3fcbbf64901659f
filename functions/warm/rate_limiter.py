"""How fast a worker fetches: at the rate of the run, or more slowly. Pure: the time is an argument."""

from typing import Protocol

from warm.rate_grid import AIM
from warm.token_bucket import TokenBucket


class Pace(Protocol):
    """Decides when a fetch may start."""

    def acquire(self, now: float) -> float:
        """Return 0 where a fetch may start now, or the seconds to wait; `now` in monotonic seconds."""


class RateLimiter:
    """A worker's two rates in fetches per second: the planned one, and a slower one.

    The slower rate applies while an origin shows signs of overload; it is never above the planned one. `rate`: the
    worker's share of the run's limit, None for no limit. `shared`: the limiter of this worker if the workers share
    the limit; a slowed fetch has to pass both.
    """

    def __init__(self, rate: float | None, slowed_rate: float, shared: Pace | None = None) -> None:
        aim = None if rate is None else AIM * rate
        self._planned: Pace = shared or TokenBucket(aim)
        self._slowed = TokenBucket(min(aim or slowed_rate, slowed_rate))
        self._shared = shared is not None

    def acquire(self, now: float, *, slowed: bool) -> float:
        """Return 0 where a fetch may start now, or the seconds to wait; `now` in monotonic seconds."""
        if not slowed:
            return self._planned.acquire(now)
        if not self._shared:
            return self._slowed.acquire(now)
        if (wait := self._slowed.wait(now)) or (wait := self._planned.acquire(now)):
            return wait
        return self._slowed.acquire(now)
