"""Expired copies that are served all the same: while they are revalidated, and while the origin fails.

Sources: CloudFront Developer Guide, "Serve stale (expired) content", and "How CloudFront processes errors when you
have not configured custom error pages": if the origin answers an expired object with a 5xx or not at all, CloudFront
serves the expired copy, and does so without asking again for the error caching minimum TTL; a 4xx is passed on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Fetched, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from prewarm_local.edge.cache import Cache, Key
    from prewarm_local.edge.server_timing import Layer

_background: set[asyncio.Task[Fetched]] = set()
"""Revalidations for which no viewer waits; asyncio holds tasks only weakly."""


async def may_serve_stale(
    cache: Cache,
    key: Key,
    clock: Callable[[], float],
    ask: Callable[[], Coroutine[None, None, Fetched]],
    refresh: Callable[[], Coroutine[None, None, Fetched]],
    layer: Layer,
) -> Fetched:
    """Return what `ask` returns, or the cache's expired copy where CloudFront would serve it.

    `refresh` is called instead where no viewer waits for the result.
    """
    copy = cache.stored(key)
    if copy is None or copy.expires_at is None or copy.is_error:
        return await ask()
    expired_at, now = copy.expires_at, clock()
    if now < copy.held_until:
        return Fetched(copy, Source.STALE, layer)
    if now < expired_at + copy.while_revalidating:
        if key not in cache.pending:
            task = asyncio.create_task(refresh())
            _background.add(task)
            task.add_done_callback(_background.discard)
        return Fetched(copy, Source.STALE, layer)
    fetched = await ask()
    if not fetched.entry.failed or clock() >= expired_at + copy.on_error:
        return fetched
    copy.held_until = fetched.entry.stored_at + fetched.entry.error_ttl
    cache.store(copy)  # `ask` has replaced it with the error
    return Fetched(copy, Source.STALE, layer)
