"""The regional edge caches between the POPs and the origin, Origin Shield, and request collapsing.

Sources: CloudFront Developer Guide, "How CloudFront works with regional edge caches", "Use Amazon CloudFront Origin
Shield", and "Request and response behavior for custom origins", section "Simultaneous requests for the same object".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Cache, Entry, Fetched, Key, Source
from prewarm_local.edge.origin_fetch import ask_origin
from prewarm_local.edge.server_timing import Layer
from prewarm_local.edge.stale import may_serve_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.faults import Fault, FaultBook
    from prewarm_local.edge.upstream import OriginClient


@dataclass(frozen=True)
class Shared:
    """Dependencies of every layer; `clock` is monotonic and returns seconds."""

    client: OriginClient
    faults: FaultBook
    clock: Callable[[], float]
    collapsing: bool = True


async def collapsed(
    cache: Cache, key: Key, fill: Callable[[], Coroutine[None, None, Fetched]], *, watched: bool = False
) -> Fetched:
    """Fill the cache with one fetch for concurrent requests of a key.

    The waiting requests are hits. `watched`: the copy is stored only if a viewer still waits for it.
    Responses that must not be stored are not shared either: each waiting request then makes its own fetch.
    """
    task = cache.pending.get(key)
    leads = task is None
    if task is None:
        # A separate task: the fetch continues if the viewer that caused it disconnects.
        task = asyncio.create_task(fill())
        cache.pending[key] = task
        task.add_done_callback(lambda done: _settle(cache, key, done, watched=watched))
    elif task.done():
        # Its callback has not run yet, and must not find that this viewer has received the copy and left.
        _settle(cache, key, task, watched=watched)
    fetched = await asyncio.shield(task)
    if leads:
        return fetched
    if fetched.entry.expires_at is None:
        return await fill()
    return fetched._replace(source=Source.HIT)


def _settle(cache: Cache, key: Key, task: asyncio.Task[Fetched], *, watched: bool) -> None:
    # A purge removes the task from `pending`: its result may be the old content, and is not stored.
    if cache.pending.get(key) is task:
        del cache.pending[key]
        if not task.cancelled() and task.exception() is None and (not watched or key in cache.watches):
            cache.store(task.result().entry)


class OriginUpstream:
    """The origin, asked by a layer."""

    def __init__(self, shared: Shared, layer: Layer) -> None:
        """Name the layer that asks."""
        self._shared = shared
        self._layer = layer

    async def get(self, want: Want, pop: str, stale: Entry | None = None, fault: Fault | None = None) -> Fetched:
        """Return the origin's response; a fault of all POPs applies unless another is given."""
        shared = self._shared
        if fault is None:
            fault = shared.faults.at_origin(want.target, pop, local=False)
        entry, source = await ask_origin(shared.client, shared.clock, want, stale, fault)
        return Fetched(entry, source, self._layer)


class RegionalCache:
    """A regional edge cache; also the one that is the Origin Shield."""

    def __init__(self, shared: Shared, layer: Layer = Layer.REGIONAL, upstream: RegionalCache | None = None) -> None:
        """Create an empty cache, before the origin or another regional edge cache."""
        self.cache = Cache()
        self._shared = shared
        self._layer = layer
        self._upstream = upstream
        self._origin = OriginUpstream(shared, layer)

    async def get(self, want: Want, pop: str) -> Fetched:
        """Return the entry for a POP that does not have it, from the cache or from upstream."""
        cache, shared = self.cache, self._shared
        cache.requests += 1
        now = shared.clock()
        entry = cache.fresh(want.key, now) or cache.fresh(want.get_key, now)
        if entry is not None:
            cache.hits += 1
            return Fetched(entry, Source.HIT, self._layer)

        async def fill() -> Fetched:
            if self._upstream is not None:
                return await self._upstream.get(want, pop)
            return await self._origin.get(want, pop, cache.stored(want.key))

        async def ask() -> Fetched:
            if shared.collapsing:
                return await collapsed(cache, want.key, fill)
            fetched = await fill()
            cache.store(fetched.entry)
            return fetched

        fetched = await may_serve_stale(cache, want.key, shared.clock, ask, ask, self._layer)
        match fetched.source:
            case Source.HIT:
                cache.hits += 1
            case Source.REFRESH | Source.STALE:
                cache.refreshes += 1
            case Source.MISS:
                cache.misses += 1
        return fetched
