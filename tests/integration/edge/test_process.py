"""The simulated CloudFront as a process: many POPs, signals, and invalid configurations."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from prewarm_local.edge.process import EdgeFailed, SimulatedCloudFront
from tests.support.edge_client import CONFIG, DOMAIN, HOST, Client


@contextmanager
def _edge_with_many_sockets() -> Iterator[SimulatedCloudFront]:
    pops = [f"{chr(65 + n // 26)}{chr(65 + n % 26)}X{n}-P1" for n in range(550)]
    with SimulatedCloudFront(
        {"distributions": [{"domain": DOMAIN, "aliases": [HOST]}], "pops": pops, "addresses_per_pop": 2}
    ) as edge:
        yield edge


def test_550_pops_listen_on_two_addresses_and_end_when_stdin_closes() -> None:
    began = time.monotonic()
    with _edge_with_many_sockets() as edge:
        assert time.monotonic() - began < 5
        last = list(edge.addresses.values())[-1][-1]
        for port in ("https_port", "http_port"):
            socket.create_connection((last, edge.ready[port]), timeout=2).close()
        assert edge.stop() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((last, edge.ready["http_port"]), timeout=2)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_cleanly_during_a_request(name: signal.Signals) -> None:
    edge = SimulatedCloudFront(CONFIG).start()
    viewer = Client(edge)
    with ThreadPoolExecutor(1) as pool:
        edge.fault("/x", "stall")
        waiting = pool.submit(viewer.request, "/x", timeout_ms=5000)
        time.sleep(0.2)
        began = time.monotonic()
        subprocess.run(["kill", f"-{int(name)}", str(edge.pid)], check=True)
        assert waiting.result().error != 0
    time.sleep(0.1)
    assert edge.errors == ""
    assert edge.stop() == 0
    assert time.monotonic() - began < 3


def test_invalid_configuration_is_rejected_with_the_field() -> None:
    with pytest.raises(EdgeFailed, match="pops: 'NRT' is not like NRT57-P3"):
        SimulatedCloudFront({**CONFIG, "pops": ["NRT"]}).start()
