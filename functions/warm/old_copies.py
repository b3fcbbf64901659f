"""Copies from before a run that has invalidated its URLs. Pure.

An invalidation misses a copy if it is kept under another path: a function changed the URI, or the cache key has other
query strings. The copy's Age then shows that it is older than the run, and so than the invalidation.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from prewarm.fetcher.response import Response
from warm.copy_lifetime import Keeping

# An old copy is fetched again once, at the same address and after this many seconds.
FETCHES_IF_OLD, PAUSE_IF_OLD = 2, 1.1


@dataclass
class OldCopies:
    """Recognises the old copies of one tile.

    `run_seconds` returns the seconds since the run began. What viewers fetched since then is new: an edge removes a
    copy before CloudFront reports the invalidation as completed. `kept`: URLs that the run has not invalidated;
    `keeping`: whether a URL's Age comes from the edge alone, or includes the Age of a cache behind CloudFront.
    """

    run_seconds: Callable[[], float]
    kept: Collection[int]
    keeping: Keeping

    def is_old(self, url: int, response: Response) -> bool:
        """Return whether a response is a hit of a copy from before the run; `url`: its index in the tile."""
        age = response.age_seconds
        if not age or url in self.kept or not response.x_cache.startswith("Hit "):
            return False
        # Age is in whole seconds, and the clocks of the two functions differ a little.
        return age > self.run_seconds() + 1 and not self.keeping.has_own_age(url)
