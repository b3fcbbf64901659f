"""Expired copies that the simulated edge serves.

Sources: Developer Guide, "Manage how long content stays in the cache (expiration)", section "Serve stale (expired)
content"; "How CloudFront processes HTTP 4xx and 5xx status codes from your origin": if an object has expired and the
origin returns a 5xx, or nothing, CloudFront serves the expired object, without asking again for the error caching
minimum TTL; a 4xx is returned to the viewer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, Client, both_protocols

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR_TTL = 0.4


def _put(client: Client, path: str, cache_control: str, **more: object) -> None:
    headers: Mapping[str, str] = {"Cache-Control": cache_control}
    client.edge.put_object(path, {"headers": headers, **more})


@both_protocols
@pytest.mark.parametrize("fault", ["status:503", "refused", "no_answer"])
def test_expired_copy_is_served_while_the_origin_fails(client: Client, path: str, version: int, fault: str) -> None:
    path += f"?{fault}{version}"
    _put(client, path, "max-age=0")
    first = client.request(path, version=version)
    client.edge.fault(path, fault)
    stale = client.request(path, version=version)
    assert (stale.status, stale.x_cache, stale.headers["etag"]) == (200, "RefreshHit", first.headers["etag"])
    client.edge.fault(path, None)


def test_failing_origin_is_not_asked_again_for_the_error_ttl(client: Client, path: str) -> None:
    _put(client, path, "max-age=0")
    client.request(path)
    client.edge.fault(path, "status:500")
    assert [client.request(path).x_cache for _ in range(3)] == ["RefreshHit"] * 3
    assert client.asked(path) == 2
    time.sleep(ERROR_TTL + 0.1)
    client.edge.fault(path, None)
    client.edge.put_object(path, {})
    assert client.request(path).x_cache == "Miss"  # the new content, with another ETag


def test_4xx_replaces_the_expired_copy(client: Client, path: str) -> None:
    _put(client, path, "max-age=0")
    client.request(path)
    client.edge.fault(path, "status:404")
    assert client.request(path).status == 404
    client.edge.fault(path, None)


def test_stale_if_error_of_zero_forbids_the_expired_copy(client: Client, path: str) -> None:
    _put(client, path, "max-age=0, stale-if-error=0")
    client.request(path)
    client.edge.fault(path, "status:503")
    assert client.request(path).status == 503
    client.edge.fault(path, None)


def test_stale_while_revalidate_serves_the_old_copy_then_the_new_one(client: Client, path: str) -> None:
    _put(client, path, "max-age=0, stale-while-revalidate=60")
    old = client.request(path).headers["etag"]
    _put(client, path, "max-age=60", ttfb_ms=100)
    stale = client.request(path)
    assert (stale.x_cache, stale.headers["etag"]) == ("RefreshHit", old)
    # Each layer serves its own copy once more while it revalidates: first the POP, then the regional edge cache.
    results = []
    for _ in range(4):
        time.sleep(0.3)
        new = client.request(path)
        results.append((new.x_cache, new.headers["etag"] == old))
    assert results[-1] == ("Hit", False)


# Not documented: X-Cache of a copy that is served while it is revalidated.
def test_copy_served_while_revalidated_may_be_called_a_hit(path: str) -> None:
    with SimulatedCloudFront(CONFIG | {"revalidating_x_cache": "Hit"}) as edge:
        client = Client(edge)
        _put(client, path, "max-age=0, stale-while-revalidate=60")
        assert [client.request(path).x_cache for _ in range(2)] == ["Miss", "Hit"]
