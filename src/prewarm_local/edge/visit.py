"""One viewer's request at a POP: its cache, then its regional edge cache, then the origin.

Source: CloudFront Developer Guide, "How CloudFront delivers content to your users"; HEAD: "Allowed HTTP methods"
(CloudFront caches responses to GET and HEAD requests).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Cache, Entry, Fetched, Source, Watch
from prewarm_local.edge.compression import compressed
from prewarm_local.edge.regional import collapsed
from prewarm_local.edge.response import Response, from_entry
from prewarm_local.edge.server_timing import Layer, describe, is_sent
from prewarm_local.edge.stale import may_serve_stale

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from prewarm_local.edge.config import Distribution
    from prewarm_local.edge.faults import Fault
    from prewarm_local.edge.place import Place
    from prewarm_local.edge.request import Request

GOAWAY_AFTER = 10
"""Requests on one connection before the `goaway` fault, unless its argument sets another number."""


class Visit:
    """A request that passes the POP's own answers; `fault`: one that changes its response."""

    __slots__ = ("_cache", "_distribution", "_fault", "_pop", "_request", "_want")

    def __init__(
        self, pop: Place, cache: Cache, request: Request, distribution: Distribution, fault: Fault | None
    ) -> None:
        """Create the visit, with the key of what it asks for."""
        self._pop = pop
        self._cache = cache
        self._request = request
        self._distribution = distribution
        self._fault = fault
        behaviour = pop.behaviours[distribution.domain].find(request)
        self._want = behaviour.want(
            distribution.domain, request, separate=request.head and not pop.config.head_serves_get
        )

    def respond(self) -> Response | Coroutine[None, None, Response]:
        """Return the response (a hit in this POP's cache), or a coroutine for it."""
        cache, want, now = self._cache, self._want, self._pop.shared.clock()
        entry = cache.fresh(want.key, now)
        if entry is None and want.get_key != want.key:
            entry = cache.fresh(want.get_key, now)
        if entry is None:
            return self._miss()
        cache.hits += 1
        watch = cache.watches.get(entry.key) if cache.watches else None
        return self._render(entry, "Hit", Layer.EDGE, watch.join() if watch is not None else None)

    async def later(self, seconds: float) -> Response:
        """Return the response after a delay."""
        await asyncio.sleep(seconds)
        result = self.respond()
        return result if isinstance(result, Response) else await result

    async def _miss(self) -> Response:
        pop, cache, key = self._pop, self._cache, self._want.key
        before = cache.stored(key)
        watch = cache.watch(key)
        try:
            fetched = await may_serve_stale(cache, key, pop.shared.clock, self._ask, self._refresh, Layer.EDGE)
        except BaseException:
            watch.end(whole=False)
            raise
        entry = fetched.entry
        if fetched.source in (Source.MISS, Source.HIT):
            watch.received(entry)
        same = before is not None and before.status == HTTPStatus.OK and before.etag == entry.etag
        if (same and fetched.source is Source.HIT) or fetched.source in (Source.REFRESH, Source.STALE):
            cache.refreshes += 1
            result = "RefreshHit"
            if fetched.source is Source.STALE and pop.shared.clock() >= entry.held_until:
                result = pop.config.revalidating_x_cache
        else:
            cache.misses += 1
            result = pop.regional_result if fetched.source is Source.HIT else "Miss"
        return self._render(entry, result, fetched.layer, watch)

    async def _ask(self) -> Fetched:
        return await collapsed(self._cache, self._want.key, self._upstream, watched=True)

    async def _refresh(self) -> Fetched:
        return await collapsed(self._cache, self._want.key, self._upstream)

    async def _upstream(self) -> Fetched:
        pop, want = self._pop, self._want
        fault = pop.shared.faults.at_origin(want.target, pop.name, local=True)
        if fault is not None or pop.bypass or want.behaviour.dynamic:
            # A fault of this POP alone must not affect its area, so the fetch bypasses the regional edge cache too.
            stale = None if fault is not None else self._cache.stored(want.key)
            fetched = await pop.origin.get(want, pop.name, stale, fault)
        else:
            fetched = await pop.regional.get(want, pop.name)
        entry = fetched.entry
        if entry.key != want.key:
            entry = entry.under(want.key)  # a GET's copy in the regional edge cache, for a HEAD
        if self._fault is None or self._fault.name != "uncompressed":
            entry = compressed(entry, want)
        return fetched._replace(entry=entry)

    def _render(self, entry: Entry, result: str, layer: Layer, watch: Watch | None) -> Response:
        pop = self._pop
        if entry.is_error:
            pop.errors += 1
            result = "Error"
        response = from_entry(entry, result, pop.signature, pop.shared.clock(), head=self._request.head)
        response.watch = watch
        if is_sent(self._distribution, self._request, pop.chance):
            response.headers.append((b"server-timing", describe(result, layer, pop.signature.pop)))
        if self._fault is not None:
            self._alter(response, self._fault)
        return response

    def _alter(self, response: Response, fault: Fault) -> None:
        """Apply a fault that changes a response from the cache."""
        signature = self._pop.signature
        match fault.name:
            case "lie_pop":
                response.headers.append((b"x-amz-cf-pop", (fault.argument or self._pop.other_pop).encode()))
                response.headers.remove((b"x-amz-cf-pop", signature.pop))
            case "wrong_encoding":
                other = b"br" if (b"content-encoding", b"gzip") in response.headers else b"gzip"
                response.headers = [item for item in response.headers if item[0] != b"content-encoding"]
                response.headers.append((b"content-encoding", other))
            case "goaway":
                response.last_after = int(fault.argument or GOAWAY_AFTER)
