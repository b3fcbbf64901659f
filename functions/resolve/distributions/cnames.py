"""CNAME chains of hosts. A CNAME is a hint, not a proof: any domain's owner can point a name anywhere."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from prewarm.settings import Settings

QUERIES_AT_ONCE = 64
SECONDS_PER_QUERY = 3.0
_CNAME = dns.rdatatype.CNAME


def cname_chains(hosts: Sequence[str], settings: Settings) -> dict[str, list[str]]:
    """Return each host's CNAME targets in order; an empty list if it has none or its DNS does not respond."""
    if not hosts:
        return {}
    return asyncio.run(_query_all(list(dict.fromkeys(hosts)), settings))


async def _query_all(hosts: list[str], settings: Settings) -> dict[str, list[str]]:
    try:
        resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    except dns.resolver.NoResolverConfiguration:
        return {host: [] for host in hosts}
    if settings.nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(each.address, each.port) for each in settings.nameservers
        ]
    resolver.lifetime = SECONDS_PER_QUERY
    resolver.cache = None
    slots = asyncio.Semaphore(QUERIES_AT_ONCE)

    async def query(host: str) -> list[str]:
        async with slots:
            try:
                answer = await resolver.resolve(host + ".", "A", raise_on_no_answer=False)
            except (dns.exception.DNSException, OSError):
                return []
            links = {rrset.name: rrset[0].target for rrset in answer.response.answer if rrset.rdtype == _CNAME}
            chain: list[str] = []
            name = dns.name.from_text(host)
            while (name := links.pop(name, None)) is not None:
                chain.append(name.to_text(omit_final_dot=True).lower())
            return chain

    return dict(zip(hosts, await asyncio.gather(*(query(host) for host in hosts)), strict=True))
