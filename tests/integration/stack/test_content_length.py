"""The embedded front answers odd values of Content-Length as API Gateway does; it does not hang up."""

import socket
import threading
from collections.abc import Iterator

import pytest

from prewarm_local.stack.http_server import HttpServer
from prewarm_local.stack.proxy_event import Request, Response

STATUSES = {"BAD_REQUEST_BODY": 400, "REQUEST_TOO_LARGE": 413, None: 200}


def answer(_: Request, refusal: str | None) -> Response:
    return Response(STATUSES[refusal], [], b"{}")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HttpServer(0, answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["²"], 400),
        (["٣"], 400),
        (["-1"], 400),
        (["+2"], 400),
        (["1_0"], 400),
        (["0x2"], 400),
        (["2, 2"], 400),
        ([""], 400),
        (["two"], 400),
        (["2", "3"], 400),
        (["9" * 5_000], 413),
        (["10485761"], 413),
        (["2"], 200),
        (["2", "2"], 200),
        (["0" * 5_000 + "2"], 200),
    ],
)
def test_odd_content_length_is_answered(port: int, lines: list[str], status: int) -> None:
    headers = "".join(f"Content-Length: {value}\r\n" for value in lines)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"POST /api/prewarm HTTP/1.1\r\nHost: x\r\n{headers}\r\n{{}}".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(64).decode().startswith(f"HTTP/1.1 {status} ")
