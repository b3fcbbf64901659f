"""The gateway's HTTP server: read requests within API Gateway's limits, and write responses."""

from __future__ import annotations

import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from prewarm_local.stack.proxy_event import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

# API Gateway's limit of a request's body, in bytes.
MAX_BODY = 10 * 1024 * 1024
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_MAX_DIGITS = 12
# A refused body is read to its end, within these limits, so that the client can read the response.
_DRAIN_BYTES, _DRAIN_SECONDS = 256 * 1024 * 1024, 5.0
# Headers of a single connection, which this server sets itself.
_HOP_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "date", "server"})


class HttpServer(ThreadingHTTPServer):
    """Passes each request on 127.0.0.1:`port` to `answer`.

    The second argument is the gateway response type of a refused body, or None.
    May raise OSError if the port is in use.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request, str | None], Response]) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: clients may close their connections at any time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "embedded-gateway", ""
    # Headers and body are two writes; Nagle's algorithm would delay the second by 40 ms.
    disable_nagle_algorithm = True
    server: HttpServer

    def _serve(self) -> None:
        body, refusal = self._read_body()
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, list(self.headers.items()), body, self.client_address[0])
        response = self.server.answer(request, refusal)
        if refusal:
            self.close_connection = True
        self.send_response(response.status)
        for name, value in response.headers:
            if name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("x-amzn-RequestId", request.id)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        if refusal:
            self._drain()

    def __getattr__(self, name: str) -> object:
        """Return the handler of any method.

        `http.server` looks for `do_METHOD`, and answers 501 without it.
        """
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _read_body(self) -> tuple[bytes, str | None]:
        """Return the body, or an empty body and the gateway response type of the refusal."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        lengths = {value.strip() for value in self.headers.get_all("Content-Length", ["0"])}
        # Digits only (RFC 9110, 8.6): not `+5`, `5_0`, `٣`, an empty value or two lengths that differ.
        if len(lengths) != 1 or not _DIGITS.fullmatch(length := lengths.pop()):
            return b"", "BAD_REQUEST_BODY"
        # Python refuses to read thousands of digits.
        digits = length.lstrip("0") or "0"
        if len(digits) > _MAX_DIGITS or int(digits) > MAX_BODY:
            return b"", "REQUEST_TOO_LARGE"
        return self.rfile.read(int(digits)), None

    def _read_chunks(self) -> tuple[bytes, str | None]:
        body = b""
        while True:
            size = self.rfile.readline(1024).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                return b"", "BAD_REQUEST_BODY"
            if len(body) + int(size, 16) > MAX_BODY:
                return b"", "REQUEST_TOO_LARGE"
            body += self.rfile.read(int(size, 16))
            while self.rfile.readline(1024).strip() and int(size, 16) == 0:
                pass  # trailers, after the last chunk
            if int(size, 16) == 0:
                return body, None

    def _drain(self) -> None:
        """Read what the client still sends.

        Closing a socket with unread bytes would cut off the response.
        """
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_SECONDS)
            left = _DRAIN_BYTES
            while left > 0 and (chunk := self.rfile.read1(65_536)):
                left -= len(chunk)
        except OSError:
            pass  # the client has disconnected

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Log nothing: the functions log their responses."""
