"""Custom error pages that are sent with a status of success: when the edge keeps them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome
from warm.target import Target

# If the edge keeps a page for less time, it asks the origin again before many viewers have seen the page.
MIN_KEPT_SECONDS = 300
# Age counts whole seconds, so it shows a kept page only after one second.
PAUSE_SECONDS = 1.2
FETCHES = 3


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """What follows an error page: a fetch after `pause` seconds, or, if that is None, the target's outcome."""

    outcome: Outcome
    detail: str
    pause: float | None = None
    proven: bool = False


def judge_error_page(target: Target, response: Response, kept: Mapping[int, int]) -> JudgedPage:
    """Return what follows an error page; counts it as one of the target's complete responses.

    It is warm only if a later fetch shows a greater Age than the first one, and the distribution keeps such pages for
    MIN_KEPT_SECONDS or more: an Age that does not grow comes from the origin. `kept`: the distribution's shortest
    ErrorCachingMinTTL by status, in seconds.
    """
    seconds = kept.get(response.status, 0)
    if seconds < MIN_KEPT_SECONDS:
        known = f"keeps for {seconds} s" if response.status in kept else "is not known to keep"
        return JudgedPage(Outcome.ERROR_PAGE, f"status {response.status} is an error page that the edge {known}")
    if target.first is not None and (response.age_seconds or 0) > (target.first.age_seconds or 0):
        return JudgedPage(Outcome.WARMED, f"an error page, kept for {seconds} s or more", proven=True)
    target.first = target.first or response
    target.misses += 1
    if target.misses >= FETCHES:
        detail = f"an error page; {target.misses} fetches show no growing Age, so the edge does not keep it"
        return JudgedPage(Outcome.ERROR_PAGE, detail)
    return JudgedPage(Outcome.ERROR_PAGE, "", pause=PAUSE_SECONDS)
