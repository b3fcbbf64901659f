"""A nameserver between the functions and the simulated CloudFront's, which is silent, slow or wrong on demand."""

import random
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

# What the proxy does with a query: it returns the bytes to send, or None for silence.
Behaviour = Callable[["DnsProxy", dns.message.Message, bytes], bytes | None]
OUTSIDE = "192.0.2.1"


@dataclass
class DnsProxy:
    """Listens on UDP and TCP of one free loopback port; `upstream` is the address and port of the real nameserver.

    `behaviour` applies to names that `affects` accepts, and counts in `fired`.
    """

    upstream: tuple[str, int]
    chance: random.Random = field(default_factory=random.Random)
    behaviour: Behaviour | None = None
    affects: Callable[[str], bool] = lambda _: True
    fired: int = 0

    def __post_init__(self) -> None:
        # The free UDP port may be taken for TCP; then another one is tried.
        for attempt in range(20):
            self._udp = _Udp(("127.0.0.1", 0), _Datagram)
            try:
                self._tcp = _Tcp(("127.0.0.1", self._udp.server_address[1]), _Stream)
                break
            except OSError:
                self._udp.server_close()
                if attempt == 19:
                    raise
        for server in (self._udp, self._tcp):
            server.proxy = self
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._udp.server_address[1]}"

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def clear(self) -> None:
        self.behaviour, self.affects, self.fired = None, lambda _: True, 0

    def respond(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the response to a query, or None."""
        query = dns.message.from_wire(wire)
        if self.behaviour is None or not self.affects(query.question[0].name.to_text().lower()):
            return self.ask(wire)
        self.fired += 1
        if tcp and self.behaviour is truncated:
            return self.ask(wire)
        return self.behaviour(self, query, wire)

    def ask(self, wire: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.settimeout(5)
            asked.sendto(wire, self.upstream)
            return asked.recv(65_535)


def silent(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> None:
    """Drop the query."""


def lossy(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes | None:
    """Drop four of ten queries."""
    return None if proxy.chance.random() < 0.4 else proxy.ask(wire)


def slow(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
    """Answer just within the time of one try."""
    time.sleep(proxy.chance.uniform(0.2, 0.6))
    return proxy.ask(wire)


def later_than_a_try(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
    """Answer after the first try's time: the client gets responses to queries that it has given up."""
    time.sleep(0.9)
    return proxy.ask(wire)


def code(name: str) -> Behaviour:
    """Answer with a response code."""

    def behave(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(name))
        return response.to_wire()

    return behave


def garbage(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
    """Answer with the query's id and random bytes."""
    return wire[:2] + proxy.chance.randbytes(40)


def truncated(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
    """Ask the client to use TCP, where it is answered."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response.to_wire()


def address(value: str) -> Behaviour:
    """Answer with an address."""

    def behave(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", value))
        return response.to_wire()

    return behave


def without_subnet(proxy: DnsProxy, query: dns.message.Message, wire: bytes) -> bytes:
    """Answer as a resolver that drops the client's subnet (RFC 7871, 7.1)."""
    query.use_edns(0, 0, 1232, options=[])
    return proxy.ask(query.to_wire())


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    proxy: DnsProxy


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    proxy: DnsProxy


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        data, sock = self.request
        try:
            if (response := self.server.proxy.respond(data, tcp=False)) is not None:
                sock.sendto(response, self.client_address)
        except (OSError, dns.exception.DNSException):
            return  # the case has ended


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        try:
            while len(head := self.rfile.read(2)) == 2:
                response = self.server.proxy.respond(self.rfile.read(struct.unpack("!H", head)[0]), tcp=True)
                if response is None:
                    return
                self.wfile.write(struct.pack("!H", len(response)) + response)
        except (OSError, dns.exception.DNSException):
            return
