"""The DNS of the simulated CloudFront: POP names, distribution domains and the CNAMEs of their aliases.

One server plays two: a resolver, for queries with RD, and CloudFront's own nameservers, which NS records name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from typing import TYPE_CHECKING, cast

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from prewarm_local.edge.edge import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prewarm_local.edge.config import Distribution

TTL = 60
SUFFIX = ".cloudfront.net"
ZONE, NAMESERVER, NAMESERVER_ADDRESS = "cloudfront.net", "ns.cloudfront.net", "127.0.0.1"
BIND_TRIES = 10


class Zone:
    """The records of all names.

    `addresses`: the IPv4 addresses of each POP, in the order of responses.
    """

    def __init__(
        self,
        distributions: Sequence[Distribution],
        addresses: Mapping[str, Sequence[str]],
        client_subnets: Mapping[str, str],
        *,
        resolver_passes_subnets: bool = True,
        pop_names: bool = True,
    ) -> None:
        """Create the zone of the given distributions and POPs.

        `client_subnets` maps client networks to POPs. `resolver_passes_subnets`: whether queries with RD are answered
        by their client subnet; `pop_names`: whether POP names resolve.
        """
        self._resolver_passes_subnets, self._pop_names = resolver_passes_subnets, pop_names
        self._subnets = {ipaddress.ip_network(network): addresses[pop] for network, pop in client_subnets.items()}
        self._hosts = Hosts(tuple(distributions))
        self._domains = {distribution.domain for distribution in distributions}
        self._prefixes = {distribution.prefix for distribution in distributions}
        self._addresses = addresses
        self._by_lower = {pop.lower(): pop for pop in addresses}
        self._nearest = next(iter(addresses.values()))

    def lookup(self, name: str) -> tuple[str | None, Sequence[str]] | None:
        """Return (the CNAME's target or None, addresses) of a name, or None.

        The name is in lower case, without its last dot.
        """
        if name == NAMESERVER:
            return None, [NAMESERVER_ADDRESS]
        if name == ZONE:
            return None, []
        distribution = self._hosts.find(name)
        if distribution is not None:
            return (None if name == distribution.domain else distribution.domain), self._nearest
        prefix, _, rest = name.partition(".")
        pop = self._by_lower.get(rest.removesuffix(SUFFIX)) if rest.endswith(SUFFIX) else None
        if prefix not in self._prefixes or pop is None or not self._pop_names:
            return None  # a POP that was retired, or never existed
        return None, self._addresses[pop]

    def respond(self, wire: bytes) -> bytes | None:
        """Return the response to a query, both in wire format.

        Returns None if `wire` is not a query.
        """
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        question = query.question[0]
        owner = question.name
        record = self.lookup(owner.to_text(omit_final_dot=True).lower())
        if record is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return response.to_wire()
        cname, addresses = record
        passed = self._resolver_passes_subnets or not query.flags & dns.flags.RD
        name = owner.to_text(omit_final_dot=True).lower()
        if passed and self._hosts.find(name) is not None:
            addresses = self._for_client(query, response) or addresses
        if cname is not None:
            target = dns.name.from_text(cname)
            response.answer.append(dns.rrset.from_text(owner, TTL, "IN", "CNAME", target.to_text()))
            owner = target
        if question.rdtype == dns.rdatatype.NS and cname is None and (name == ZONE or name in self._domains):
            response.answer.append(dns.rrset.from_text(owner, TTL, "IN", "NS", f"{NAMESERVER}."))
        if question.rdtype == dns.rdatatype.A and addresses:
            response.answer.append(dns.rrset.from_text_list(owner, TTL, "IN", "A", addresses))
        return response.to_wire(want_shuffle=False)  # the order of the addresses is part of the configuration

    def _for_client(self, query: dns.message.Message, response: dns.message.Message) -> Sequence[str] | None:
        """Return the addresses for the query's client subnet, or None.

        Sets the subnet's scope in the response.
        """
        for option in query.options:
            if not isinstance(option, dns.edns.ECSOption):
                continue
            client = ipaddress.ip_address(option.address)
            for network, addresses in self._subnets.items():
                if client in network:
                    scope = dns.edns.ECSOption(option.address, option.srclen, network.prefixlen)
                    response.use_edns(0, 0, 1232, options=[scope])
                    return addresses
        return None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (response := self._zone.respond(data)) is not None:
            self._transport.sendto(response, addr)


async def serve_dns(zone: Zone, port: int) -> int:
    """Serve on 127.0.0.1, over UDP and TCP, on `port` (0: a free one).

    Returns the port.
    """
    loop = asyncio.get_running_loop()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                response = zone.respond(await reader.readexactly(length))
                if response is None:
                    break
                writer.write(struct.pack("!H", len(response)) + response)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    for tries_left in reversed(range(BIND_TRIES)):
        server = await asyncio.start_server(connection, "127.0.0.1", port)
        chosen: int = server.sockets[0].getsockname()[1]
        try:
            await loop.create_datagram_endpoint(lambda: _Datagrams(zone), local_addr=("127.0.0.1", chosen))
        except OSError:
            server.close()
            # A port that is free for TCP may be in use for UDP: try another, unless the port is fixed.
            if port or not tries_left:
                raise
        else:
            return chosen
    raise AssertionError("unreachable")
