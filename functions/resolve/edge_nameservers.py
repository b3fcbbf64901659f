"""CloudFront's own nameservers: found through the resolver, asked directly, over UDP, and TCP if a response is cut.

Which nameservers serve a distribution's name is public: the NS records of the name's delegation, or of
`cloudfront.net`, which refers to it. They answer queries with a client subnet by that subnet.
"""

import asyncio
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dns.asyncquery
import dns.asyncresolver
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from prewarm.settings import Settings

ZONE = dns.name.from_text("cloudfront.net.")
PAYLOAD_BYTES = 1232
SECONDS_PER_TRY = 0.8
# Of the nameservers of a zone so many are asked, one after the other, until one answers.
SERVERS_PER_ZONE = 3
# A name is delegated once; CNAMEs and further delegations are followed so far.
STEPS_AT_MOST = 4
NAMESERVER_FAILS = frozenset({dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP, dns.rcode.FORMERR})


@dataclass(frozen=True, slots=True)
class EdgeResponse:
    """What CloudFront's nameservers answered: addresses, and whether they depend on the client subnet."""

    addresses: list[str]
    scoped: bool


class EdgeNameservers:
    """The nameservers of CloudFront's names; each zone's are looked up once."""

    def __init__(self, resolver: dns.asyncresolver.Resolver, settings: Settings) -> None:
        self._resolver = resolver
        self._port = settings.edge_nameserver_port
        self._networks = settings.edge_networks or ()
        self._addresses: dict[dns.name.Name, asyncio.Task[list[str]]] = {}

    async def ask(self, name: str, subnet: dns.edns.ECSOption) -> EdgeResponse | None:
        """Return the response for clients of a subnet; None if no nameserver of CloudFront answers for the name."""
        owner = dns.name.from_text(name)
        if not owner.is_subdomain(ZONE):
            return None
        servers = await self._of_name(owner)
        for _ in range(STEPS_AT_MOST):
            response = await self._query(owner, subnet, servers)
            if response is None:
                return None
            chain = response.resolve_chaining()
            if chain.answer is not None:
                scopes = [each.scopelen for each in response.options if isinstance(each, dns.edns.ECSOption)]
                return EdgeResponse([record.address for record in chain.answer], any(scopes))
            if chain.canonical_name != owner and chain.canonical_name.is_subdomain(ZONE):
                owner = chain.canonical_name
                servers = await self._of_name(owner)
            elif referral := _referral(response, owner):
                servers = await self._of_hosts(referral)
            else:
                return EdgeResponse([], scoped=False)
        return None

    async def _query(
        self, owner: dns.name.Name, subnet: dns.edns.ECSOption, servers: Sequence[str]
    ) -> dns.message.QueryMessage | None:
        """Return the first usable response of the servers."""
        for server in servers:
            query = dns.message.make_query(owner, "A", use_edns=0, payload=PAYLOAD_BYTES, options=[subnet])
            query.flags &= ~dns.flags.RD
            try:
                response, _ = await dns.asyncquery.udp_with_fallback(
                    query, server, SECONDS_PER_TRY, self._port, ignore_unexpected=True, ignore_errors=True
                )
                if not isinstance(response, dns.message.QueryMessage) or response.rcode() in NAMESERVER_FAILS:
                    continue
                response.resolve_chaining()  # raises for a chain that no response should have
            except (dns.exception.DNSException, OSError, EOFError):
                continue
            return response
        return None

    async def _of_name(self, owner: dns.name.Name) -> list[str]:
        """Return the addresses of a name's nameservers: of its own delegation, or of the closest name above it."""
        zone = owner
        while zone.is_subdomain(ZONE):
            if zone not in self._addresses:
                self._addresses[zone] = asyncio.ensure_future(self._of_zone(zone))
            if servers := await self._addresses[zone]:
                return servers
            zone = zone.parent()
        return []

    async def _of_zone(self, zone: dns.name.Name) -> list[str]:
        try:
            answer = await self._resolver.resolve(zone, "NS", raise_on_no_answer=False)
        except (dns.exception.DNSException, OSError):
            return []
        if answer.rrset is None or answer.rrset.name != zone:
            return []
        return await self._of_hosts([record.target for record in answer.rrset])

    async def _of_hosts(self, hosts: Sequence[dns.name.Name]) -> list[str]:
        """Return the addresses of nameservers, the first of each, without those that are not public."""
        found = await asyncio.gather(*map(self._of_host, sorted(hosts)[:SERVERS_PER_ZONE]))
        return list(dict.fromkeys(address for addresses in found for address in addresses[:1]))

    async def _of_host(self, host: dns.name.Name) -> list[str]:
        try:
            answer = await self._resolver.resolve(host, "A", raise_on_no_answer=False)
        except (dns.exception.DNSException, OSError):
            return []
        return [record.address for record in answer.rrset or () if self._is_allowed(record.address)]

    def _is_allowed(self, address: str) -> bool:
        """Return whether a nameserver may be asked: its address is public, or in the networks set for the edge.

        So no DNS response makes the function send queries into a VPC.
        """
        ip = ipaddress.ip_address(address)
        is_public = ip.is_global and not ip.is_multicast
        return is_public or any(ip in network for network in self._networks if network.version == ip.version)


def _referral(response: dns.message.Message, owner: dns.name.Name) -> list[dns.name.Name]:
    """Return the nameservers to which a response without an answer refers for this name."""
    return [record.target for rrset in _delegations(response, owner) for record in rrset]


def _delegations(response: dns.message.Message, owner: dns.name.Name) -> Iterator[dns.rrset.RRset]:
    for rrset in response.authority:
        is_delegation = rrset.rdtype == dns.rdatatype.NS and not response.flags & dns.flags.AA
        if is_delegation and owner.is_subdomain(rrset.name) and rrset.name.is_subdomain(ZONE):
            yield rrset
