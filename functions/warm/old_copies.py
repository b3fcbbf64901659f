"""Copies from before a run that has invalidated its URLs. Pure.

An invalidation misses a copy if it is kept under another path: a function changed the URI, or the cache key has other
query strings. The copy's Age then shows that it is older than the run, and so than the invalidation.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from warm.target import Target

# An old copy is asked for again once, at the same address and after so many seconds.
FETCHES_IF_OLD, PAUSE_IF_OLD = 2, 1.1


@dataclass
class OldCopies:
    """Recognises the old copies of one tile.

    `run_seconds` returns the seconds since the run began. What viewers fetched since then is new: an edge removes a
    copy before CloudFront reports the invalidation as completed. `kept`: URLs that the run has not invalidated.
    """

    run_seconds: Callable[[], float]
    kept: Collection[int]
    _aged: set[int] = field(default_factory=set)

    def is_old(self, target: Target, response: Response) -> bool:
        """Return whether a response is a hit of a copy from before the run.

        A Miss with an Age comes from a cache behind CloudFront, whose Age every copy of that URL includes.
        """
        age = response.age_seconds
        if not age or target.url in self.kept:
            return False
        if response.x_cache.startswith("Miss "):
            self._aged.add(target.url)
        # Age is in whole seconds, and the clocks of the two functions differ a little.
        is_older = age > self.run_seconds() + 1
        return is_older and response.x_cache.startswith("Hit ") and target.url not in self._aged
