"""How long the edge serves an error again, by the origin's headers and the distribution's settings. Pure.

Sources: CloudFront Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin",
section "HTTP 4xx and 5xx status codes that CloudFront caches"; "Control how long CloudFront caches errors". Where
these are unclear the longer time counts, since a fetch within that time reads the same error again.
"""

import math
import re
import time

from prewarm.fetcher.response import Response
from prewarm.http_date import epoch_seconds

# Cached only if the origin sends a lifetime, a custom error response or not.
KEPT_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
NEVER_KEPT = frozenset({416})
# Not cached with one of these directives. For other codes CloudFront ignores them, and the lifetime next to them.
MAY_FORBID = frozenset({404, 410, 414, 501})
FORBIDDING = frozenset({"no-store", "no-cache", "private"})
# The longest lifetime that CloudFront supports is 100 years.
MOST_SECONDS = 100 * 366 * 86_400
_DIRECTIVE = re.compile(r"([\w-]+)(?:\s*=\s*(\"[^\"]*\"?|[^\s\",]*))?", re.ASCII)


def seconds_kept(response: Response, configured: float, *, longest: float = math.inf, of_page: bool = False) -> float:
    """Return for how many seconds the edge serves an error again; 0 if it does not keep it.

    `configured`: the error caching minimum TTL of the status; `longest`: the maximum TTL of the URL's cache behavior,
    which limits what the origin says; `of_page`: a custom error page is sent with the status, whose headers say
    nothing about the error.
    """
    if response.status in NEVER_KEPT:
        return 0.0
    if of_page:
        return configured
    directives, lifetime = origins_lifetime(response.cache_control, response.expires, response.date)
    if response.status in KEPT_ON_REQUEST and lifetime is None:
        return 0.0
    if FORBIDDING & directives.keys():
        return 0.0 if response.status in MAY_FORBID else configured
    return max(configured, min(lifetime or 0.0, longest))


def origins_lifetime(cache_control: str, expires: str, date: str) -> tuple[dict[str, str], float | None]:
    """Return the directives of a Cache-Control, and the seconds for which the origin lets a response be kept.

    That is s-maxage, else max-age, else Expires; None without any (Developer Guide, "Manage how long content stays in
    the cache").
    """
    directives = _directives(cache_control)
    lifetime = directive_seconds(directives.get("s-maxage"))
    if lifetime is None:
        lifetime = directive_seconds(directives.get("max-age"))
    if lifetime is None and expires:
        lifetime = _until(expires, date)
    return directives, lifetime


def _directives(cache_control: str) -> dict[str, str]:
    return {name.lower(): value.strip('"') for name, value in _DIRECTIVE.findall(cache_control)}


def directive_seconds(text: str | None) -> float | None:
    """Return the seconds of a directive, None if it has no number; more than MOST_SECONDS count as that."""
    if not text or not text.isascii() or not text.isdecimal():
        return None
    return float(min(int(text), MOST_SECONDS))


def _until(expires: str, date: str) -> float:
    """Return the seconds from Date, or from now without it, to Expires; 0 if that is not a date (RFC 9111, 5.3)."""
    end = epoch_seconds(expires)
    begin = epoch_seconds(date)
    return 0.0 if end is None else min(max(0.0, end - (time.time() if begin is None else begin)), MOST_SECONDS)
