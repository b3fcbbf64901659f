"""A regional edge cache, between the POPs of an area and the origin; and request collapsing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Cache, Entry, Key, Source, time_to_live
from prewarm_local.edge.response import error_page
from prewarm_local.edge.upstream import OriginClient, OriginFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from prewarm_local.edge.faults import Fault, FaultBook

Fetched = tuple[Entry, Source]


@dataclass(frozen=True)
class Shared:
    """Dependencies of every layer.

    TTLs in seconds; `clock` is monotonic and returns seconds.
    """

    client: OriginClient
    faults: FaultBook
    clock: Callable[[], float]
    default_ttl: float
    error_ttl: float
    collapsing: bool = True


async def collapsed(cache: Cache, key: Key, fill: Callable[[], Coroutine[None, None, Fetched]]) -> Fetched:
    """Fill the cache with one fetch for concurrent requests of a key.

    The waiting requests are hits.
    Responses that must not be stored are not shared either: each waiting request then makes its own fetch.
    """
    task = cache.pending.get(key)
    leads = task is None
    if task is None:
        # A separate task: the fetch continues if the viewer that caused it disconnects.
        task = asyncio.create_task(fill())
        cache.pending[key] = task
        task.add_done_callback(lambda done: _settle(cache, key, done))
    entry, source = await asyncio.shield(task)
    if leads:
        return entry, source
    if entry.expires_at is None:
        return await fill()
    return entry, Source.HIT


def _settle(cache: Cache, key: Key, task: asyncio.Task[Fetched]) -> None:
    # A purge removes the task from `pending`: its result may be the old content, and is not stored.
    if cache.pending.get(key) is task:
        del cache.pending[key]
        if not task.cancelled() and task.exception() is None:
            cache.store(task.result()[0])


async def ask_origin(
    shared: Shared, key: Key, stale: Entry | None, fault: Fault | None, method: str = "GET"
) -> Fetched:
    """Fetch from the origin, conditionally if there is a stale entry.

    If the origin fails, return an entry with the edge's error page.
    """
    domain, target, encoding = key
    etag = stale.etag if stale is not None and stale.status == HTTPStatus.OK else None
    try:
        reply = await shared.client.fetch(method, domain, target, encoding, etag, fault)
    except OriginFailed as failure:
        headers, page = error_page(failure.status, str(failure))
        now = shared.clock()
        return Entry(key, failure.status, headers, page, etag=None, stored_at=now, ttl=shared.error_ttl), Source.MISS
    now = shared.clock()
    if reply.status == HTTPStatus.NOT_MODIFIED and stale is not None:
        ttl = time_to_live(stale.status, reply.cache_control, shared.default_ttl, shared.error_ttl)
        fresh = Entry(key, stale.status, reply.headers, stale.body, etag=stale.etag, stored_at=now, ttl=ttl)
        return fresh, Source.REFRESH
    ttl = time_to_live(reply.status, reply.cache_control, shared.default_ttl, shared.error_ttl)
    entry = Entry(key, reply.status, reply.headers, reply.body, etag=reply.etag, stored_at=now, ttl=ttl)
    return entry, Source.MISS


class RegionalCache:
    """A regional edge cache."""

    def __init__(self, shared: Shared) -> None:
        """Create an empty cache."""
        self.cache = Cache()
        self._shared = shared

    async def get(self, key: Key, pop: str, method: str = "GET") -> Fetched:
        """Return the entry for a POP that does not have it, from the cache or the origin."""
        cache = self.cache
        cache.requests += 1
        entry = cache.fresh(key, self._shared.clock())
        if entry is not None:
            cache.hits += 1
            return entry, Source.HIT
        if method == "HEAD":
            cache.misses += 1
            return await ask_origin(self._shared, key, None, self._fault(key, pop), "HEAD")

        async def fill() -> Fetched:
            return await ask_origin(self._shared, key, cache.stored(key), self._fault(key, pop))

        if self._shared.collapsing:
            fetched = await collapsed(cache, key, fill)
        else:
            fetched = await fill()
            cache.store(fetched[0])
        match fetched[1]:
            case Source.HIT:
                cache.hits += 1
            case Source.REFRESH:
                cache.refreshes += 1
            case Source.MISS:
                cache.misses += 1
        return fetched

    def _fault(self, key: Key, pop: str) -> Fault | None:
        return self._shared.faults.at_origin(key[1], pop, local=False)
