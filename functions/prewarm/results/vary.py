"""Responses whose Vary names a header that is neither in the cache key nor in the run's request. Pure.

CloudFront keeps copies apart by its cache key alone, so the copy that was fetched without the header is given to the
viewers that send it too (Developer Guide, "Cache content based on request headers").
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

from prewarm.urls import redacted

# A header's name (RFC 9110, section 5.1), of a length that a message can show.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,64}")
# CloudFront normalises Accept-Encoding; Host is that of the URL; the service always sends a User-Agent; the others
# belong to preflight requests. `*` names no header.
ALWAYS_HARMLESS = frozenset({
    "accept-encoding", "host", "user-agent", "access-control-request-headers", "access-control-request-method", "*",
})  # fmt: skip
# In the set of a URL whose cache key is not known: its responses are not checked.
UNKNOWN_KEY = "*"
# Distinct names that one worker counts.
NAMES_AT_MOST = 20
# By name: how many targets, and the index of the first of their URLs.
Varied = dict[str, tuple[int, int]]


@functools.lru_cache(maxsize=1024)
def unkeyed_names(vary: str, harmless: frozenset[str]) -> tuple[str, ...]:
    """Return the headers of a Vary, in lower case, that are not among those it may name without harm."""
    if UNKNOWN_KEY in harmless:
        return ()
    names = dict.fromkeys(name.strip() for name in vary.lower().split(","))
    return tuple(name for name in names if NAME.fullmatch(name) and name not in harmless | ALWAYS_HARMLESS)


def count(varied: Varied, names: Iterable[str], url: int) -> None:
    """Count one target of the URL with this index for each of the names."""
    for name in names:
        if name in varied or len(varied) < NAMES_AT_MOST:
            targets, first = varied.get(name, (0, url))
            varied[name] = (targets + 1, min(first, url))


def add(varied: Varied, other: Mapping[str, tuple[int, int]]) -> None:
    """Add another worker's counts."""
    for name, (targets, first) in other.items():
        known, known_first = varied.get(name, (0, first))
        varied[name] = (known + targets, min(known_first, first))


def vary_warnings(varied: Mapping[str, tuple[int, int]], urls: Sequence[str]) -> list[str]:
    """Return a warning for each header, the most frequent first; `urls`: all of the run's, as in the request."""
    return [
        f"{targets:,} {'responses name' if targets > 1 else 'response names'} {name} in Vary, such as the one for "
        f"{redacted(urls[first])}, but it is not in the cache key and the run does not send it, so all viewers "
        "get the copy without it; add it to the cache key, or to headers"
        for name, (targets, first) in sorted(varied.items(), key=lambda item: (-item[1][0], item[0]))
    ]
