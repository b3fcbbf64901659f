"""The subsegments of a run as the X-Ray daemon receives them, annotated with the run."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.edge_urls import fresh
from tests.support.handlers import SYDNEY, Machine

TRACE = "Root=1-67a1b2c3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """The subsegments that a daemon on loopback has received."""
    segments: list[dict[str, object]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(0.2)
        stopped = threading.Event()

        def listen() -> None:
            while not stopped.is_set():
                try:
                    segments.append(json.loads(daemon.recv(65_536).partition(b"\n")[2]))
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        monkeypatch.setenv(
            "_X_AMZN_TRACE_ID", "Root=1-67a1b2c3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"
        )
        yield segments
        stopped.set()
        listener.join()


def test_each_function_sends_its_subsegments(machine: Machine, received: list[dict[str, object]]) -> None:
    machine.run({"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]]}, "traced")
    names = [
        "read sources",
        "find distributions",
        "probe POPs",
        "store plan",
        "fetch",
        "write",
        "roll up",
        "write report",
    ]
    for _ in range(100):
        if len(received) >= len(names):
            break
        threading.Event().wait(0.02)
    assert [each["name"] for each in received] == names
    assert {each["annotations"]["run"] for each in received} == {"traced"}  # type: ignore[index]
    (fetch,) = [each for each in received if each["name"] == "fetch"]
    assert fetch["annotations"] == {"run": "traced", "batch": "1-000000", "part": 0}
