"""The time by the store's clock, which all workers of a run share. Pure: all times are arguments.

A response's Date (RFC 9110, section 6.6.1: whole seconds) bounds what the store's clock showed between request and
response. Several of them narrow the bounds. Within the bounds the machine's own clock is used, because AWS's clocks
are set by the same time service; a clock outside them is not used.
"""

import math

# The clock is sure if the bounds are at most this many seconds apart.
SURE_SECONDS = 0.15


class StoreClock:
    """Converts monotonic seconds of this machine to epoch seconds of the store."""

    def __init__(self, epoch: float, now: float) -> None:
        """Start with the machine's own clock: what it and the monotonic one show at the same moment."""
        self._offset = epoch - now
        self._low, self._high = -math.inf, math.inf
        self._without = 0
        self._inside = True

    def observe(self, sent: float, received: float, date: float | None, epoch: float, now: float) -> None:
        """Learn from a response.

        `sent` and `received` in monotonic seconds, `date` its Date in epoch seconds, None where it has none;
        `epoch` and `now` as at the start.
        """
        own = epoch - now
        if date is None:
            self._without += 1
        else:
            low, high = date - received, date + 1 - sent
            if max(low, self._low) <= min(high, self._high):
                low, high = max(low, self._low), min(high, self._high)
            self._low, self._high = low, high
        self._inside = self._low <= own <= self._high
        self._offset = own if self._inside else (self._low + self._high) / 2

    @property
    def sure(self) -> bool:
        """Whether the bounds are close, or the store sends no dates, so that only the machine's own clock is left."""
        return self._high - self._low <= SURE_SECONDS or (self._without > 0 and math.isinf(self._high))

    @property
    def wrong(self) -> bool:
        """Whether the machine's own clock is known to be wrong, and the store's not well enough."""
        return not self._inside and not self.sure

    def time(self, now: float) -> float:
        """Return the store's epoch seconds at a monotonic time."""
        return now + self._offset
