"""The POPs of an area in a regional run: which one carries a target, and which one takes over. Pure.

They replace the addresses of a POP (servers.py): the proof of a target is fetched not through another address, but
through another POP of the area, which has the same regional edge cache behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import SILENT, Outcome
from prewarm.results.regional_causes import COLD
from warm.servers import Servers
from warm.target import Target
from warm.tile import Tile


@dataclass
class Carriers(Servers):
    """The areas' POPs of one tile; `dark` has the POPs that the worker has given up on, and grows."""

    tile: Tile = field(kw_only=True)
    dark: Mapping[str, str] = field(kw_only=True)

    @classmethod
    def of(cls, tile: Tile, dark: Mapping[str, str]) -> "Carriers | None":
        """Return the carriers of a tile; None if its targets are at POPs."""
        return cls([], tile=tile, dark=dark) if tile.carriers else None

    def next_place(self, target: Target) -> int | None:
        """Return the next POP of a target's area that was not asked for it and is not dark, or None."""
        carriers = self.tile.carriers[target.pop]
        count = len(carriers)
        for place in (number % count for number in range(target.place + 1, target.place + count)):
            if not target.asked >> place & 1 and carriers[place][0] not in self.dark:
                return place
        return None

    def move(self, fetch: Fetch) -> bool:
        """Give a target's fetch to the next POP of its area; returns False where none is left."""
        target: Target = fetch.owner
        target.asked |= 1 << target.place
        place = self.next_place(target)
        if place is None:
            return False
        if target.first is not None and target.filler < 0:
            target.filler = target.place
        target.place, fetch.queue = place, self.tile.carriers[target.pop][place][1]
        fetch.fresh = fetch.queue.suspected
        return True

    def outcome_of(self, target: Target, outcome: Outcome) -> Outcome:
        """Return the outcome of a target if no further POP of its area answers.

        If one has filled the cache, only the proof is missing.
        """
        if outcome not in SILENT or not (target.first or target.fetched):
            return outcome
        target.cause = COLD
        return Outcome.UNPROVEN

    def advance(self, fetch: Fetch, *, again: bool, stay: bool = False) -> None:  # noqa: ARG002 - that of an address
        """Ask the next POP, as `verification` requires for a held target; without one, the same POP again."""
        self.move(fetch)

    def lacks_copies(self, target: Target) -> bool:  # noqa: ARG002 - the same for each
        """Return False: the regional edge cache is one for all POPs of the area."""
        return False

    def knows_sharing(self, pop: int) -> bool:  # noqa: ARG002 - the same for each
        """Return True: the regional edge cache is one for all POPs of the area."""
        return True

    def packed(self) -> str:
        """Return nothing: no address of a POP is proven to keep a copy."""
        return ""
