"""Whether a document is new enough to decide what a run warms, and which documents to invalidate before. Pure.

After a deployment a cached sitemap still lists the old site. A run that invalidates therefore reads a document only
if it came from the origin after the run began, or if the run invalidated it before.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from prewarm.fetcher.response import Response
from prewarm.planning.source_documents import CACHE, INVALIDATED, ORIGIN, ReadDocument
from prewarm.request.invalidation_patterns import covers
from prewarm.urls import Url
from resolve.distributions.model import Distribution
from resolve.invalidation import path_problem
from resolve.invalidation_paths import cached_paths, invalidation_path
from resolve.invalidation_rounds import Owner

# X-Cache of responses that CloudFront did not take from its cache (Developer Guide, "x-edge-result-type"). RefreshHit
# is not one: it may be an expired copy that is served while the origin fails.
NOT_CACHED = ("miss ", "redirect ", "functiongeneratedresponse ", "lambdageneratedresponse ")


class Freshness:
    """Decides about the documents of one reading of a run's sources.

    Args:
        started_at: when the run began, in epoch seconds; what is younger is new.
        invalidates: whether documents of a cache are left unread and noted in `stale`, to be invalidated first.
        invalidated: the paths and patterns that the run has invalidated so far, by distribution and tenant.
        patterns: the request's path patterns, for documents whose own path CloudFront does not invalidate.
        reason: why a document of a cache is read all the same, if `invalidates` is not set but the request is.
        clock: returns the current time in epoch seconds.

    """

    def __init__(
        self,
        started_at: float,
        *,
        invalidates: bool = False,
        invalidated: Mapping[Owner, Collection[str]] | None = None,
        patterns: Sequence[str] = (),
        reason: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.started_at = started_at
        self.stale: dict[Owner, dict[str, None]] = {}
        self._invalidates, self._reason, self._clock = invalidates, reason, clock
        self._patterns = patterns
        self._invalidated = {owner: frozenset(paths) for owner, paths in (invalidated or {}).items()}
        self._removed = {
            owner: [path for path in paths if path.endswith("*")] for owner, paths in self._invalidated.items()
        }

    def judge(self, url: Url, distribution: Distribution, response: Response) -> tuple[ReadDocument, bool]:
        """Return where a document came from, and whether it is to be invalidated before it is used."""
        age = response.age_seconds
        elapsed = self._clock() - self.started_at

        def read(origin: str, reason: str = "") -> ReadDocument:
            return ReadDocument(url.given, response.x_cache, age, origin, reason)

        if is_from_origin(response.x_cache, age, elapsed):
            return read(ORIGIN), False
        owner = Owner(distribution.id, distribution.tenant, distribution.account)
        path = invalidation_path(url)
        if self._was_invalidated(owner, path):
            if age is not None and age > elapsed:
                reason = "it was invalidated, but its Age is from before the run, so a cache behind CloudFront has it"
                return read(CACHE, reason), False
            return read(INVALIDATED), False
        if not self._invalidates:
            return read(CACHE, self._reason), False
        listed, reason = self._paths_to_invalidate(distribution, url)
        if reason:
            return read(CACHE, reason), False
        self.stale.setdefault(owner, {}).update(dict.fromkeys(listed))
        return read(CACHE), True

    def _was_invalidated(self, owner: Owner, path: str) -> bool:
        return path in self._invalidated.get(owner, ()) or any(
            covers(pattern, path) for pattern in self._removed.get(owner, ())
        )

    def _paths_to_invalidate(self, distribution: Distribution, url: Url) -> tuple[tuple[str, ...], str]:
        """Return the paths or the pattern that removes a document from the caches, or why none does."""
        path = invalidation_path(url)
        if not distribution.id:
            return (), f"{distribution.domain} is not a distribution of this account, so it cannot be invalidated"
        problem = path_problem(path)
        if not problem:
            # The settings are not read yet, so the cache key may be without the query strings.
            return cached_paths(url), ""
        covering = tuple(each for each in self._patterns if covers(each, path))[:1]
        return covering, "" if covering else f"it was not invalidated, because its path {problem}"


def is_from_origin(x_cache: str, age: int | None, elapsed: float) -> bool:
    """Return whether a response left the origin after the run began, `elapsed` seconds ago.

    An Age is a whole number of seconds, rounded down, and includes that of caches behind CloudFront.
    """
    if age:
        return age + 1 <= elapsed
    # CloudFront adds an Age to what it serves from its cache; without one, only what did not come from it counts.
    return x_cache.lower().startswith(NOT_CACHED) or (age == 0 and elapsed >= 1)
