"""Which targets are proven by a second fetch, and what one proof says of the others. Pure.

With `verify: sample` some targets of each URL are proven, and the URL's others are believed when the first proof is
in: they are held until then. When it fails, or when the origin's headers or the distribution's settings speak against
a copy, each of them is proven by itself.
"""

from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import seems_uncacheable
from warm.tile import Target, Tile


def proves(response: Response) -> bool:
    """Say whether a hit shows that the POP itself holds a copy which viewers get without the origin being asked.

    A copy in the cache behind the POP is none in the POP, and one that was asked about (RefreshHit) will be again
    where it lives for no time at all.
    """
    return response.x_cache.startswith("Hit ") and response.layer in {"", "EDGE"}


@dataclass
class Verification:
    """Decides for each target of a tile; `kept` says of a URL's variant whether the first proof found a copy."""

    tile: Tile
    kept: dict[tuple[int, int], bool] = field(default_factory=dict)
    held: dict[tuple[int, int], list[tuple[Fetch, Response]]] = field(default_factory=dict)
    _wanted: set[tuple[int, int]] = field(default_factory=set)

    def wants_proof(self, target: Target, response: Response) -> bool:
        """Say whether a target that was a Miss is to be fetched again."""
        if self.tile.verify == "none":
            return False
        key = (target.url, target.variant)
        if not target.prove and (
            key in self._wanted
            or self.kept.get(key) is False
            or target.url in self.tile.uncacheable
            or seems_uncacheable(response)
        ):
            self._wanted.discard(key)
            target.prove = True
        return target.prove

    def holds(self, fetch: Fetch, response: Response) -> bool:
        """Hold a target that is not proven itself until the first proof of its URL is in; says whether it is held."""
        target: Target = fetch.owner
        key = (target.url, target.variant)
        if self.tile.verify != "sample" or key in self.kept:
            return False
        self.held.setdefault(key, []).append((fetch, response))
        return True

    def is_hopeless(self, target: Target) -> bool:
        """Say whether a sample has shown that no copy of the target's URL is kept."""
        return self.tile.verify == "sample" and self.kept.get((target.url, target.variant)) is False

    def conclude(self, target: Target, *, kept: bool | None) -> tuple[list[tuple[Fetch, Response]], list[Fetch]]:
        """Take the end of a target that was to be proven; None: it ended otherwise, so that nothing was proven.

        Returns the held targets that are believed now, and those that are to be fetched once more for their proof.
        """
        key = (target.url, target.variant)
        if key in self.kept:
            return [], []
        if kept is None:
            if not self.held.get(key):
                self._wanted.add(key)
                return [], []
            return [], [self._to_prove(*self.held[key].pop(0))]
        self.kept[key] = kept
        freed = self.held.pop(key, [])
        return (freed, []) if kept else ([], [self._to_prove(*each) for each in freed])

    def all_held(self) -> list[tuple[Fetch, Response]]:
        """Let go of all that is held."""
        freed = [each for those in self.held.values() for each in those]
        self.held.clear()
        return freed

    def _to_prove(self, fetch: Fetch, response: Response) -> Fetch:
        target: Target = fetch.owner
        target.prove, target.first, target.misses = True, response, 1
        return fetch
