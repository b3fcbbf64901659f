"""The TTLs that decide, with the origin's headers, for how long the edge keeps a copy, by URL. Pure."""

from collections.abc import Sequence

from resolve.distributions.by_url import by_url
from resolve.distributions.cache_behaviours import Behaviour

# CloudFront's default maximum TTL, a year; no run lasts as long, so it limits nothing here.
DEFAULT_MAX_TTL = 31_536_000
# The default TTL that matters to no run (CloudFront's own is a day); a minimum TTL of 1 s keeps nothing for long.
DAY, SECOND = 86_400, 1


def longest_lifetimes(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, int]:
    """Return the maximum TTL of each URL's cache behavior by position, in seconds, where it is below the default.

    All headers in a legacy key mean that nothing is cached (Developer Guide, "Cache content based on request
    headers").
    """
    longest: list[int | None] = []
    for each in in_order:
        seconds = DEFAULT_MAX_TTL if each.key is None else 0 if "*" in each.key.headers else each.key.max_ttl
        longest.append(seconds if seconds < DEFAULT_MAX_TTL else None)
    return by_url(matches, longest)


def other_ttls(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, list[int]]:
    """Return minimum and default TTL of each URL's cache behavior by position, in seconds, where a run may notice."""
    ttls = []
    for key in (each.key for each in in_order):
        matters = key is not None and (key.min_ttl > SECOND or key.default_ttl < DAY)
        ttls.append([key.min_ttl, key.default_ttl] if key and matters else None)
    return by_url(matches, ttls)
