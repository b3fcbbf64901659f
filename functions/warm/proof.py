"""What a complete response proves about one target, and how the target ends without a proof. Pure.

docs/proof.md explains what a proof shows and what it cannot.
"""

from prewarm.fetcher.response import Response
from prewarm.results.consistency import is_other_content
from prewarm.results.outcome import Outcome
from warm.target import Target

# The layer of the POP itself (Developer Guide, "Server-Timing header", cdn-hit-layer).
EDGE = "EDGE"
_NOT_BEHIND_THE_POP = frozenset({"", EDGE})


def is_hit_in_pop(response: Response) -> bool:
    """Return whether a response shows a copy that is served without asking the origin, perhaps the POP's own.

    A hit in the regional edge cache does not prove that the POP has a copy. A RefreshHit was revalidated with the
    origin, or is an expired copy served while the origin fails, so it proves nothing.
    """
    return response.x_cache.startswith("Hit ") and response.layer in _NOT_BEHIND_THE_POP


def is_miss_in_pop(response: Response) -> bool:
    """Return whether a response shows that the POP had no copy: a Miss, or a hit of a named layer behind the POP."""
    return response.x_cache.startswith(("Miss ", "Hit ")) and not is_hit_in_pop(response)


def is_older_than(response: Response, seconds: float) -> bool:
    """Return whether a hit's copy was already in the POP that many seconds ago, as far as the response shows.

    A hit without a named layer may come from the regional edge cache, which this run has filled through another POP:
    its Age, in whole seconds, is then smaller than the run's.
    """
    age = response.age_seconds
    return names_the_pop(response) or age is None or age + 1 > seconds


def names_the_pop(response: Response) -> bool:
    """Return whether Server-Timing names the POP itself as the layer of a hit."""
    return response.x_cache.startswith("Hit ") and response.layer == EDGE


def proves(target: Target, response: Response, *, first_of_several: bool = False) -> bool:
    """Return whether a response that cannot be a shared one proves that the POP keeps a copy of the target.

    A hit without a named layer may come from the regional edge cache while the POP had no copy. That fetch filled the
    POP, so the hit after it is the proof. A hit with a different ETag from the copy just fetched comes from another
    server. `first_of_several`: it is the first response of one of several servers that have separate caches.
    """
    if not is_hit_in_pop(response) or (target.first is not None and is_other_content(target.first, response)):
        return False
    if names_the_pop(response):
        return True
    return (target.first is not None or target.fetched) and not first_of_several


def is_refreshed(response: Response) -> bool:
    """Return whether the edge asked the origin about an expired copy, and served that copy."""
    return response.x_cache.startswith("RefreshHit ")


def warm_outcome(target: Target, response: Response) -> Outcome:
    """Return the outcome of a target that is warm: by its first complete response, which may be this one."""
    found = is_hit_in_pop(target.first or response) and not target.fetched
    return Outcome.ALREADY_WARM if found else Outcome.WARMED


def spared_ms(target: Target, proof: Response) -> float | None:
    """Return the time to first byte of the target's first Miss minus that of its proof; None if there was a Hit.

    Both times run from the sent request to the first byte, without the connection (transfer.read_response). The proof
    may have come from another address of the POP, never from another POP.
    """
    miss = target.miss
    if miss is None or miss.cf_pop != proof.cf_pop:
        return None
    return miss.ttfb_ms - proof.ttfb_ms


def unproven(target: Target, response: Response, reason: str, *, doubtful: bool) -> tuple[Outcome, str]:
    """Return outcome and detail of a target whose last response did not prove anything either.

    `reason`: why the distribution's settings keep it from being cached, or an empty text; `doubtful`: the edge may
    not keep the response.
    """
    header = f"Cache-Control: {response.cache_control}" if response.cache_control else ""
    parts = [f"{target.misses} fetches without a Hit of this POP", reason, header]
    if reason:
        return Outcome.NOT_CACHEABLE, "; ".join(filter(None, parts))
    if is_refreshed(response) and not doubtful:
        age = f", Age: {response.age}" if response.age else ""
        return Outcome.STALE, "; ".join(filter(None, [f"{target.misses} times X-Cache: RefreshHit{age}", header]))
    if target.first is not None and is_other_content(target.first, response):
        parts[0] = f"{target.misses} fetches with changing contents (ETag {target.first.etag}, then {response.etag})"
    return Outcome.UNPROVEN, "; ".join(filter(None, parts))
