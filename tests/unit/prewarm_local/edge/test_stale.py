"""How long the simulated edge serves an expired copy without asking the failing origin again.

Source: CloudFront Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin", section
"The requested object is in the edge cache": for the error caching minimum TTL, whatever the error's own headers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from prewarm_local.edge.behaviour import Behaviour
from prewarm_local.edge.cache import Cache, Entry, Fetched, Source
from prewarm_local.edge.content import Body
from prewarm_local.edge.freshness import Ttl
from prewarm_local.edge.origin_fetch import ask_origin
from prewarm_local.edge.request import Request
from prewarm_local.edge.server_timing import Layer
from prewarm_local.edge.stale import may_serve_stale
from prewarm_local.edge.upstream import OriginFailed, Reply

if TYPE_CHECKING:
    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.upstream import OriginClient


class Origin:
    """An origin client that fails with a status and a Cache-Control header, or not at all with status 0."""

    def __init__(self, status: int, cache_control: str) -> None:
        self.status, self.cache_control, self.asked = status, cache_control, 0

    async def fetch(self, _want: Want, _etag: str | None, _fault: object) -> Reply:
        self.asked += 1
        if not self.status:
            raise OriginFailed(504, "silent")
        return Reply(self.status, [], None, {"cache-control": self.cache_control}, Body.fixed(b""))


@pytest.mark.parametrize(
    ("status", "cache_control"), [(503, ""), (503, "max-age=300"), (503, "no-store"), (501, "no-store"), (0, "")]
)
def test_expired_copy_is_served_for_the_error_caching_minimum_ttl(status: int, cache_control: str) -> None:
    origin, cache, now = Origin(status, cache_control), Cache(), 1000.0
    request = Request("GET", "www.example.com", "/a", {})
    want = Behaviour(ttl=Ttl(error=10)).want("d1.cloudfront.net", request, separate=False)
    cache.store(Entry(want.key, 200, [], Body.fixed(b"x"), etag='"1"', stored_at=900.0, ttl=50.0))

    async def ask() -> Fetched:
        entry, source = await ask_origin(
            cast("OriginClient", origin), lambda: now, want, cache.stored(want.key), None
        )
        return Fetched(entry, source, Layer.EDGE)

    def fetch() -> Fetched:
        return asyncio.run(may_serve_stale(cache, want.key, lambda: now, ask, ask, Layer.EDGE))

    asked = []
    for now in (1000.0, 1009.0, 1011.0):  # noqa: B007  the clock
        found = fetch()
        assert (found.entry.status, found.source) == (200, Source.STALE)
        asked.append(origin.asked)
    assert asked == [1, 1, 2]
