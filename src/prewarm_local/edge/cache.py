"""The cache of a POP or a regional edge cache: keys, freshness, cacheability. Pure: no sockets.

Sources: CloudFront Developer Guide, "Managing how long content stays in the cache (expiration)", "Serving compressed
files" (Accept-Encoding is normalised) and "How CloudFront caches 4xx and 5xx status codes from your origin".
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from prewarm_local.edge.content import Body, State

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Mapping

Key = tuple[str, str, str]
"""The cache key: distribution domain, path with query string, normalised Accept-Encoding."""

ERRORS_ALWAYS_CACHED = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
CACHED = frozenset({200, 203, 300, 301, 302, 304, 307, 308, 410})
NEVER_STORED = frozenset({"no-store", "private"})


@lru_cache(maxsize=4096)
def normalise_encoding(accept: str) -> str:
    """Reduce an Accept-Encoding header to one of "br,gzip", "br", "gzip" and ""."""
    named = set()
    for part in accept.lower().split(","):
        coding, _, parameters = part.partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        if weight not in ("0", "0.0", "0.00", "0.000"):
            named.add(coding.strip())
    return ",".join(coding for coding in ("br", "gzip") if coding in named)


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


def time_to_live(status: int, cache_control: str, default_ttl: float, error_ttl: float) -> float | None:
    """Return for how many seconds a response stays fresh; None: it is not stored.

    0 means that it is stored, but revalidated on each request. The cache policy's minimum TTL is assumed to be 0.
    """
    directives = parse_cache_control(cache_control)
    if NEVER_STORED & directives.keys():
        return None
    max_age = _seconds(directives.get("s-maxage"))
    if max_age is None:
        max_age = _seconds(directives.get("max-age"))
    if "no-cache" in directives:
        max_age = 0.0
    if status in ERRORS_ALWAYS_CACHED:
        # The error caching minimum TTL applies even if the origin sets a shorter one.
        return max(error_ttl, max_age or 0.0)
    if status in ERRORS_CACHED_ON_REQUEST:
        return max(error_ttl, max_age) if max_age else None
    if status not in CACHED:
        return None
    return default_ttl if max_age is None else max_age


class Source(Enum):
    """The source of a response: the cache, the revalidated cache (304), or upstream."""

    HIT = "hit"
    REFRESH = "refresh"
    MISS = "miss"


class Entry:
    """A cached response. Times are the clock's seconds.

    `expires_at` is None if it must not be stored.
    POPs of an area share the regional cache's Entry: age and freshness count from the origin's response.
    """

    __slots__ = ("body", "etag", "expires_at", "headers", "key", "status", "stored_at")

    def __init__(
        self,
        key: Key,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: Body,
        *,
        etag: str | None,
        stored_at: float,
        ttl: float | None,
    ) -> None:
        """Create an entry; `headers` are those sent to viewers, with names in lower case."""
        self.key = key
        self.status = status
        self.headers = headers
        self.body = body
        self.etag = etag
        self.stored_at = stored_at
        self.expires_at = None if ttl is None else stored_at + ttl


class Cache:
    """The entries of a caching layer, its fetches in progress, and its counters."""

    __slots__ = ("entries", "hits", "misses", "pending", "refreshes", "requests")

    def __init__(self) -> None:
        """Create an empty cache."""
        self.entries: dict[Key, Entry] = {}
        self.pending: dict[Key, Task[tuple[Entry, Source]]] = {}
        self.requests = 0
        self.hits = 0
        self.misses = 0
        self.refreshes = 0

    def stored(self, key: Key) -> Entry | None:
        """Return the entry, fresh or stale, unless its body is incomplete."""
        entry = self.entries.get(key)
        return None if entry is None or entry.body.state is State.BROKEN else entry

    def fresh(self, key: Key, now: float) -> Entry | None:
        """Return the entry if it may be served without revalidation."""
        entry = self.stored(key)
        return None if entry is None or entry.expires_at is None or entry.expires_at <= now else entry

    def store(self, entry: Entry) -> None:
        """Store an entry, unless its response forbids it."""
        if entry.expires_at is not None:
            self.entries[entry.key] = entry

    def purge(self, paths: list[str], domain: str | None) -> int:
        """Remove the paths of an invalidation (a trailing `*` matches a prefix).

        Returns the number removed.
        """
        exact = {path for path in paths if not path.endswith("*")}
        prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))

        def matches(key: Key) -> bool:
            if domain is not None and key[0] != domain:
                return False
            return key[1] in exact or (bool(prefixes) and key[1].startswith(prefixes))

        removed = [key for key in self.entries if matches(key)]
        for key in removed:
            del self.entries[key]
        for key in [key for key in self.pending if matches(key)]:
            # A fetch in progress may return the old content: waiting requests receive it, the cache does not.
            del self.pending[key]
        return len(removed)

    def counts(self) -> dict[str, int]:
        """Return the counters for the control endpoint."""
        return {
            "requests": self.requests,
            "hits": self.hits,
            "refreshes": self.refreshes,
            "misses": self.misses,
            "entries": len(self.entries),
        }
