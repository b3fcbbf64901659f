"""The times at which the fetches of a run with `max_rps` may start: one grid for all of its workers. Pure.

The grid's slots are evenly spaced and dealt out to lanes in turn. A lane's slots are numbered; its next free number
is in the ledger, where a worker leases some of them at a time. So two workers never have the same slot, and no
interval has more fetches than slots.
"""

import math
from dataclasses import dataclass

# The part of the limit that the grid has. The rest allows for fetches that are not exactly in their slots: a worker
# may be late (held_slots.LATE), and clocks differ.
AIM = 0.98
# With few lanes there are few writes a second (one per lane and lease), however many workers there are.
MAX_LANES = 16
# A lane has at least this many fetches a second, so that a lease is worth its write.
MIN_LANE_RATE = 4.0
# How long a lease lasts at least, in seconds; it lasts longer if there would be more than this many leases a second.
MIN_LEASE_SECONDS, LEASES_A_SECOND = 0.5, 16


@dataclass(frozen=True)
class RateGrid:
    """The grid of a run: slots a second, lanes, and the slots of a usual lease.

    Times are in seconds since the run began, by the store's clock.
    """

    rate: float
    lanes: int
    lease: int

    @classmethod
    def of(cls, limit: float, workers: int) -> "RateGrid":
        """Return the grid of a run: `limit` in fetches per second, and how many workers it has at a time."""
        rate, lanes = AIM * limit, min(workers, MAX_LANES, max(1, int(limit / MIN_LANE_RATE)))
        seconds = max(MIN_LEASE_SECONDS, lanes / LEASES_A_SECOND)
        return cls(rate, lanes, max(1, round(seconds * rate / lanes)))

    def time(self, lane: int, number: int) -> float:
        """Return the time of a lane's slot."""
        return (number * self.lanes + lane) / self.rate

    def first(self, lane: int, time: float) -> int:
        """Return the number of a lane's first slot that is not before a time."""
        return math.ceil((time * self.rate - lane) / self.lanes)
