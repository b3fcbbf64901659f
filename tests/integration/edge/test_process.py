"""The simulated CloudFront as a process: many POPs, signals, and configurations that are wrong."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from prewarm_local.edge.config import ConfigError, read_config
from prewarm_local.edge.process import EdgeFailed, SimulatedCloudFront

if TYPE_CHECKING:
    from collections.abc import Iterator
from tests.support.edge_client import CONFIG, DOMAIN, HOST, TOKYO, Client


@contextmanager
def _descriptor_hungry() -> Iterator[SimulatedCloudFront]:
    pops = [f"{chr(65 + n // 26)}{chr(65 + n % 26)}X{n}-P1" for n in range(550)]
    with SimulatedCloudFront(
        {"distributions": [{"domain": DOMAIN, "aliases": [HOST]}], "pops": pops, "addresses_per_pop": 2}
    ) as edge:
        yield edge


def test_550_pops_listen_on_two_addresses_each_and_end_when_the_input_closes() -> None:
    began = time.monotonic()
    with _descriptor_hungry() as edge:
        assert time.monotonic() - began < 5
        last = list(edge.addresses.values())[-1][-1]
        for port in ("https_port", "http_port"):
            socket.create_connection((last, edge.ready[port]), timeout=2).close()
        assert edge.stop() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((last, edge.ready["http_port"]), timeout=2)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_with_requests_under_way(name: signal.Signals) -> None:
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


def test_a_wrong_configuration_says_what_is_wrong() -> None:
    with pytest.raises(EdgeFailed, match="pops: 'NRT' is not like NRT57-P3"):
        SimulatedCloudFront({**CONFIG, "pops": ["NRT"]}).start()
    for wrong, message in (
        ({"colour": "red"}, "unknown field colour"),
        ({"dark": ["ZZZ1-C1"]}, "dark: not among pops"),
        ({"addresses_per_pop": 9}, "addresses_per_pop"),
        ({"distributions": []}, "distributions"),
        ({"objects": {"/x": {"status": 99}}}, "status"),
        ({"tls_faults": {TOKYO: "odd"}}, "tls_faults"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_config({**CONFIG, **wrong})
