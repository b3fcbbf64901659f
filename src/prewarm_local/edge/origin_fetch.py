"""A layer's fetch from the origin: conditional requests, error pages, and the entry made of the response.

Sources: CloudFront Developer Guide, "How CloudFront processes HTTP 3xx status codes from your origin"; "How
CloudFront processes errors when you have configured custom error pages" (the page is asked for as the cache behavior
of its own path says, and kept for the greater of the error caching minimum TTL and the lifetime that came with the
error); "Generate custom error responses" (if the page cannot be had, the origin's status for the page is returned).
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Entry, Source
from prewarm_local.edge.freshness import error_seconds, stale_seconds, time_to_live
from prewarm_local.edge.response import error_page
from prewarm_local.edge.upstream import OriginClient, OriginFailed, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.faults import Fault


def entry_of(want: Want, reply: Reply, now: float, copy: Entry | None = None) -> Entry:
    """Return the entry for a response; `copy`: the expired entry that a 304 confirms."""
    status, body, etag = (
        (reply.status, reply.body, reply.etag) if copy is None else (copy.status, copy.body, copy.etag)
    )
    ttl = time_to_live(status, reply.values, want.behaviour.ttl)
    stale = stale_seconds(reply.values.get("cache-control", ""), want.behaviour.ttl)
    return Entry(want.key, status, reply.headers, body, etag=etag, stored_at=now, ttl=ttl, stale=stale)


async def _fetch(
    client: OriginClient, clock: Callable[[], float], want: Want, stale: Entry | None, fault: Fault | None
) -> tuple[Entry, Source]:
    """Fetch from the origin; an error has the error caching minimum TTL of its status."""
    entry, source = await _exchange(client, clock, want, stale, fault)
    if entry.is_error:
        entry.error_ttl = want.behaviour.ttl.of_error(entry.status)
    return entry, source


async def _exchange(
    client: OriginClient, clock: Callable[[], float], want: Want, stale: Entry | None, fault: Fault | None
) -> tuple[Entry, Source]:
    """Fetch from the origin, conditionally if there is a stale entry; a failing origin is the edge's error page."""
    etag = stale.etag if stale is not None and stale.status == HTTPStatus.OK else None
    try:
        reply = await client.fetch(want, etag, fault)
    except OriginFailed as failure:
        headers, page = error_page(failure.status, str(failure))
        ttl = want.behaviour.ttl.of_error(failure.status)
        return Entry(want.key, failure.status, headers, page, etag=None, stored_at=clock(), ttl=ttl), Source.MISS
    if reply.status == HTTPStatus.NOT_MODIFIED and stale is not None:
        return entry_of(want, reply, clock(), stale), Source.REFRESH
    return entry_of(want, reply, clock()), Source.MISS


async def ask_origin(
    client: OriginClient, clock: Callable[[], float], want: Want, stale: Entry | None, fault: Fault | None
) -> tuple[Entry, Source]:
    """Fetch from the origin; an error with a custom error response becomes that page, with its status."""
    entry, source = await _fetch(client, clock, want, stale, fault)
    page = want.behaviour.pages.get(entry.status)
    if page is None:
        return entry, source
    path, status = page
    find = want.behaviour.of_path
    behaviour = want.behaviour if find is None else find(path)
    of_page = replace(want, key=(want.domain, path, want.key[2]), behaviour=behaviour, target=path)
    shown, _ = await _fetch(client, clock, of_page, None, None)
    headers = {name.decode(): value.decode("latin-1") for name, value in entry.headers}
    ttl = error_seconds(entry.status, headers, want.behaviour.ttl, behaviour.ttl.maximum)
    if shown.is_error:
        status = shown.status
    result = Entry(want.key, status, shown.headers, shown.body, etag=shown.etag, stored_at=clock(), ttl=ttl)
    result.is_error, result.failed, result.error_ttl = True, entry.failed, entry.error_ttl
    return result, source
