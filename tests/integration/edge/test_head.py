"""HEAD at the simulated edge.

Developer Guide, "Allowed HTTP methods": CloudFront caches responses to GET and HEAD requests. Not documented: whether
the copy that a HEAD leaves serves a GET. Both are possible here.
"""

from __future__ import annotations

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, Client


def test_answer_to_head_is_cached_for_head_alone(client: Client, path: str) -> None:
    assert [client.request(path, method="HEAD").x_cache for _ in range(2)] == ["Miss", "Hit"]
    assert client.request(path).x_cache == "Miss"
    assert client.asked(path) == 2


def test_error_to_head_is_cached_for_head_alone(client: Client, path: str) -> None:
    client.edge.fault(path, "status:503", times=1)
    assert [client.request(path, method="HEAD").status for _ in range(2)] == [503, 503]
    assert client.request(path).status == 200


def test_copy_of_a_head_may_serve_a_get() -> None:
    with SimulatedCloudFront(CONFIG | {"head_serves_get": True}) as edge:
        client = Client(edge)
        assert client.request("/a", method="HEAD").x_cache == "Miss"
        got = client.request("/a")
        assert (got.x_cache, got.is_whole, client.asked("/a")) == ("Hit", True, 1)
        edge.fault("/b", "status:503", times=1)
        assert client.request("/b", method="HEAD").status == 503
        assert client.request("/b").status == 503
