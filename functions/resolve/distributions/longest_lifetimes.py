"""The maximum TTLs that limit for how long the edge keeps what the origin sends, by URL. Pure."""

from collections.abc import Sequence

from resolve.distributions.cache_behaviours import Behaviour, by_url

# CloudFront's default maximum TTL, a year; no run lasts as long, so it limits nothing here.
DEFAULT_MAX_TTL = 31_536_000


def longest_lifetimes(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, int]:
    """Return the maximum TTL of each URL's cache behavior by position, in seconds, where it is below the default.

    All headers in a legacy key mean that nothing is cached (Developer Guide, "Cache content based on request
    headers").
    """
    texts = []
    for each in in_order:
        longest = DEFAULT_MAX_TTL if each.key is None else 0 if "*" in each.key.headers else each.key.max_ttl
        texts.append(str(longest) if longest < DEFAULT_MAX_TTL else "")
    return {position: int(text) for position, text in by_url(matches, texts).items()}
