"""Nameservers on loopback whose responses a test decides."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rrset

from prewarm.settings import Nameserver

# Returns the response to a query, or None for no response.
Answerer = Callable[[dns.message.Message, int], dns.message.Message | None]


def answer_with(query: dns.message.Message, *addresses: str) -> dns.message.Message:
    response = dns.message.make_response(query)
    if addresses:
        name = query.question[0].name
        response.answer.append(dns.rrset.from_text_list(name, 60, "IN", "A", addresses))
    return response


def failing(query: dns.message.Message, code: dns.rcode.Rcode) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(code)
    return response


def two_sockets() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port; a port that is free for one may be in use for the other."""
    for _ in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(("127.0.0.1", udp.getsockname()[1]))
        except OSError:
            udp.close()
    raise OSError("no port is free for both")


@contextmanager
def nameserver(answerer: Answerer) -> Iterator[Nameserver]:  # noqa: C901 - two small servers
    """A nameserver on loopback, UDP and TCP; `answerer` receives each query and its count for that name."""
    queries: Counter[str] = Counter()

    def respond(wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True)
        queries[name] += 1
        response = answerer(query, queries[name])
        return None if response is None else response.to_wire(max_size=65_535, want_shuffle=False)

    udp, tcp = two_sockets()

    def serve_udp() -> None:
        while True:
            try:
                wire, client = udp.recvfrom(4096)
            except OSError:
                return
            if wire == b"end":
                return
            if response := respond(wire):
                udp.sendto(response, client)

    def serve_tcp() -> None:
        while True:
            connection, _ = tcp.accept()
            with connection:
                head = connection.recv(2)
                if len(head) < 2:
                    return
                response = respond(connection.recv(struct.unpack("!H", head)[0])) or b""
                connection.sendall(struct.pack("!H", len(response)) + response)

    threads = [threading.Thread(target=serve_udp), threading.Thread(target=serve_tcp)]
    for thread in threads:
        thread.start()
    address = udp.getsockname()
    try:
        yield Nameserver(*address)
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", address)
        socket.create_connection(address).close()
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()
