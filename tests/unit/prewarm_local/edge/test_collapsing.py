"""Simultaneous requests for one object: the copy is stored, whenever its viewers arrive and leave."""

import asyncio

from prewarm_local.edge.cache import Cache, Entry, Fetched, Source
from prewarm_local.edge.content import Body
from prewarm_local.edge.regional import collapsed
from prewarm_local.edge.server_timing import Layer

KEY = ("d111.cloudfront.net", "/x", "")


def test_copy_is_stored_if_a_second_viewer_receives_it_before_the_fetch_is_settled() -> None:
    """It arrives in the loop's turn between the end of the fetch and the call of its callbacks."""
    cache = Cache()
    entry = Entry(KEY, 200, [], Body.fixed(b"x"), etag=None, stored_at=0.0, ttl=60.0)
    received = []

    async def fill() -> Fetched:
        asyncio.get_running_loop().call_soon(second_viewer)
        return Fetched(entry, Source.HIT, Layer.REGIONAL)

    def second_viewer() -> None:
        watch = cache.watch(KEY)
        try:
            collapsed(cache, KEY, fill, watched=True).send(None)
        except StopIteration as returned:
            received.append(returned.value.entry)
        watch.end(whole=True)

    async def first_viewer() -> None:
        watch = cache.watch(KEY)
        await collapsed(cache, KEY, fill, watched=True)
        watch.end(whole=True)

    asyncio.run(first_viewer())
    assert received == [entry]
    assert cache.entries == {KEY: entry}
