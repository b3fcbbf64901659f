"""Which targets are verified by another fetch, and what one verification decides for others. Pure.

With `verify: sample` some targets of each URL are verified. The URL's other targets are held until the first of these
verifications has a result: if it finds a copy, they count as warm; if it does not, each of them is verified by
itself. A target is also verified by itself if the origin's headers or the distribution's settings forbid a copy.
"""

from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.classify import seems_uncacheable
from warm.tile import Target, Tile

# A target that waits for the verification of another one: its fetch, and its complete response.
Held = tuple[Fetch, Response]


def is_hit_in_pop(response: Response) -> bool:
    """Return whether a response proves that the POP has a copy which it serves without asking the origin.

    A hit in the regional edge cache does not prove that the POP has a copy. A RefreshHit was revalidated with the
    origin, and where the copy's lifetime is zero each later request will be too.
    """
    return response.x_cache.startswith("Hit ") and response.layer in {"", "EDGE"}


@dataclass
class Verification:
    """The verification of one tile; `cached` has, by URL and variant, whether the first verification found a copy."""

    tile: Tile
    cached: dict[tuple[int, int], bool] = field(default_factory=dict)
    _held: dict[tuple[int, int], list[Held]] = field(default_factory=dict)
    _undecided: set[tuple[int, int]] = field(default_factory=set)

    def is_due(self, target: Target, response: Response) -> bool:
        """Return whether a target has to be fetched again after this Miss; marks it as one to verify."""
        if self.tile.verify == "none":
            return False
        key = (target.url, target.variant)
        if not target.verify and (
            key in self._undecided
            or self.cached.get(key) is False
            or target.url in self.tile.uncacheable
            or seems_uncacheable(response)
        ):
            self._undecided.discard(key)
            target.verify = True
        return target.verify

    def hold(self, fetch: Fetch, response: Response) -> bool:
        """Hold a target until its URL's first verification; returns whether it is held."""
        target: Target = fetch.owner
        key = (target.url, target.variant)
        if self.tile.verify != "sample" or key in self.cached:
            return False
        self._held.setdefault(key, []).append((fetch, response))
        return True

    def found_no_copy(self, target: Target) -> bool:
        """Return whether a sampled target of the same URL and variant was verified, and had no copy."""
        return self.tile.verify == "sample" and self.cached.get((target.url, target.variant)) is False

    def complete(self, target: Target, *, cached: bool | None) -> tuple[list[Held], list[Fetch]]:
        """Record the result of a target's verification; None: it ended otherwise, and decides nothing.

        Returns the held targets that count as warm now, and the fetches that have to be made again to verify others.
        """
        key = (target.url, target.variant)
        if key in self.cached:
            return [], []
        if cached is None:
            if not self._held.get(key):
                self._undecided.add(key)
                return [], []
            return [], [_to_verify(*self._held[key].pop(0))]
        self.cached[key] = cached
        released = self._held.pop(key, [])
        return (released, []) if cached else ([], [_to_verify(*each) for each in released])

    def release_all(self) -> list[Held]:
        """Return all held targets, which are held no longer."""
        released = [each for held in self._held.values() for each in held]
        self._held.clear()
        return released


def _to_verify(fetch: Fetch, response: Response) -> Fetch:
    """Return a held target's fetch, prepared for its verification."""
    target: Target = fetch.owner
    target.verify, target.first, target.misses = True, response, 1
    return fetch
