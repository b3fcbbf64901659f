"""Sources that never end: a server that sends a byte at a time, and small files that expand to over a gigabyte."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.request.model import PrewarmRequest
from prewarm.request.url_parser import parse_url
from prewarm.settings import Settings
from resolve.sources import document_reader
from resolve.sources.budget import Budget
from resolve.sources.document_reader import DocumentReader
from tests.support.definitions import ROOT
from tests.support.source_bombs import bombs

HOST, DOMAIN = "www.example.com", "d111abc.cloudfront.net"
TOP = parse_url(f"http://{HOST}/sitemap.xml")
HEAD = b"HTTP/1.1 200 OK\r\nX-Cache: Miss from cloudfront\r\nX-Amz-Cf-Pop: SYD1-C1\r\n"
BYTE_SECONDS = 0.5
# A run's reading has 300 seconds, a document 60; the server and the clock are the same, only the budget is smaller.
BUDGET_SECONDS = 1.2
# Above the budget, for a machine with many processes. A reading without a limit would take over a minute.
GRACE_SECONDS = 4.0
MOST_BYTES = 1_000_000


class DrippingServer:
    """Answers each request with `begin` at once, then a byte every half second for a minute."""

    def __init__(self, begin: bytes) -> None:
        self.connections = 0
        self._begin, self._closed = begin, threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening and sending."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65_536)
            connection.sendall(self._begin)
            for _ in range(120):
                if self._closed.wait(BYTE_SECONDS):
                    return
                connection.sendall(b"a")


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], DrippingServer]]:
    servers: list[DrippingServer] = []

    def start(begin: bytes) -> DrippingServer:
        servers.append(DrippingServer(begin))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def reader_of(port: int, budget: Budget, monkeypatch: pytest.MonkeyPatch) -> DocumentReader:
    """Return the real reader, whose only stand-ins are the account's distribution and its DNS answer."""
    monkeypatch.setattr(document_reader, "addresses_of", lambda names, _: {name: ["127.0.0.1"] for name in names})
    found = SimpleNamespace(reasons={}, distributions={HOST: SimpleNamespace(domain=DOMAIN)})
    finder: Any = SimpleNamespace(lists=lambda _: True, find=lambda *_: found)
    unused: Any = SimpleNamespace()
    environment = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_HTTP_PORT": str(port),
                   "PREWARM_EDGE_NETWORKS": "127.0.0.0/8"}  # fmt: skip
    fields = PrewarmRequest.model_validate({"url_list": [TOP.given], "region_type": "region", "region": ["eu"]})
    return DocumentReader(finder, Settings.from_environment(environment), fields, budget, unused, unused)


BODY = HEAD + b"Content-Length: 1000\r\n\r\n<urlset>"


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 O", HEAD, BODY, HEAD + b"\r\n<urlset>"],
                         ids=["status", "headers", "body", "body of unknown length"])  # fmt: skip
def test_byte_every_half_second_ends_with_the_budget(
    begin: bytes, dripping: Callable[[bytes], DrippingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, budget = dripping(begin), Budget(seconds=BUDGET_SECONDS)
    reader, started = reader_of(server.port, budget, monkeypatch), time.monotonic()
    (document,) = reader.read([TOP], MOST_BYTES)
    assert time.monotonic() - started < BUDGET_SECONDS + GRACE_SECONDS
    assert server.connections
    assert re.fullmatch(r"was not complete after 1(\.\d+)? seconds", document.problem)
    assert not document.body
    # The next documents of the run share the budget, which is spent.
    again = time.monotonic()
    assert all(each.problem for each in reader.read([TOP] * 3, MOST_BYTES))
    assert time.monotonic() - again < GRACE_SECONDS


@pytest.mark.parametrize("name", [name for name in bombs() if name.startswith("1.2 GB")])
def test_46_kilobytes_that_expand_to_1200_megabytes_are_refused_in_bounded_time_and_memory(name: str) -> None:
    assert len(bombs()[name][1]()) <= 46_000
    command = [sys.executable, "-m", "tests.support.source_bombs", name, "30"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=120).stdout
    seconds, megabytes, result = printed.strip().split("\t")
    assert result.startswith("source[0]: 'https://www.example.com/top' "), printed
    assert float(seconds.removesuffix(" s")) < 20, printed
    # The bomb's own making is in it: one member of 12 MB.
    assert float(megabytes.removesuffix(" MB")) < 150, printed
