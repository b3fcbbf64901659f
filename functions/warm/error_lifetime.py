"""How long the edge caches an error, by the origin's headers and the distribution's settings. Pure.

Sources: CloudFront Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin",
section "HTTP 4xx and 5xx status codes that CloudFront caches"; "Control how long CloudFront caches errors". Where
these are unclear the longer time counts, since a fetch within that time reads the same error again.
"""

import math

from prewarm.fetcher.response import Response
from warm.cache_control import cache_control, origins_lifetime

# Cached only if the origin sends a lifetime, a custom error response or not.
KEPT_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
NEVER_KEPT = frozenset({416})
# Not cached with one of these directives. For other codes CloudFront ignores them, and a lifetime next to them.
MAY_FORBID = frozenset({404, 410, 414, 501})


def seconds_kept(response: Response, configured: float, *, longest: float = math.inf, of_page: bool = False) -> float:
    """Return for how many seconds the edge caches an error; 0 if it does not.

    `configured`: the error caching minimum TTL of the status; `longest`: the maximum TTL of the URL's cache behavior,
    which limits what the origin says; `of_page`: a custom error page is sent with the status, whose headers say
    nothing about the error.
    """
    if response.status in NEVER_KEPT:
        return 0.0
    if of_page:
        return configured
    control = cache_control(response.cache_control)
    lifetime = origins_lifetime(control, response.expires, response.date)
    if response.status in KEPT_ON_REQUEST and lifetime is None:
        return 0.0
    if control.forbids:
        return 0.0 if response.status in MAY_FORBID else configured
    return max(configured, min(lifetime or 0.0, longest))
