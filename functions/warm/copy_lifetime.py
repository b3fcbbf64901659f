"""For how long the edge serves a copy without asking the origin again, and when the copies of a batch expire. Pure.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)": the origin's lifetime
counts between minimum and maximum TTL, the default TTL without one, the minimum TTL where the origin forbids a copy.
"""

import functools
import math
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.results.short_lived import SHORT_SECONDS, ShortLived
from warm.error_lifetime import FORBIDDING, directive_seconds, origins_lifetime
from warm.target import Target
from warm.tile import Tile

# A copy that answered was there for a moment, whatever the headers say.
LEAST_SECONDS = 1.0
# The default TTL where the settings are not known: CloudFront's own, a day.
USUAL_TTLS = (0, 86_400)


def seconds_cached(
    cache_control: str, expires: str, date: str, ttls: tuple[int, int] = USUAL_TTLS, longest: float = math.inf
) -> float:
    """Return for how many seconds no viewer of a new copy waits for the origin.

    `ttls`: minimum and default TTL; `longest`: the maximum TTL, which limits stale-while-revalidate too (section
    "Serve stale (expired) content").
    """
    directives, lifetime = origins_lifetime(cache_control, expires, date)
    least, default = ttls
    if FORBIDDING & directives.keys():
        lifetime = least
    elif lifetime is None:
        lifetime = max(least, default)
    fresh = min(max(lifetime, least), max(longest, least))
    stale = directive_seconds(directives.get("stale-while-revalidate"))
    if stale is not None and not FORBIDDING & directives.keys():
        fresh += min(stale, longest)
    return max(LEAST_SECONDS, fresh)


_seconds_cached = functools.lru_cache(maxsize=1024)(seconds_cached)


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
        ttls, longest = tile.ttls.get(target.url, USUAL_TTLS), tile.longest_ttls.get(target.url, math.inf)
        date = response.date if response.expires else ""
        # Without a date, Expires counts from now, so that what it gives must not be kept.
        lifetime_of = seconds_cached if response.expires and not date else _seconds_cached
        lifetime = lifetime_of(response.cache_control, response.expires, date, ttls, longest)
        if lifetime >= SHORT_SECONDS:
            return
        came = now if verified else target.held_at or now
        expiry = math.floor(came + max(0.0, lifetime - (response.age_seconds or 0)))
        copy = ShortLived(1, math.ceil(lifetime), expiry, expiry, target.pop)
        index = tile.cells.rows[target.url]
        known = self.urls.get(index)
        self.urls[index] = known.with_copy(copy) if known else copy
