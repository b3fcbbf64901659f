"""The servers of POPs, as far as their addresses show: which have a target's copy, and which share one. Pure.

Whether the addresses of a POP share one cache is not documented (docs/proof.md). So a copy that one address fetched
is requested at another one. If that one has to fetch it itself and keeps it, or has an older copy, the POP's servers
have separate caches: from then on each target of that POP is fetched through each address, up to MOST_SERVERS. If it
has exactly that copy, they share a cache. Copies that existed before the run show neither.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.consistency import is_other_content
from prewarm.results.proven_servers import pack_servers
from warm.target import Target

# The most addresses of a POP that a target is fetched through.
MOST_SERVERS = 8
# An Age is in whole seconds, and the edge's clock counts from the response of the origin.
AGE_TOLERANCE_SECONDS = 2


def is_copy_of(miss: Response | None, response: Response, seconds: float) -> bool | None:
    """Return whether a Hit at one address is the copy that a Miss at another one fetched `seconds` ago.

    None where that is not known: without a Miss, with other contents, or without an Age. A Miss may itself have the
    Age of a copy behind the POP.
    """
    if miss is None or miss.encoding != response.encoding or is_other_content(miss, response):
        return None
    age = response.age_seconds
    return None if age is None else age <= (miss.age_seconds or 0) + seconds + AGE_TOLERANCE_SECONDS


@dataclass
class Servers:
    """What the responses to one tile show about the servers of its POPs.

    `counts`: the number of addresses by POP; `separate`: the POPs whose addresses have separate caches; `shared`:
    those whose addresses share one; `proven`: by POP, a bitmap of the addresses at which a copy was proven.
    """

    counts: list[int]
    separate: set[int] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    proven: list[int] = field(init=False)
    _other_connection: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Create the bitmaps."""
        self.proven = [0] * len(self.counts)

    def lacks_copies(self, target: Target) -> bool:
        """Return whether the target's POP has servers with separate caches that were not asked for it."""
        if target.pop not in self.separate:
            return False
        return target.filled.bit_count() < min(self.counts[target.pop], MOST_SERVERS)

    def knows_sharing(self, pop: int) -> bool:
        """Return whether it is known if a POP's addresses share a cache; a single address needs no such knowledge."""
        return self.counts[pop] <= 1 or pop in self.shared or pop in self.separate

    def may_be_missing(self, target: Target) -> bool:
        """Return whether this run fetched a target's copy at one address, and others may have separate caches."""
        return (target.miss is not None or target.fetched) and not self.knows_sharing(target.pop)

    def fill(self, target: Target, server: int, *, hit: bool) -> bool:
        """Record a complete response from an address; returns whether that address had answered before.

        `hit`: the response was served from a cache of the POP, as far as it says.
        """
        bit = 1 << server
        again = bool(target.filled & bit)
        if target.filled and not again and not hit:
            target.own |= bit
        target.filled |= bit
        return again

    def prove(self, target: Target, server: int, response: Response, run_seconds: Callable[[], float]) -> bool:
        """Record a proof at an address that has answered; returns whether the target needs no other one.

        A target that is verified needs a proof at another address than the one that fetched it, if the POP has
        several, and one at each address where these have separate caches. As long as that is not known, each
        address has to have a copy. `run_seconds` returns the seconds since the run began.
        """
        bit, count = 1 << server, self.counts[target.pop]
        others = target.filled & ~bit
        if target.own & bit:
            # This address had to fetch the copy although another one had it, and kept it.
            self.separate.add(target.pop)
        elif others and target.pop not in self.separate:
            self._compare(target, response, run_seconds)
        target.proven |= bit
        self.proven[target.pop] |= bit
        if target.pop in self.separate:
            complete = not self.lacks_copies(target)
            return complete and (target.proven == target.filled or not target.verify)
        if not target.verify:
            return True
        if not self.knows_sharing(target.pop):
            return target.filled.bit_count() >= min(count, MOST_SERVERS) and not target.own & ~target.proven
        return (bool(others) or count == 1) and not target.own & ~target.proven

    def _compare(self, target: Target, response: Response, run_seconds: Callable[[], float]) -> None:
        """Learn from a proof at another address than the first one whether the POP's addresses share a cache."""
        target.elsewhere = True
        if target.pop in self.shared:
            return
        same = is_copy_of(target.miss, response, run_seconds() - target.missed_at)
        if same:
            self.shared.add(target.pop)
        elif same is False:
            self.separate.add(target.pop)
            target.elsewhere = False

    def start_again(self, target: Target, server: int) -> None:
        """Forget what the addresses have shown: an address has answered with a different copy from before."""
        target.filled, target.own, target.proven, target.elsewhere = 1 << server, 0, 0, False

    def advance(self, fetch: Fetch, *, again: bool, stay: bool = False) -> None:
        """Choose the address and the connection of a target's next fetch.

        `again`: its last fetch was not the first one at that address; `stay`: ask the same address once more.
        """
        target: Target = fetch.owner
        count = self.counts[target.pop]
        if count == 1:
            # A separate connection may reach another server behind the address; one for each POP is enough.
            fetch.fresh = target.pop not in self._other_connection
            self._other_connection.add(target.pop)
            return
        fetch.fresh = False
        server = fetch.address % count
        if not again and (stay or (target.verify and self._is_to_be_proven(target, server))):
            return
        wanted = self._wanted(target, count)
        left = [number % count for number in range(server + 1, server + count) if wanted >> number % count & 1]
        fetch.address = left[0] if left else (server + 1) % count

    def _wanted(self, target: Target, count: int) -> int:
        """Return a bitmap of the addresses that a target still has to be fetched through."""
        new = ((1 << count) - 1) & ~target.filled
        if not target.verify:
            return new
        separate = target.pop in self.separate
        unproven = (target.filled if separate else target.own) & ~target.proven
        return unproven or (new if not separate or self.lacks_copies(target) else 0)

    def packed(self) -> str:
        """Return what was proven, as the ledger stores it."""
        return pack_servers(self.counts, self.proven, self.separate)

    def _is_to_be_proven(self, target: Target, server: int) -> bool:
        """Return whether an address fetched its own copy, for which there is no proof."""
        own = target.pop in self.separate or target.own >> server & 1
        return bool(own) and not target.proven >> server & 1
