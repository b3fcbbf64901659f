"""The simulated CloudFront's caches as a client sees them: keys, freshness, layers, purges."""

import time
from concurrent.futures import ThreadPoolExecutor

import pycurl

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, DALLAS, HTTP1, HTTP2, TOKYO, TOKYO_2, Client, both_protocols


@both_protocols
def test_first_get_misses_and_second_hits_with_cloudfront_headers(client: Client, path: str, version: int) -> None:
    first, second = client.request(path, version=version), client.request(path, version=version)
    assert (first.status, first.x_cache, second.x_cache) == (200, "Miss", "Hit")
    assert first.version == (pycurl.CURL_HTTP_VERSION_2_0 if version == HTTP2 else HTTP1)
    assert first.is_whole
    assert second.body == first.body
    assert second.headers["x-amz-cf-pop"] == TOKYO
    assert "cloudfront.net (CloudFront)" in second.headers["via"]
    assert second.headers["x-amz-cf-id"] != first.headers["x-amz-cf-id"]
    assert second.headers["age"] == "0"
    assert 'cdn-hit-layer;desc="EDGE"' in second.headers["server-timing"]
    assert "cdn-cache-miss" in first.headers["server-timing"]
    assert client.asked(path) == 1


def test_pops_of_an_area_fill_from_the_regional_cache(client: Client, path: str) -> None:
    assert client.request(path, TOKYO).x_cache == "Miss"
    assert client.request(path, TOKYO_2).x_cache == "Hit"
    assert client.asked(path) == 1
    assert client.request(path, DALLAS).x_cache == "Miss"
    assert client.asked(path) == 2
    stats = client.edge.stats()
    assert stats["pops"][TOKYO_2]["misses"] >= 1
    assert stats["regional"]["NRT"]["hits"] >= 1
    assert stats["edge"]["requests"] == sum(pop["requests"] for pop in stats["pops"].values())


def test_concurrent_misses_collapse_into_one_fetch(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: client.request("/slow", (TOKYO, TOKYO_2)[n % 2]), range(8)))
    assert {got.status for got in results} == {200}
    assert sorted(got.x_cache for got in results) == ["Hit"] * 7 + ["Miss"]
    assert client.asked("/slow") == 1


def test_query_and_encoding_are_part_of_the_cache_key(client: Client, path: str) -> None:
    assert client.request(path, accept="br, gzip").headers["content-encoding"] == "br"
    assert client.request(path, accept="gzip;q=1.0, deflate, br").x_cache == "Hit"
    gzip = client.request(path, accept="gzip, deflate")
    assert (gzip.x_cache, gzip.headers["content-encoding"]) == ("Miss", "gzip")
    identity = client.request(path)
    assert (identity.x_cache, identity.headers.get("content-encoding")) == ("Miss", None)
    assert client.request(path + "?v=2").x_cache == "Miss"
    assert client.request(path + "?v=2").x_cache == "Hit"
    assert client.request(path, host="shop.example.com").x_cache == "Miss"


@both_protocols
def test_head_reaches_the_origin_and_fills_no_cache(client: Client, path: str, version: int) -> None:
    head = client.request(path, method="HEAD", version=version)
    assert (head.status, head.x_cache, head.headers["content-length"], head.body) == (200, "Miss", "1024", b"")
    assert client.request(path, version=version).x_cache == "Miss"
    assert client.request(path, method="HEAD", version=version).x_cache == "Hit"


def test_cache_control_of_the_origin_is_respected(client: Client) -> None:
    def results(path: str) -> list[str]:
        return [client.request(path).x_cache for _ in range(2)]

    assert results("/no-store") == ["Miss", "Miss"]
    assert results("/private") == ["Miss", "Miss"]
    assert results("/always-stale") == ["Miss", "RefreshHit"]
    assert results("/no-cache") == ["Miss", "RefreshHit"]
    assert results("/shared-only") == ["Miss", "Hit"]
    assert results("/moved") == ["Miss", "Hit"]
    assert results("/empty") == ["Miss", "Hit"]


def test_errors_are_cached_for_the_error_ttl(client: Client) -> None:
    for path, status in (("/missing", 404), ("/broken", 500)):
        assert [client.request(path).status for _ in range(2)] == [status] * 2
        assert client.request(path).x_cache == "Error"
        assert client.asked(path) == 1
    time.sleep(0.5)
    client.request("/missing")
    assert client.asked("/missing") == 2


def test_purge_removes_from_all_caches(client: Client, path: str) -> None:
    for pop in (TOKYO, TOKYO_2, DALLAS):
        client.request(path, pop)
    assert client.edge.purge([path]) == 5  # three POPs, two regional edge caches
    assert client.request(path, TOKYO_2).x_cache == "Miss"
    assert client.edge.purge([path[:-1] + "*"], domain="d222def.cloudfront.net") == 0
    assert client.edge.purge([path[:-1] + "*"]) == 2


def test_changed_object_has_another_etag_after_a_purge(client: Client, path: str) -> None:
    before = client.request(path).headers["etag"]
    client.edge.put_object(path, {"size": 1024})
    assert client.request(path).headers["etag"] == before
    client.edge.purge(["/*"])
    assert client.request(path).headers["etag"] != before


def test_regional_hits_can_be_hidden_and_unknown_path_is_404() -> None:
    config = CONFIG | {"regional_hits_visible": False, "default_object": None, "edge_latency_ms": 30}
    with SimulatedCloudFront(config) as edge:
        client = Client(edge)
        assert [client.request("/empty", pop).x_cache for pop in (TOKYO, TOKYO_2, TOKYO_2)] == ["Miss", "Miss", "Hit"]
        unknown = client.request("/unknown")
        assert (unknown.status, unknown.x_cache) == (404, "Error")
        assert client.asked("/empty") == 1


@both_protocols
def test_targets_that_differ_in_one_byte_are_different_keys(client: Client, path: str, version: int) -> None:
    """Nothing is normalised: the Developer Guide ("Understand the cache key") names path and query as requested."""
    spellings = [
        *("/%e3%82%b5", "/%E3%82%B5", "/%E3%82%b5", "/a%2fb", "/a%2Fb", "/a/b", "/a//b", "//a/b"),
        *("/o'neill", "/o%27neill", "/^x", "/%5Ex", "/~a", "/%7Ea", "/%7ea", "/a", "/a?", "/a;", "/A"),
        *("/a?x|", "/a?x%7C"),
        *("/a?{x}", "/a?%7Bx%7D", "/a?b\\", "/a?b%5C", "/a?b=1&c=2", "/a?c=2&b=1", "/a/./b", "/a/../b"),
    ]  # fmt: skip
    targets = [f"{path}{spelling}" for spelling in spellings]
    assert [client.request(target, version=version).x_cache for target in targets] == ["Miss"] * len(targets)
    assert [client.request(target, version=version).x_cache for target in targets] == ["Hit"] * len(targets)
    assert [client.asked(target) for target in targets] == [1] * len(targets)


def test_copies_are_those_that_a_viewer_would_get_as_a_hit(client: Client, path: str) -> None:
    for target in (path, "/no-store", "/missing"):
        client.request(target, accept="br, gzip")
    copies = client.edge.copies()
    assert (path, "br,gzip") in copies[TOKYO]
    assert not {(path, ""), ("/no-store", "br,gzip"), ("/missing", "br,gzip")} & copies[TOKYO]
    assert (path, "br,gzip") not in copies[DALLAS]
    client.edge.purge([path])
    assert (path, "br,gzip") not in client.edge.copies()[TOKYO]
