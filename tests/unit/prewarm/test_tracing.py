"""Subsegments are sent to the daemon as X-Ray documents, only with a daemon and a sampled trace."""

import json
import socket
from collections.abc import Iterator

import pytest

from prewarm.tracing import subsegment

TRACE = "Root=1-67a1b2c3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(2)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{made.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
        yield made


def received(daemon: socket.socket) -> dict[str, object]:
    header, _, body = daemon.recv(65_536).partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    document: dict[str, object] = json.loads(body)
    return document


def test_block_becomes_a_subsegment_of_the_invocation(daemon: socket.socket) -> None:
    with subsegment("fetch", run="r", **{"batch-id": "1-000000"}):
        pass
    document = received(daemon)
    assert (document["type"], document["name"], document["fault"]) == ("subsegment", "fetch", False)
    assert (document["trace_id"], document["parent_id"]) == (
        "1-67a1b2c3-0123456789abcdef01234567",
        "53995c3f42cd8ad8",
    )
    assert document["annotations"] == {"run": "r", "batch_id": "1-000000"}
    assert isinstance(document["id"], str)
    assert len(document["id"]) == 16
    assert document["start_time"] <= document["end_time"]  # type: ignore[operator]


def test_exception_in_a_block_is_a_fault_and_propagates(daemon: socket.socket) -> None:
    with pytest.raises(ZeroDivisionError), subsegment("fetch"):
        _ = 1 / 0
    assert received(daemon)["fault"] is True


@pytest.mark.parametrize("trace", ["", "Root=1-a-b;Parent=c;Sampled=0", "Sampled=1", "nonsense"])
def test_unsampled_trace_is_not_sent(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, trace: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    daemon.settimeout(0.05)
    with subsegment("fetch"):
        pass
    with pytest.raises(TimeoutError):
        daemon.recv(100)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:x"])
def test_block_runs_without_a_daemon(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    ran = False
    with subsegment("fetch"):
        ran = True
    assert ran
