"""How long a response stays fresh, and how long it may be served stale. Pure.

Sources: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)" with its sections
"Specify the amount of time that CloudFront caches objects" and "Serve stale (expired) content"; and "How CloudFront
caches HTTP 4xx and 5xx status codes from your origin".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ERRORS_ALWAYS_CACHED = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
CACHED = frozenset({200, 203, 300, 301, 302, 304, 307, 308, 410})
NEVER_STORED = frozenset({"no-store", "private"})


@dataclass(frozen=True)
class Ttl:
    """A cache policy's TTLs, and the error caching minimum TTLs of a distribution, in seconds.

    `error` applies to statuses that are not in `errors` (those of CustomErrorResponses).
    """

    default: float = 86400
    minimum: float = 0
    maximum: float = math.inf
    error: float = 10
    errors: Mapping[int, float] | None = None

    def of_error(self, status: int) -> float:
        """Return the error caching minimum TTL of a status."""
        return (self.errors or {}).get(status, self.error)


@lru_cache(maxsize=1024)
def parse_cache_control(value: str) -> Mapping[str, str]:
    """Return the directives of a Cache-Control header, in lower case."""
    directives = {}
    for part in value.lower().split(","):
        name, _, argument = part.strip().partition("=")
        directives[name] = argument.strip('" ')
    return directives


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdecimal() else None


def _until(expires: str, date: str) -> float | None:
    """Return the seconds from Date to Expires; a date that cannot be read has passed already (RFC 9111, 5.3)."""
    if not expires:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(expires) - parsedate_to_datetime(date)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def time_to_live(status: int, headers: Mapping[str, str], ttl: Ttl) -> float | None:
    """Return for how many seconds a response stays fresh; None: it is not stored.

    0 means that it is stored, but revalidated on each request. `headers` by lower-case name.
    """
    directives = parse_cache_control(headers.get("cache-control", ""))
    wanted = _seconds(directives.get("s-maxage"))
    if wanted is None:
        wanted = _seconds(directives.get("max-age"))
    if wanted is None:
        wanted = _until(headers.get("expires", ""), headers.get("date", ""))
    if status in ERRORS_ALWAYS_CACHED or status in (ttl.errors or {}):
        # The error caching minimum TTL applies even if the origin sets a shorter one, or no-store.
        forbidden = bool((NEVER_STORED | {"no-cache"}) & directives.keys())
        return max(ttl.of_error(status), 0.0 if forbidden or wanted is None else wanted)
    if status in ERRORS_CACHED_ON_REQUEST:
        return max(ttl.of_error(status), wanted) if wanted and not NEVER_STORED & directives.keys() else None
    if status not in CACHED or not ttl.maximum:
        return None  # a maximum TTL of 0, as in the managed policy CachingDisabled
    if NEVER_STORED & directives.keys():
        return ttl.minimum or None
    if "no-cache" in directives:
        return ttl.minimum
    return min(max(ttl.default if wanted is None else wanted, ttl.minimum), ttl.maximum)


def stale_seconds(cache_control: str, ttl: Ttl) -> tuple[float, float]:
    """Return for how long an expired copy may be served: while it is revalidated, and while the origin fails.

    Without stale-if-error it is served for as long as the origin answers 5xx or not at all. Both directives are
    limited by the maximum TTL.
    """
    directives = parse_cache_control(cache_control)
    revalidate = _seconds(directives.get("stale-while-revalidate")) or 0.0
    error = _seconds(directives.get("stale-if-error"))
    return min(revalidate, ttl.maximum), math.inf if error is None else min(error, ttl.maximum)
