"""How long a response stays fresh, and how long it may be served stale. Pure.

Sources: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)" with its sections
"Specify the amount of time that CloudFront caches objects" and "Serve stale (expired) content"; "How CloudFront
processes HTTP 3xx status codes from your origin"; and of errors, "How CloudFront processes HTTP 4xx and 5xx status
codes from your origin" and "Control how long CloudFront caches errors".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# "HTTP 4xx and 5xx status codes that CloudFront caches": always, and only with max-age or s-maxage. 410 is not in
# that list, but among the codes of "Control how long CloudFront caches errors". All others are never cached.
ERRORS_ALWAYS_CACHED = frozenset({404, 410, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
# "Control how long CloudFront caches errors": with no-store, no-cache or private these are not cached. For other
# codes CloudFront ignores such directives, and caches for the error caching minimum TTL.
ERRORS_THAT_MAY_FORBID = frozenset({404, 410, 414, 501})
CACHED = frozenset({200, 203, 300, 301, 302, 304})
# Cached with a Cache-Control header only ("How CloudFront processes HTTP 3xx status codes from your origin").
REDIRECTS_CACHED_ON_REQUEST = frozenset({307, 308})
NEVER_STORED = frozenset({"no-store", "private"})
FORBIDDING = NEVER_STORED | {"no-cache"}
FIRST_ERROR = 400


@dataclass(frozen=True)
class Ttl:
    """A cache policy's TTLs, and the error caching minimum TTLs of a distribution, in seconds.

    `error` applies to statuses that are not in `errors` (those of CustomErrorResponses). Not documented: whether an
    error that is cached on request only is cached with Expires alone (`expires_keeps_4xx`), and with a lifetime of 0
    (`zero_keeps_4xx`).
    """

    default: float = 86400
    minimum: float = 0
    maximum: float = math.inf
    error: float = 10
    errors: Mapping[int, float] | None = None
    expires_keeps_4xx: bool = False
    zero_keeps_4xx: bool = False

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


def _age_directive(directives: Mapping[str, str]) -> float | None:
    """Return the seconds of s-maxage, else of max-age; None without either."""
    wanted = _seconds(directives.get("s-maxage"))
    return _seconds(directives.get("max-age")) if wanted is None else wanted


def time_to_live(status: int, headers: Mapping[str, str], ttl: Ttl) -> float | None:
    """Return for how many seconds a response stays fresh; None: it is not stored.

    0 means that it is stored, but revalidated on each request. `headers` by lower-case name.
    """
    if status >= FIRST_ERROR:
        return error_seconds(status, headers, ttl)
    directives = parse_cache_control(headers.get("cache-control", ""))
    wanted = _age_directive(directives)
    if wanted is None:
        wanted = _until(headers.get("expires", ""), headers.get("date", ""))
    cached = CACHED | REDIRECTS_CACHED_ON_REQUEST if headers.get("cache-control") else CACHED
    if status not in cached or not ttl.maximum:
        return None  # a maximum TTL of 0, as in the managed policy CachingDisabled
    if NEVER_STORED & directives.keys():
        return ttl.minimum or None
    if "no-cache" in directives:
        return ttl.minimum
    return min(max(ttl.default if wanted is None else wanted, ttl.minimum), ttl.maximum)


def error_seconds(status: int, headers: Mapping[str, str], ttl: Ttl, maximum: float | None = None) -> float | None:
    """Return for how many seconds an error of the origin is served again; None: not at all.

    `maximum`: the maximum TTL of the cache behaviour of the error's page, where that is not the object's own.
    """
    directives = parse_cache_control(headers.get("cache-control", ""))
    expires = headers.get("expires", "")
    wanted = _age_directive(directives)
    asked = wanted is not None
    if wanted is None:
        wanted = _until(expires, headers.get("date", ""))
    if status in ERRORS_CACHED_ON_REQUEST:
        if not asked and not (expires and ttl.expires_keeps_4xx):
            return None
        if not wanted and not ttl.zero_keeps_4xx:
            return None
    elif status not in ERRORS_ALWAYS_CACHED:
        return None
    if FORBIDDING & directives.keys():
        return None if status in ERRORS_THAT_MAY_FORBID else ttl.of_error(status)
    # The error caching minimum TTL applies even if the origin sets a shorter one; the maximum TTL limits the header.
    return max(ttl.of_error(status), min(wanted or 0.0, ttl.maximum if maximum is None else maximum))


def stale_seconds(cache_control: str, ttl: Ttl) -> tuple[float, float]:
    """Return for how long an expired copy may be served: while it is revalidated, and while the origin fails.

    Without stale-if-error it is served for as long as the origin answers 5xx or not at all. Both directives are
    limited by the maximum TTL.
    """
    directives = parse_cache_control(cache_control)
    revalidate = _seconds(directives.get("stale-while-revalidate")) or 0.0
    error = _seconds(directives.get("stale-if-error"))
    return min(revalidate, ttl.maximum), math.inf if error is None else min(error, ttl.maximum)
