"""The slots of a run's grid that one worker has leased and not used yet. Pure: times are arguments.

Times are in seconds since the run began, by the store's clock.
"""

import math
from dataclasses import dataclass, field

from warm.rate_grid import RateGrid

# How late a fetch may start, in seconds; a slot that was missed by more is lost. With a higher value, a second could
# have over a tenth more fetches than the limit; with a lower one, a loop that pauses for a moment would lose slots.
LATE = 0.085


@dataclass
class Lease:
    """Slots of a lane that this worker may use: from `number` up to `end`, which is not one of them."""

    lane: int
    number: int
    end: int


@dataclass
class HeldSlots:
    """The leases of one worker; `missed` is when a slot was lost last."""

    grid: RateGrid
    missed: float = -math.inf
    _leases: list[Lease] = field(default_factory=list)

    def add(self, lane: int, first: int, count: int, time: float) -> None:
        """Add a lease, without the slots that were over before it came."""
        number = max(first, self.grid.first(lane, time - LATE))
        if number < first + count:
            self._leases.append(Lease(lane, number, first + count))

    def until_next(self, time: float) -> float:
        """Drop the slots that are over; return the seconds until the next one, infinite without one."""
        grid, wait = self.grid, math.inf
        for lease in self._leases:
            until = grid.time(lease.lane, lease.number) - time
            if until < -LATE:
                self.missed = time
                lease.number = min(lease.end, grid.first(lease.lane, time - LATE))
                until = grid.time(lease.lane, lease.number) - time
            if lease.number < lease.end:
                wait = min(wait, until)
        if wait == math.inf and self._leases:
            self._leases = []
        return wait

    def use(self) -> None:
        """Use up the next slot."""
        left = [lease for lease in self._leases if lease.number < lease.end]
        lease = min(left, key=lambda each: self.grid.time(each.lane, each.number))
        lease.number += 1
        self._leases = [each for each in left if each.number < each.end]

    def __len__(self) -> int:
        """Return the number of slots."""
        return sum(lease.end - lease.number for lease in self._leases)

    def end(self) -> float:
        """Return the time of the last slot, minus infinity without one."""
        return max((self.grid.time(each.lane, each.end - 1) for each in self._leases), default=-math.inf)

    def ends(self) -> dict[int, int]:
        """Return for each lane of the leases the number after its last slot."""
        return {each.lane: each.end for each in sorted(self._leases, key=lambda each: each.end)}
