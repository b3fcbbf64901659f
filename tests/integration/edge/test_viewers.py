"""The simulated CloudFront's connections: hosts, protocols, TLS, dark POPs, large bodies."""

from pathlib import Path

import pycurl

from prewarm_local.edge.content import expected_body
from tests.support.edge_client import (
    DALLAS,
    DARK,
    EXPIRED,
    HTTP1,
    HTTP2,
    IMPOSTOR,
    OLD,
    WRONG_NAME,
    Client,
    both_protocols,
)


def test_unknown_host_and_post_are_forbidden(client: Client, path: str) -> None:
    assert client.request(path, host="a.img.example.com").status == 200
    plain = client.request(path, host="other.example.org", scheme="http")
    assert (plain.status, plain.x_cache) == (403, "Error")
    assert client.request(path, host="a.b.img.example.com", scheme="http").status == 403
    post = client.request(path, method="POST")
    assert (post.status, post.headers["server"]) == (403, "CloudFront")


def test_plain_http_and_every_address_respond(client: Client, path: str) -> None:
    assert client.request(path, scheme="http", version=HTTP1).x_cache == "Miss"
    assert client.request(path, address=1).x_cache == "Hit"


@both_protocols
def test_large_and_chunked_bodies_arrive_whole(client: Client, version: int) -> None:
    for _ in range(2):
        big = client.request("/big.bin", version=version)
        assert big.is_whole
        chunks = client.request("/chunks", version=version)
        assert chunks.body == expected_body(chunks.headers["etag"], 200_000)
    assert big.x_cache == "Hit"


def test_huge_body_streams_in_constant_memory(client: Client) -> None:
    def resident() -> int:
        status = Path(f"/proc/{client.edge.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    before = resident()
    got = client.request("/huge.bin", version=HTTP1, keep=False, timeout_ms=2000)
    assert got.received > 20_000_000
    assert got.error in (0, pycurl.E_OPERATION_TIMEDOUT)
    assert resident() - before < 40_000


def test_dark_pop_refuses_connections_until_lit(client: Client, path: str) -> None:
    assert client.request(path, DARK).error == pycurl.E_COULDNT_CONNECT
    client.edge.dark(DARK, dark=False)
    assert client.request(path, DARK).status == 200
    client.edge.dark(DARK)
    assert client.request(path, DARK).error == pycurl.E_COULDNT_CONNECT


def test_impostor_tls_faults_and_http1_only_pop(client: Client, path: str) -> None:
    assert client.request(path, IMPOSTOR).headers["x-amz-cf-pop"] == DALLAS
    assert client.request(path, EXPIRED).error == pycurl.E_PEER_FAILED_VERIFICATION
    assert client.request(path, WRONG_NAME).error == pycurl.E_PEER_FAILED_VERIFICATION
    assert client.request(path, OLD, version=HTTP2).version == HTTP1


def test_settings_point_to_the_simulation(client: Client) -> None:
    settings = client.edge.settings()
    assert settings["PREWARM_EDGE_NETWORKS"] == "127.0.0.0/8"
    assert "BEGIN CERTIFICATE" in Path(settings["PREWARM_CA_BUNDLE"]).read_text()
    assert settings["PREWARM_HTTPS_PORT"].isdecimal()
    assert settings["PREWARM_HTTP_PORT"].isdecimal()
