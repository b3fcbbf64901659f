"""The paths that invalidate a URL's copies, by the query strings of its cache key. Pure.

Source: Developer Guide, "What you need to know when invalidating paths", "Forwarding query strings": the query is
part of the path where CloudFront forwards query strings. Which form it has where the cache key holds some of them, or
the origin gets more than the cache key holds, is not documented, so both forms are invalidated there.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from prewarm.request.invalidation_patterns import covers
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour, first_matches

# Characters that a cached URL may hold as they are and an invalidation path may not (RFC 1738, "unsafe"; Developer
# Guide, "Invalidation paths").
PATH_UNSAFE = re.compile(r"[{}|\\^`\[\]]")


def invalidation_path(url: Url) -> str:
    """Return the path that invalidates a URL by itself: its path, and its query if it has one."""
    path = "/" + url.fetch.split("/", 3)[3]
    return PATH_UNSAFE.sub(lambda unsafe: quote(unsafe[0], safe=""), path)


def cached_paths(url: Url, behaviour: Behaviour | None = None) -> tuple[str, ...]:
    """Return the paths under which the caches may have a URL's copies; `behaviour`: None if it is not known."""
    path = invalidation_path(url)
    bare, question_mark, query = path.partition("?")
    key = behaviour.key if behaviour else None
    if not question_mark or (key is not None and key.queries == "all"):
        return (path,)
    if behaviour is None or key is None:
        return path, bare
    if key.queries == "none":
        forwarded = behaviour.forwarding.queries or behaviour.forwarding.unread
        return (path, bare) if forwarded else (bare,)
    kept = "&".join(part for part in query.split("&") if key.has_query(part.partition("=")[0]))
    return tuple(dict.fromkeys((path, f"{bare}?{kept}" if kept else bare)))


def paths_of_urls(urls: Sequence[Url], in_order: Sequence[Behaviour]) -> list[tuple[str, ...]]:
    """Return each URL's paths; `in_order`: the distribution's behaviours, empty if its settings are not known."""
    if not in_order:
        return [cached_paths(url) for url in urls]
    matches = first_matches(in_order, urls)
    return [cached_paths(url, in_order[number]) for url, number in zip(urls, matches, strict=True)]


def uncovered(urls: Sequence[Url], in_order: Sequence[Behaviour], patterns: Sequence[str]) -> list[int]:
    """Return the positions of the URLs of which some path matches no pattern; without patterns none."""
    if not patterns:
        return []
    return [
        position
        for position, paths in enumerate(paths_of_urls(urls, in_order))
        if not all(any(covers(pattern, path) for pattern in patterns) for path in paths)
    ]
