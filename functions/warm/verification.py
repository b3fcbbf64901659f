"""Which targets are verified by another fetch, and what their proofs and failures mean for others. Pure.

With `verify: sample` a diagonal of the tile is verified. Another target is accepted without its own proof only when a
proof of its URL (variant) and a proof of its POP have both succeeded in this tile; until then it is held. A failure
never decides another target's result: it only decides which targets are verified next, each by its own fetches.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from warm.copy_lifetime import Keeping
from warm.servers import Servers
from warm.target import Target
from warm.tile import Tile

# A target that waits for proofs: its fetch, and its complete response.
Held = tuple[Fetch, Response]
# A URL and a variant, by their indices in the tile.
Key = tuple[int, int]
# A held target needs about 2.5 KB (its fetch and its response), so these need 13 MB of a worker's memory.
MAX_HELD = 5_000
# After this many failures without a single proof, the distribution is assumed to keep nothing.
FAILURES_OF_ALL = 3


class Step(Enum):
    """What follows a target's complete response: it is accepted, held, or fetched again.

    `VERIFY`: until it is proven; `FILL`: through the other addresses of its POP, whose servers do not share a cache.
    """

    BELIEVE = auto()
    HOLD = auto()
    VERIFY = auto()
    FILL = auto()


@dataclass
class Verification:
    """The proofs of one tile, and the targets that wait for them; `carriers`: of a regional tile, as its servers."""

    tile: Tile
    carriers: Servers | None = None
    servers: Servers = field(init=False)
    keeping: Keeping = field(init=False)
    proven_urls: set[Key] = field(default_factory=set)
    proven_pops: set[int] = field(default_factory=set)
    _failed_pops: dict[Key, set[int]] = field(default_factory=dict)
    _failed_urls: dict[int, set[Key]] = field(default_factory=dict)
    _failures: int = 0
    # URLs and POPs without a proof that failed where the other side is proven: all their targets are verified.
    _doubted_urls: set[Key] = field(default_factory=set)
    _doubted_pops: set[int] = field(default_factory=set)
    # Their samples ended without a result: their next target is verified instead.
    _wanted_urls: set[Key] = field(default_factory=set)
    _wanted_pops: set[int] = field(default_factory=set)
    _held: dict[int, Held] = field(default_factory=dict)
    _held_of_url: dict[Key, set[int]] = field(default_factory=dict)
    _held_of_pop: dict[int, set[int]] = field(default_factory=dict)
    # POPs whose held targets have been fetched through their other addresses, and those whose held targets were
    # released once it was known that their addresses share a cache.
    _filled_pops: set[int] = field(default_factory=set)
    _shared_pops: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Count the addresses of the tile's POPs, and start with what earlier workers have found."""
        known = {pop for pop, name in enumerate(self.tile.pops) if name in self.tile.separate_pops}
        counts = [len(queue.addresses) if queue else 0 for queue in self.tile.queues]
        self.servers = self.carriers or Servers(counts, known)
        self.keeping = Keeping(self.tile)

    def new_separate_pops(self) -> frozenset[str]:
        """Return the POPs of which this worker found that their addresses have separate caches."""
        return frozenset(self.tile.pops[pop] for pop in self.servers.separate) - self.tile.separate_pops

    def step(self, fetch: Fetch, response: Response) -> Step:
        """Return what follows a complete response that proves nothing; holds the target, or has it verified."""
        target: Target = fetch.owner
        if self.tile.verify == "none":
            return Step.BELIEVE
        if not target.verify and not self._must_verify(target, response):
            if self.servers.lacks_copies(target):
                return Step.FILL
            if self.believes(target):
                return Step.BELIEVE
            if len(self._held) < MAX_HELD:
                self._hold(fetch, response)
                return Step.HOLD
        target.verify = True
        return Step.VERIFY

    def believes(self, target: Target) -> bool:
        """Return whether a proof of a target's URL and a proof of its POP have succeeded.

        If a POP's servers have separate caches, a target is accepted only if each of them was asked for it. While
        that is not known, targets that this run has fetched are not accepted.
        """
        proven = (target.url, target.variant) in self.proven_urls and target.pop in self.proven_pops
        return proven and not self.servers.lacks_copies(target) and not self.servers.may_be_missing(target)

    def doubts(self, target: Target) -> bool:
        """Return whether failures of other targets suggest that nothing is kept for this one.

        They count only if a sample stands for the others.
        """
        if self.tile.verify != "sample":
            return False
        key = (target.url, target.variant)
        return key in self._doubted_urls or target.pop in self._doubted_pops or self._nothing_is_kept()

    def complete(self, target: Target, *, proven: bool | None) -> tuple[list[Held], list[Fetch]]:
        """Record the result of a target's verification; None: it ended in another way, and shows nothing.

        Returns the held targets that are accepted now, and the fetches of held ones that have to be made now: to
        verify them, or to fill the other servers of their POP.
        """
        believed, fetches = self._complete(target, proven=proven)
        return believed + self._of_shared(target.pop), fetches + self._to_fill(target.pop)

    def _complete(self, target: Target, *, proven: bool | None) -> tuple[list[Held], list[Fetch]]:
        key, pop = (target.url, target.variant), target.pop
        if proven:
            return self._proven(key, pop)
        if proven is False:
            self._failures += 1
            self._failed_pops.setdefault(key, set()).add(pop)
            self._failed_urls.setdefault(pop, set()).add(key)
            if pop in self.proven_pops:
                return [], self._doubt([] if key in self.proven_urls else [key], [])
            if key in self.proven_urls:
                return [], self._doubt([], [pop])
            if self._nothing_is_kept():
                return [], self._verify(list(self._held))
        self._wanted_urls.add(key)
        self._wanted_pops.add(pop)
        return [], []

    def next_samples(self) -> list[Fetch]:
        """Return the fetches of held targets to verify once nothing else is left to fetch.

        There is one for each URL and each POP without a proof, whose proofs decide for the others, and one for each
        POP for which it is not known whether its addresses share a cache.
        """
        chosen: set[int] = set()
        for key, numbers in self._held_of_url.items():
            if key not in self.proven_urls:
                chosen.add(min(numbers, key=lambda number: (self._pop_of(number) not in self.proven_pops, number)))
        for pop, numbers in self._held_of_pop.items():
            fetched = {number for number in numbers if self.servers.may_be_missing(self._held[number][0].owner)}
            candidates = fetched or (numbers if pop not in self.proven_pops else set())
            if candidates and chosen.isdisjoint(candidates):
                chosen.add(min(candidates))
        return self._verify(sorted(chosen))

    def release_all(self) -> list[Held]:
        """Return all held targets, and stop holding them."""
        return self._take(list(self._held))

    def _must_verify(self, target: Target, response: Response) -> bool:
        key = (target.url, target.variant)
        wanted = False
        if key in self._wanted_urls:
            self._wanted_urls.discard(key)
            wanted = key not in self.proven_urls
        if target.pop in self._wanted_pops:
            self._wanted_pops.discard(target.pop)
            wanted = wanted or target.pop not in self.proven_pops
        uncacheable = target.url in self.tile.uncacheable
        return wanted or self.doubts(target) or uncacheable or self.keeping.is_doubtful(target.url, response)

    def _nothing_is_kept(self) -> bool:
        return self._failures >= FAILURES_OF_ALL and not self.proven_pops

    def _proven(self, key: Key, pop: int) -> tuple[list[Held], list[Fetch]]:
        """Record a proof. If the other side is proven now, an earlier failure counts against its own URL or POP."""
        if key in self.proven_urls and pop in self.proven_pops:
            return [], []
        # Only what is proven for the first time can release targets: a POP may hold thousands.
        waiting: set[int] = set()
        if key not in self.proven_urls:
            self.proven_urls.add(key)
            self._doubted_urls.discard(key)
            waiting |= self._held_of_url.get(key, set())
        if pop not in self.proven_pops:
            self.proven_pops.add(pop)
            self._doubted_pops.discard(pop)
            waiting |= self._held_of_pop.get(pop, set())
        released = self._take(sorted(number for number in waiting if self.believes(self._held[number][0].owner)))
        urls = self._failed_urls.get(pop, set()) - self.proven_urls
        return released, self._doubt(urls, self._failed_pops.get(key, set()) - self.proven_pops)

    def _doubt(self, urls: Iterable[Key], pops: Iterable[int]) -> list[Fetch]:
        """Verify all targets of these URLs and POPs; returns the fetches of their held ones."""
        numbers: set[int] = set()
        for key in urls:
            self._doubted_urls.add(key)
            numbers |= self._held_of_url.get(key, set())
        for pop in pops:
            self._doubted_pops.add(pop)
            numbers |= self._held_of_pop.get(pop, set())
        return self._verify(sorted(numbers))

    def _pop_of(self, number: int) -> int:
        return number % len(self.tile.pops)

    def _hold(self, fetch: Fetch, response: Response) -> None:
        target: Target = fetch.owner
        target.held_at = time.time()
        self._held[target.number] = (fetch, response)
        self._held_of_url.setdefault((target.url, target.variant), set()).add(target.number)
        self._held_of_pop.setdefault(target.pop, set()).add(target.number)

    def _take(self, numbers: Iterable[int]) -> list[Held]:
        """Return held targets by their numbers, and stop holding them."""
        taken = []
        for number in numbers:
            fetch, response = self._held.pop(number)
            target: Target = fetch.owner
            self._held_of_url[target.url, target.variant].discard(number)
            self._held_of_pop[target.pop].discard(number)
            if not self._held_of_url[target.url, target.variant]:
                del self._held_of_url[target.url, target.variant]
            if not self._held_of_pop[target.pop]:
                del self._held_of_pop[target.pop]
            taken.append((fetch, response))
        return taken

    def _of_shared(self, pop: int) -> list[Held]:
        """Return a POP's held targets that are accepted, once its servers are known to share a cache."""
        if pop not in self.servers.shared or pop in self._shared_pops:
            return []
        self._shared_pops.add(pop)
        numbers = sorted(self._held_of_pop.get(pop, ()))
        return self._take([number for number in numbers if self.believes(self._held[number][0].owner)])

    def _to_fill(self, pop: int) -> list[Fetch]:
        """Return the fetches of a POP's held targets, once its servers are known to have separate caches."""
        if pop not in self.servers.separate or pop in self._filled_pops:
            return []
        self._filled_pops.add(pop)
        fetches = []
        for fetch, response in self._take(sorted(self._held_of_pop.get(pop, ()))):
            fetch.owner.first, fetch.owner.repeats = response, fetch.owner.repeats + 1
            self.servers.advance(fetch, again=False)
            fetches.append(fetch)
        return fetches

    def _verify(self, numbers: Iterable[int]) -> list[Fetch]:
        """Return the fetches of held targets, prepared for their verification."""
        fetches = []
        for fetch, response in self._take(numbers):
            target: Target = fetch.owner
            target.verify, target.first, target.misses = True, response, target.misses + 1
            self.servers.advance(fetch, again=False, stay=self.doubts(target))
            fetches.append(fetch)
        return fetches
