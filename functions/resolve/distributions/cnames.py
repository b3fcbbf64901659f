"""CNAME chains of hosts. A CNAME is a hint, not a proof: any domain's owner can point a name anywhere."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from prewarm.settings import Settings
from resolve.distributions.lookup_time import why_unasked
from resolve.dns_lookup import resolver_for

QUERIES_AT_ONCE = 64
SECONDS_PER_QUERY = 3.0
# If none of the first queries is answered, the nameservers are dead, and the rest are not sent.
FIRST_QUERIES = 2 * QUERIES_AT_ONCE
_CNAME = dns.rdatatype.CNAME
SILENT = f"not looked up, since no nameserver answered the first {FIRST_QUERIES} DNS queries; check that DNS works"


@dataclass
class Chains:
    """Each host's CNAME targets in order, empty if it has none or its DNS does not respond.

    `unasked`: why the hosts that are not in `found` were not looked up, as the end of a sentence.
    """

    found: dict[str, list[str]] = field(default_factory=dict)
    unasked: str = ""


def cname_chains(hosts: Sequence[str], settings: Settings, seconds: float) -> Chains:
    """Return the hosts' CNAME chains, as many as can be looked up in the seconds given."""
    if not hosts:
        return Chains()
    return asyncio.run(_query_all(list(dict.fromkeys(hosts)), settings, seconds))


async def _query_all(hosts: list[str], settings: Settings, seconds: float) -> Chains:
    try:
        resolver = resolver_for(settings)
    except dns.resolver.NoResolverConfiguration:
        return Chains({host: [] for host in hosts})
    resolver.lifetime, resolver.retry_servfail = SECONDS_PER_QUERY, False
    chains = Chains()
    waiting = iter(hosts)
    silent = 0

    async def work() -> None:
        nonlocal silent
        for host in waiting:
            if silent >= FIRST_QUERIES and silent == len(chains.found):
                chains.unasked = SILENT
                return
            chain = await _ask(resolver, host)
            silent += chain is None
            chains.found[host] = chain or []

    workers = [asyncio.ensure_future(work()) for _ in range(min(QUERIES_AT_ONCE, len(hosts)))]
    done, late = await asyncio.wait(workers, timeout=seconds)
    if late:
        chains.unasked = why_unasked()
    for worker in late:
        worker.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for worker in done:
        worker.result()
    return chains


async def _ask(resolver: dns.asyncresolver.Resolver, host: str) -> list[str] | None:
    """Return a host's chain, empty if it has none; None if no nameserver responds."""
    try:
        answer = await resolver.resolve(host + ".", "A", raise_on_no_answer=False)
    except dns.exception.Timeout:
        return None
    except (dns.exception.DNSException, OSError):
        return []
    return _chain(host, answer)


def _chain(host: str, answer: dns.resolver.Answer) -> list[str]:
    links = {rrset.name: rrset[0].target for rrset in answer.response.answer if rrset.rdtype == _CNAME}
    chain: list[str] = []
    name = dns.name.from_text(host)
    while (name := links.pop(name, None)) is not None:
        chain.append(name.to_text(omit_final_dot=True).lower())
    return chain
