"""Bodies that are sent on HTTP/2 streams: whether the viewer has received all of them when it leaves."""

import h2.config
import h2.connection
import pytest

from prewarm_local.edge.cache import Cache, Entry
from prewarm_local.edge.content import Body
from prewarm_local.edge.response import Response
from prewarm_local.edge.streams import Streams

KEY = ("d111.cloudfront.net", "/x", "")


@pytest.mark.parametrize(("sent", "kept"), [(10, True), (9, False)])
def test_copy_is_kept_if_its_viewer_leaves_after_the_last_byte(sent: int, kept: bool) -> None:
    """Its end is not known yet: the origin's connection may say so later."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.send_headers(1, [(":method", "GET"), (":path", "/x"), (":scheme", "https"), (":authority", "x")])
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "200")])
    body, cache = Body(b"ab", 10), Cache()
    entry = Entry(KEY, 200, [], body, etag=None, stored_at=0.0, ttl=60.0)
    response = Response(200, [], body)
    response.watch = cache.watch(KEY)
    response.watch.received(entry)
    cache.store(entry)
    streams = Streams(server, lambda: None)
    streams.begin(1, body, response)
    body.arrived(sent)
    streams.write(1_000)
    streams.drop(1)
    assert (KEY in cache.entries) is kept
