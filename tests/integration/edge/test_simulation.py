"""The simulated CloudFront as a client sees it: over real TLS, HTTP/2 and HTTP/1.1, DNS and its control endpoint."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import dns.query
import dns.rcode
import pycurl
import pytest

from prewarm_local.edge.content import expected_body
from prewarm_local.edge.process import EdgeFailed, SimulatedCloudFront

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
from tests.support.edge_client import (
    CONFIG,
    DALLAS,
    DARK,
    DOMAIN,
    E_HTTP2_STREAM,
    EXPIRED,
    HOST,
    HTTP1,
    HTTP2,
    IMPOSTOR,
    OLD,
    POPS,
    TOKYO,
    TOKYO_2,
    WRONG_NAME,
    Client,
    Got,
    both_protocols,
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with SimulatedCloudFront(CONFIG) as edge:
        yield Client(edge)
        assert edge.errors == ""


_serial = iter(range(1_000_000))


@pytest.fixture
def path() -> str:
    """A path of its own, so that no test finds what another has cached."""
    return f"/page-{next(_serial)}.html"


@both_protocols
def test_first_get_misses_and_second_hits_with_cloudfronts_headers(client: Client, path: str, version: int) -> None:
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


def test_pops_of_an_area_fill_from_their_regional_cache(client: Client, path: str) -> None:
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


def test_hosts_and_methods_the_edge_does_not_serve(client: Client, path: str) -> None:
    assert client.request(path, host="a.img.example.com").status == 200
    plain = client.request(path, host="other.example.org", scheme="http")
    assert (plain.status, plain.x_cache) == (403, "Error")
    assert client.request(path, host="a.b.img.example.com", scheme="http").status == 403
    post = client.request(path, method="POST")
    assert (post.status, post.headers["server"]) == (403, "CloudFront")


def test_plain_http_and_every_address_serve(client: Client, path: str) -> None:
    assert client.request(path, scheme="http", version=HTTP1).x_cache == "Miss"
    assert client.request(path, address=1).x_cache == "Hit"


@both_protocols
def test_head_asks_the_origin_and_fills_nothing(client: Client, path: str, version: int) -> None:
    head = client.request(path, method="HEAD", version=version)
    assert (head.status, head.x_cache, head.headers["content-length"], head.body) == (200, "Miss", "1024", b"")
    assert client.request(path, version=version).x_cache == "Miss"
    assert client.request(path, method="HEAD", version=version).x_cache == "Hit"


def test_cache_control_of_the_origin_is_honoured(client: Client) -> None:
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


@both_protocols
def test_large_and_chunked_bodies_arrive_whole(client: Client, version: int) -> None:
    for _ in range(2):
        big = client.request("/big.bin", version=version)
        assert big.is_whole
        chunks = client.request("/chunks", version=version)
        assert chunks.body == expected_body(chunks.headers["etag"], 200_000)
    assert big.x_cache == "Hit"


def test_a_huge_body_streams_in_constant_memory(client: Client) -> None:
    def resident() -> int:
        status = Path(f"/proc/{client.edge.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    before = resident()
    got = client.request("/huge.bin", version=HTTP1, keep=False, timeout_ms=500)
    assert got.received > 20_000_000
    assert got.error in (0, pycurl.E_OPERATION_TIMEDOUT)
    assert resident() - before < 40_000


@both_protocols
@pytest.mark.parametrize("fault", ["truncated", "chunked_cut"])
def test_a_body_that_breaks_off_at_the_origin_breaks_the_viewers_stream(
    client: Client, path: str, version: int, fault: str
) -> None:
    client.edge.fault(path, fault, times=1)
    broken = client.request(path, version=version)
    assert broken.status == 200
    assert broken.error == (E_HTTP2_STREAM if version == HTTP2 else pycurl.E_PARTIAL_FILE)
    assert ("content-length" in broken.headers) == (fault == "truncated")
    assert broken.body == expected_body(broken.headers["etag"], 512)
    again = client.request(path, version=version)
    assert (again.x_cache, again.error, len(again.body)) == ("Miss", 0, 1024)


@both_protocols
def test_faults_that_keep_silent(client: Client, path: str, version: int) -> None:
    client.edge.fault(path, "stall", times=1)
    stalled = client.request(path, version=version, timeout_ms=300)
    assert (stalled.error, stalled.status, len(stalled.body)) == (pycurl.E_OPERATION_TIMEDOUT, 200, 512)
    silent_path = path + "?silent"
    client.edge.fault(silent_path, "no_answer", times=1)
    silent = client.request(silent_path, version=version, timeout_ms=300)
    assert (silent.error, silent.status) == (pycurl.E_OPERATION_TIMEDOUT, 0)
    late = client.request(silent_path, version=version)  # waits with the fetch that is under way
    assert (late.status, late.x_cache) == (504, "Error")


@both_protocols
def test_an_origin_that_refuses_or_fails(client: Client, path: str, version: int) -> None:
    client.edge.fault(path, "refused", times=1)
    refused = client.request(path, version=version)
    assert (refused.status, refused.x_cache, refused.headers["server"]) == (502, "Error", "CloudFront")
    assert client.request(path, version=version).status == 502
    assert client.asked(path) == 0
    other = path + "?status"
    client.edge.fault(other, "status:503", times=1)
    assert [client.request(other, version=version).status for _ in range(2)] == [503, 503]
    time.sleep(0.5)
    assert client.request(other, version=version).status == 200


@both_protocols
def test_faults_made_by_the_edge(client: Client, path: str, version: int) -> None:
    def once(fault: str, **more: Any) -> Got:
        client.edge.fault(path, fault, times=1)
        return client.request(path, version=version, **more)

    reset = once("reset")
    # Which of the two depends on whether curl is just writing a settings frame.
    assert reset.error in (pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR)
    assert reset.status == 0
    assert once("lie_pop").headers["x-amz-cf-pop"] == TOKYO_2
    assert once(f"lie_pop:{DALLAS}").headers["x-amz-cf-pop"] == DALLAS
    redirect = once("redirect")
    assert (redirect.status, redirect.x_cache) == (301, "Redirect")
    assert redirect.headers["location"] == f"https://{HOST}{path}"
    assert once("wrong_encoding", accept="br").headers["content-encoding"] == "gzip"
    assert (limited := once("limit")).status == 503
    assert limited.x_cache == "LimitExceeded"
    assert once("limit:429").status == 429
    blocked = once("waf_block")
    assert (blocked.status, blocked.x_cache, blocked.headers["server"]) == (403, "Error", "CloudFront")
    assert client.request(path, version=version).x_cache == "Hit"


@both_protocols
def test_a_connection_that_takes_no_more_requests(client: Client, path: str, version: int) -> None:
    client.edge.fault(path, "goaway:3")
    curl, connects = pycurl.Curl(), []
    for _ in range(7):
        got = client.request(path, version=version, handle=curl)
        assert (got.status, got.error) == (200, 0)
        connects.append(curl.getinfo(pycurl.NUM_CONNECTS))
    assert connects == [1, 0, 0, 1, 0, 0, 1]


def test_a_fault_at_some_pops_leaves_the_others_alone(client: Client, path: str) -> None:
    client.edge.fault(path, "truncated", pops=[TOKYO], times=1)
    assert client.request(path, TOKYO_2).error == 0
    assert client.request(path, TOKYO).error == E_HTTP2_STREAM
    assert client.request(path, TOKYO).x_cache == "Hit"
    client.edge.fault(path, "waf_block", pops=[DALLAS])
    assert client.request(path, DALLAS).status == 403
    assert client.request(path, TOKYO).status == 200
    client.edge.fault(path, None)
    assert client.request(path, DALLAS).status == 200


def test_unknown_faults_and_pops_are_refused(client: Client) -> None:
    with pytest.raises(EdgeFailed, match="unknown fault 'explode'; there are: refused, truncated"):
        client.edge.fault("/x", "explode")
    with pytest.raises(EdgeFailed, match="takes a number"):
        client.edge.fault("/x", "status:teapot")
    with pytest.raises(EdgeFailed, match="no POP"):
        client.edge.fault("/x", "reset", pops=["ZZZ1-C1"])
    with pytest.raises(EdgeFailed, match="no POP"):
        client.edge.dark("ZZZ1-C1")
    with pytest.raises(EdgeFailed, match="unknown field colour"):
        client.edge.put_object("/x", {"colour": 1})


def test_goaway_ends_no_request_that_was_accepted(client: Client, path: str) -> None:
    client.edge.fault(path, "goaway:20")
    multi, handles, where = pycurl.CurlMulti(), [], client.edge.addresses[TOKYO][0]
    multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
    for _ in range(200):
        curl = pycurl.Curl()
        curl.setopt(pycurl.URL, f"https://{HOST}{path}")
        curl.setopt(pycurl.CONNECT_TO, [f"{HOST}:443:{where}:{client.edge.ready['https_port']}"])
        curl.setopt(pycurl.CAINFO, client.edge.ready["ca_bundle"])
        curl.setopt(pycurl.HTTP_VERSION, HTTP2)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.TIMEOUT_MS, 5000)
        curl.setopt(pycurl.WRITEFUNCTION, len)
        multi.add_handle(curl)
        handles.append(curl)
    while multi.perform()[1]:
        multi.select(0.05)
    _, whole, failed = multi.info_read(len(handles))
    assert failed == []
    assert {curl.getinfo(pycurl.RESPONSE_CODE) for curl in whole} == {200}


def test_purge_removes_from_all_caches(client: Client, path: str) -> None:
    for pop in (TOKYO, TOKYO_2, DALLAS):
        client.request(path, pop)
    assert client.edge.purge([path]) == 5  # three POPs, two regional edge caches
    assert client.request(path, TOKYO_2).x_cache == "Miss"
    assert client.edge.purge([path[:-1] + "*"], domain="d222def.cloudfront.net") == 0
    assert client.edge.purge([path[:-1] + "*"]) == 2


def test_changed_content_has_another_etag_and_is_seen_after_a_purge(client: Client, path: str) -> None:
    before = client.request(path).headers["etag"]
    client.edge.put_object(path, {"size": 1024})
    assert client.request(path).headers["etag"] == before
    client.edge.purge(["/*"])
    assert client.request(path).headers["etag"] != before


def test_dark_pops_refuse_and_come_back(client: Client, path: str) -> None:
    assert client.request(path, DARK).error == pycurl.E_COULDNT_CONNECT
    client.edge.dark(DARK, dark=False)
    assert client.request(path, DARK).status == 200
    client.edge.dark(DARK)
    assert client.request(path, DARK).error == pycurl.E_COULDNT_CONNECT


def test_impostor_tls_faults_and_http1_only(client: Client, path: str) -> None:
    assert client.request(path, IMPOSTOR).headers["x-amz-cf-pop"] == DALLAS
    assert client.request(path, EXPIRED).error == pycurl.E_PEER_FAILED_VERIFICATION
    assert client.request(path, WRONG_NAME).error == pycurl.E_PEER_FAILED_VERIFICATION
    assert client.request(path, OLD, version=HTTP2).version == HTTP1


@pytest.fixture(scope="module")
def ask(client: Client) -> Callable[[str, str], tuple[int, list[str]]]:
    address, _, port = client.edge.settings()["PREWARM_NAMESERVERS"].partition(":")

    def ask(name: str, kind: str = "A") -> tuple[int, list[str]]:
        query = dns.message.make_query(name, kind)
        response = dns.query.udp(query, address, port=int(port), timeout=3)
        assert response.answer == dns.query.tcp(query, address, port=int(port), timeout=3).answer
        return response.rcode(), [record.to_text() for rrset in response.answer for record in rrset]

    return ask


def test_dns(client: Client, ask: Callable[..., tuple[int, list[str]]]) -> None:
    addresses = client.edge.addresses
    assert all(address.startswith("127.64.0.") for pop in POPS for address in addresses[pop])
    for pop in (TOKYO, DARK):
        assert ask(f"d111abc.{pop}.cloudfront.net") == (dns.rcode.NOERROR, addresses[pop])
    assert ask("D222DEF.nrt57-p3.CloudFront.NET") == (dns.rcode.NOERROR, addresses[TOKYO])
    assert ask(f"d111abc.{TOKYO}.cloudfront.net", "AAAA") == (dns.rcode.NOERROR, [])
    assert ask(DOMAIN) == (dns.rcode.NOERROR, addresses[TOKYO])
    assert ask("a.img.example.com") == (dns.rcode.NOERROR, [DOMAIN + ".", *addresses[TOKYO]])
    assert ask(HOST, "CNAME") == (dns.rcode.NOERROR, [DOMAIN + "."])
    for name in ("d111abc.XYZ9-C1.cloudfront.net", f"d999.{TOKYO}.cloudfront.net", "example.com"):
        assert ask(name) == (dns.rcode.NXDOMAIN, [])


def test_settings_name_what_the_product_reads(client: Client) -> None:
    settings = client.edge.settings()
    assert settings["PREWARM_EDGE_NETWORKS"] == "127.0.0.0/8"
    assert "BEGIN CERTIFICATE" in Path(settings["PREWARM_CA_BUNDLE"]).read_text()
    assert settings["PREWARM_HTTPS_PORT"].isdecimal()
    assert settings["PREWARM_HTTP_PORT"].isdecimal()


def test_regional_hits_can_be_hidden_and_unknown_paths_are_a_cached_404() -> None:
    config = CONFIG | {"regional_hits_visible": False, "default_object": None, "edge_latency_ms": 30}
    with SimulatedCloudFront(config) as edge:
        client = Client(edge)
        assert [client.request("/empty", pop).x_cache for pop in (TOKYO, TOKYO_2, TOKYO_2)] == ["Miss", "Miss", "Hit"]
        unknown = client.request("/unknown")
        assert (unknown.status, unknown.x_cache) == (404, "Error")
        assert client.asked("/empty") == 1
