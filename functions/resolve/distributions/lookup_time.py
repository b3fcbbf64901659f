"""The time that a run may take for looking up hosts: one budget for DNS hints and for tenants."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# A fifth of the resolve function's time limit (900 s). At AWS's rate of a few calls a second it is enough for about a
# thousand tenants.
SECONDS_AT_MOST = 180.0


class LookupTime:
    """Adds up the seconds that look-ups take; one for all look-ups of a run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent = 0.0

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, SECONDS_AT_MOST - self._spent)

    @contextmanager
    def used(self) -> Iterator[float]:
        """Count the time that the block takes; yields the seconds that are left for it."""
        started = self._clock()
        try:
            yield self.left
        finally:
            self._spent += self._clock() - started


def why_unasked() -> str:
    """Return why a host was not looked up, as the end of a sentence."""
    return f"not looked up, since a run may spend {SECONDS_AT_MOST:g} s on looking up hosts; split the run"
