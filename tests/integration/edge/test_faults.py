"""The simulated CloudFront's faults, set through its control endpoint."""

import time
from typing import Any

import pycurl
import pytest

from prewarm_local.edge.content import expected_body
from prewarm_local.edge.process import EdgeFailed
from tests.support.edge_client import DALLAS, E_HTTP2_STREAM, HOST, HTTP2, TOKYO, TOKYO_2, Client, Got, both_protocols


@both_protocols
@pytest.mark.parametrize("fault", ["truncated", "chunked_cut"])
def test_body_cut_off_at_the_origin_breaks_the_viewers_stream(
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
def test_stall_and_no_answer_time_out(client: Client, path: str, version: int) -> None:
    client.edge.fault(path, "stall", times=1)
    stalled = client.request(path, version=version, timeout_ms=300)
    assert (stalled.error, stalled.status, len(stalled.body)) == (pycurl.E_OPERATION_TIMEDOUT, 200, 512)
    silent_path = path + "?silent"
    client.edge.fault(silent_path, "no_answer", times=1)
    silent = client.request(silent_path, version=version, timeout_ms=300)
    assert (silent.error, silent.status) == (pycurl.E_OPERATION_TIMEDOUT, 0)
    late = client.request(silent_path, version=version)  # waits for the fetch in progress
    assert (late.status, late.x_cache) == (504, "Error")


@both_protocols
def test_failing_origin_returns_502_or_its_own_status(client: Client, path: str, version: int) -> None:
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
def test_edge_faults_change_the_response(client: Client, path: str, version: int) -> None:
    def once(fault: str, **more: Any) -> Got:
        client.edge.fault(path, fault, times=1)
        return client.request(path, version=version, **more)

    reset = once("reset")
    # The error depends on whether curl is writing a settings frame at that moment.
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
def test_goaway_makes_the_client_reconnect(client: Client, path: str, version: int) -> None:
    client.edge.fault(path, "goaway:3")
    curl, connects = pycurl.Curl(), []
    for _ in range(7):
        got = client.request(path, version=version, handle=curl)
        assert (got.status, got.error) == (200, 0)
        connects.append(curl.getinfo(pycurl.NUM_CONNECTS))
    assert connects == [1, 0, 0, 1, 0, 0, 1]


def test_goaway_ends_no_accepted_request(client: Client, path: str) -> None:
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


def test_fault_at_one_pop_does_not_affect_others(client: Client, path: str) -> None:
    client.edge.fault(path, "truncated", pops=[TOKYO], times=1)
    assert client.request(path, TOKYO_2).error == 0
    assert client.request(path, TOKYO).error == E_HTTP2_STREAM
    assert client.request(path, TOKYO).x_cache == "Hit"
    client.edge.fault(path, "waf_block", pops=[DALLAS])
    assert client.request(path, DALLAS).status == 403
    assert client.request(path, TOKYO).status == 200
    client.edge.fault(path, None)
    assert client.request(path, DALLAS).status == 200


def test_unknown_fault_pop_and_field_are_rejected(client: Client) -> None:
    with pytest.raises(EdgeFailed, match="unknown fault 'explode'; valid faults: refused, truncated"):
        client.edge.fault("/x", "explode")
    with pytest.raises(EdgeFailed, match="takes a number"):
        client.edge.fault("/x", "status:teapot")
    with pytest.raises(EdgeFailed, match="unknown POP"):
        client.edge.fault("/x", "reset", pops=["ZZZ1-C1"])
    with pytest.raises(EdgeFailed, match="unknown POP"):
        client.edge.dark("ZZZ1-C1")
    with pytest.raises(EdgeFailed, match="unknown field colour"):
        client.edge.put_object("/x", {"colour": 1})
