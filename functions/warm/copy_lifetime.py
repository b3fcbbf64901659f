"""For how long the edge serves a copy without asking the origin again, and when the copies of a batch expire. Pure.

`seconds_cached` is the longest time that the rules allow, and `may_not_be_kept` is cautious: behaviour that is not
documented lengthens the lifetime in the first and counts against a copy in the second.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)": the origin's lifetime
counts between minimum and maximum TTL, the default TTL without one, the minimum TTL where the origin forbids a copy.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from prewarm.fetcher.response import Response
from prewarm.results.short_lived import SHORT_SECONDS, ShortLived
from warm.cache_control import cache_control, origins_lifetime, seconds_until
from warm.target import Target
from warm.tile import Tile

T = TypeVar("T")
# A copy that answered was there for a moment, whatever the headers say.
LEAST_SECONDS = 1.0
# The default TTL if the settings are not known: CloudFront's own, a day.
USUAL_TTLS = (0, 86_400)
# A minimum TTL that keeps nothing for long, such as the one of the managed policy CachingOptimized.
BRIEF_MINIMUM = 1
NO_LIFETIME = "headers and TTLs give it no certain lifetime at the edge; verify: sample fetches it again for a proof"


def seconds_cached(
    header: str, expires: str, date: str, ttls: tuple[int, int] = USUAL_TTLS, longest: float = math.inf
) -> float:
    """Return for how many seconds viewers of a new copy need not wait for the origin.

    `header`: Cache-Control; `ttls`: minimum and default TTL; `longest`: the maximum TTL, which limits
    stale-while-revalidate too (section "Serve stale (expired) content").
    """
    control = cache_control(header)
    lifetime = origins_lifetime(control, expires, date)
    least, default = ttls
    if control.forbids:
        lifetime = least
    elif lifetime is None:
        lifetime = max(least, default)
    fresh = min(max(lifetime, least), max(longest, least))
    stale = control.seconds("stale-while-revalidate")
    if stale is not None and not control.forbids:
        fresh += min(stale, longest)
    return max(LEAST_SECONDS, fresh)


def may_not_be_kept(
    header: str, expires: str, date: str, ttls: tuple[int, int] = USUAL_TTLS, longest: float = math.inf
) -> bool:
    """Return whether the edge may not keep a response: it has no lifetime there, or none that is certain.

    Parameters as of `seconds_cached`.
    """
    least, default = ttls
    if longest <= 0 or least > BRIEF_MINIMUM:
        return longest <= 0
    control = cache_control(header)
    if control.forbids or not control.well_formed:
        return True
    name = "s-maxage" if "s-maxage" in control.values else "max-age"
    if name in control.values:
        lives = control.surely_positive(name)
    else:
        lives = seconds_until(expires, date) > 0 if expires else default > 0
    # An expired copy that is served while it is refreshed is kept, too.
    return not lives and not (control.surely_numbers(name) and control.surely_positive("stale-while-revalidate"))


def _of_response(compute: Callable[..., T]) -> Callable[[Tile, int, Response], T]:
    """Return a function of a response's headers and its URL's TTLs as one of the response; its results are cached.

    Without a Date, Expires counts from now, so such a result must not be cached.
    """
    kept = functools.lru_cache(maxsize=1024)(compute)

    def of_response(tile: Tile, url: int, response: Response) -> T:
        date = response.date if response.expires else ""
        ttls, longest = tile.ttls.get(url, USUAL_TTLS), tile.longest_ttls.get(url, math.inf)
        computed = compute if response.expires and not date else kept
        return computed(response.cache_control, response.expires, date, ttls, longest)

    return of_response


_seconds_cached, _may_not_be_kept = _of_response(seconds_cached), _of_response(may_not_be_kept)


@dataclass
class Keeping:
    """Whether the edge keeps the responses of a tile's URLs, by their headers, the TTLs and their Age.

    A response that is not kept may still be called a Hit: simultaneous requests share one response from the origin
    (docs/proof.md).
    """

    tile: Tile
    _own_ages: set[int] = field(default_factory=set)

    def watch(self, url: int, response: Response) -> None:
        """Note that a Miss has an Age: it comes from the origin, and so may the Age of a Hit."""
        if response.age and response.x_cache.startswith("Miss "):
            self._own_ages.add(url)

    def has_own_age(self, url: int) -> bool:
        """Return whether the origin sends an Age with a URL."""
        return url in self._own_ages

    def is_doubtful(self, url: int, response: Response) -> bool:
        """Return whether the edge may not keep a response. This is a hint only: a copy that ages is kept."""
        return _may_not_be_kept(self.tile, url, response)

    def may_be_shared(self, url: int, response: Response) -> bool:
        """Return whether a hit may be a response that is shared and not kept: nothing shows that it is a copy."""
        return self.is_doubtful(url, response) and (url in self._own_ages or not response.age_seconds)

    def why_not(self, url: int, response: Response, *, hit: bool) -> str:
        """Return why a response does not count as kept without another fetch; empty if it does.

        `hit`: it was served from a cache.
        """
        reason = self.tile.uncacheable.get(url, "")
        doubtful = self.is_doubtful(url, response)
        if not (reason or doubtful) or (hit and response.age_seconds and url not in self._own_ages):
            return ""
        headers = {"Cache-Control": response.cache_control, "Expires": response.expires}
        sent = "; ".join(f"{name}: {value}" for name, value in headers.items() if value)
        return "; ".join(filter(None, [reason or NO_LIFETIME, sent if doubtful else ""]))


@dataclass
class Expiries:
    """When the warm copies of a tile's URLs expire, by index in the run; only those that live less than a day."""

    tile: Tile
    urls: dict[int, ShortLived] = field(default_factory=dict)

    def add(self, target: Target, response: Response, now: float, *, verified: bool) -> None:
        """Add a warm copy by the response that showed it.

        A proof has just come, at `now` in epoch seconds; the response of a target that was held came before. Its Age
        says how much of its lifetime had passed by then.
        """
        tile = self.tile
        lifetime = _seconds_cached(tile, target.url, response)
        if lifetime >= SHORT_SECONDS:
            return
        came = now if verified else target.held_at or now
        expiry = math.floor(came + max(0.0, lifetime - (response.age_seconds or 0)))
        copy = ShortLived(1, math.ceil(lifetime), expiry, expiry, target.pop)
        index = tile.cells.rows[target.url]
        known = self.urls.get(index)
        self.urls[index] = known.with_copy(copy) if known else copy
