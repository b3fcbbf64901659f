"""An edge on one socket that records the bytes of each request and sends the bytes that a test chooses."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import trustme

from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.settings import Settings
from tests.support.edge_urls import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from prewarm.fetcher.response import Response

POP = "SYD1-C1"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nX-Cache: Miss from cloudfront\r\nX-Amz-Cf-Pop: SYD1-C1\r\nContent-Length: 2\r\n"
    b"Connection: close\r\n\r\nok"
)
SECONDS = 10


class RawEdge:
    """A server of HTTP/1.1 without TLS, or of HTTP/2 with TLS.

    `targets` are the request targets as they arrived; `answer` returns the response to an HTTP/1.1 target.
    """

    def __init__(self, answer: Callable[[bytes], bytes], tls: ssl.SSLContext | None = None) -> None:
        self.targets: list[bytes] = []
        self._answer, self._tls = answer, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(SECONDS)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                connection.settimeout(SECONDS)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._serve_http1(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._serve_http2(secured)

    def _serve_http1(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (chunk := connection.recv(65_536)):
                return
            received += chunk
        # Without split(): a target with a space would show here as one.
        line = received.partition(b"\r\n")[0]
        target = line.partition(b" ")[2].rpartition(b" ")[0]
        self.targets.append(target)
        connection.sendall(self._answer(target))

    def _serve_http2(self, connection: ssl.SSLSocket) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding=None, validate_inbound_headers=False)
        machine = h2.connection.H2Connection(config)
        machine.initiate_connection()
        connection.sendall(machine.data_to_send())
        while chunk := connection.recv(65_536):
            for event in machine.receive_data(chunk):
                if isinstance(event, h2.events.RequestReceived):
                    self.targets.append(dict(event.headers)[b":path"])
                    headers = {":status": "200", "x-cache": "Miss from cloudfront", "x-amz-cf-pop": POP}
                    machine.send_headers(event.stream_id, list(headers.items()))
                    machine.send_data(event.stream_id, b"ok", end_stream=True)
            connection.sendall(machine.data_to_send())


@contextlib.contextmanager
def http1_edge(answer: Callable[[bytes], bytes] = lambda _: ANSWER) -> Iterator[tuple[RawEdge, Fetcher]]:
    """Run an edge of HTTP/1.1 without TLS; yield it with a fetcher that reaches it by http:// URLs."""
    edge = RawEdge(answer)
    try:
        yield edge, _fetcher(PREWARM_HTTP_PORT=str(edge.port))
    finally:
        edge.close()


@contextlib.contextmanager
def http2_edge(folder: Path) -> Iterator[tuple[RawEdge, Fetcher]]:
    """Run an edge of HTTP/2; yield it with a fetcher that reaches it by https:// URLs."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    context.set_alpn_protocols(["h2"])
    edge = RawEdge(lambda _: b"", context)
    try:
        yield edge, _fetcher(PREWARM_HTTPS_PORT=str(edge.port), PREWARM_CA_BUNDLE=str(folder / "ca.pem"))
    finally:
        edge.close()


def _fetcher(**settings: str) -> Fetcher:
    usual = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_STALL_SECONDS": "5"}
    return Fetcher(Settings.from_environment(usual | settings))


def fetch_each(fetcher: Fetcher, urls: Sequence[str], *, head: bool = False) -> list[Response]:
    """Return the responses to URLs that are fetched one after the other."""
    responses: list[Response] = []

    def collect(_fetch: Fetch, response: Response) -> None:
        responses.append(response)

    for url in urls:
        assert fetcher.run([Fetch(url, [], PopQueue(["127.0.0.1"]), head=head)], collect) == []
    return responses
