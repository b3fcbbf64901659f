"""The cache of a POP or a regional edge cache: its entries, and the viewers that wait for them. No sockets.

Sources: CloudFront Developer Guide, "Serve compressed files" (Accept-Encoding is normalised); "Request and response
behavior for custom origins", section "Canceled requests": if a viewer ends the session before CloudFront can deliver
the object, "CloudFront does not cache the object in the edge location".
"""

from __future__ import annotations

import math
from copy import copy
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from prewarm_local.edge.content import Body, State

if TYPE_CHECKING:
    from asyncio import Task

    from prewarm_local.edge.server_timing import Layer

Key = tuple[str, str, str]
"""The cache key: distribution domain, path with the query strings of the policy, and the rest of the policy's values.

The rest begins with the normalised Accept-Encoding.
"""


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


class Source(Enum):
    """The source of a response: a cache, a revalidated copy (304), an expired copy, or the origin."""

    HIT = "hit"
    REFRESH = "refresh"
    STALE = "stale"
    MISS = "miss"


class Entry:
    """A cached response. Times are the clock's seconds.

    `expires_at` is None if it must not be stored. `while_revalidating` and `on_error`: seconds after it for which the
    expired copy may be served; `held_until`: the time until which it is served without asking the failing origin.
    `failed`: the origin answered 5xx or not at all; `error_ttl`: the error caching minimum TTL of its status.
    `is_error`: an error, also one that a custom error response sends with another status. `length_hidden`: sent
    without Content-Length. POPs of an area share the regional cache's Entry: age and freshness count from the
    origin's response.
    """

    __slots__ = (
        "body",
        "error_ttl",
        "etag",
        "expires_at",
        "failed",
        "headers",
        "held_until",
        "is_error",
        "key",
        "length_hidden",
        "on_error",
        "status",
        "stored_at",
        "while_revalidating",
    )

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
        stale: tuple[float, float] = (0.0, math.inf),
    ) -> None:
        """Create an entry; `headers` are those sent to viewers, with names in lower case."""
        self.key = key
        self.status = status
        self.headers = headers
        self.body = body
        self.etag = etag
        self.stored_at = stored_at
        self.expires_at = None if ttl is None else stored_at + ttl
        self.while_revalidating, self.on_error = stale
        self.held_until = 0.0
        self.error_ttl = 0.0
        self.failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        self.is_error = status >= HTTPStatus.BAD_REQUEST
        self.length_hidden = False

    def under(self, key: Key) -> Entry:
        """Return a copy with another key, or for changes."""
        other = copy(self)
        other.key = key
        return other


class Fetched(NamedTuple):
    """A copy, how it was found, and the layer that had it or asked the origin for it."""

    entry: Entry
    source: Source
    layer: Layer


class Watch:
    """The viewers that wait for a copy that none has received wholly yet."""

    __slots__ = ("_cache", "_entry", "_key", "_viewers")

    def __init__(self, cache: Cache, key: Key) -> None:
        """Watch a key of a POP's cache, without viewers."""
        self._cache = cache
        self._key = key
        self._entry: Entry | None = None
        self._viewers = 0

    def join(self) -> Watch:
        """Count a viewer, who must call `end` once."""
        self._viewers += 1
        return self

    def received(self, entry: Entry) -> None:
        """Set the copy that the viewers wait for."""
        self._entry = entry

    def end(self, *, whole: bool) -> None:
        """Record that a viewer has received the whole copy, or has left before."""
        self._viewers -= 1
        watches = self._cache.watches
        if not whole and self._viewers:
            return
        if watches.get(self._key) is self:
            del watches[self._key]
            if not whole and self._entry is not None and self._cache.entries.get(self._key) is self._entry:
                del self._cache.entries[self._key]


class Cache:
    """The entries of a caching layer, its fetches in progress, and its counters.

    `watches`: the keys of which no viewer has received a whole copy yet (POPs only).
    """

    __slots__ = ("entries", "hits", "misses", "pending", "refreshes", "requests", "watches")

    def __init__(self) -> None:
        """Create an empty cache."""
        self.entries: dict[Key, Entry] = {}
        self.pending: dict[Key, Task[Fetched]] = {}
        self.watches: dict[Key, Watch] = {}
        self.requests = 0
        self.hits = 0
        self.misses = 0
        self.refreshes = 0

    def watch(self, key: Key) -> Watch:
        """Return a watch that a viewer of the key has joined."""
        watch = self.watches.get(key)
        if watch is None:
            watch = self.watches[key] = Watch(self, key)
        return watch.join()

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
        # A fetch in progress may return the old content: waiting requests receive it, the cache does not.
        for key in [key for key in self.pending if matches(key)]:
            del self.pending[key]
        for key in [key for key in self.watches if matches(key)]:
            del self.watches[key]
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
