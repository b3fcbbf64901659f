"""DNS: where a host's CNAMEs lead. A hint, never a proof: anybody may point a name anywhere."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from prewarm.settings import Settings

QUESTIONS_AT_ONCE = 64
SECONDS_PER_QUESTION = 3.0


def cname_chains(hosts: Sequence[str], settings: Settings) -> dict[str, list[str]]:
    """Return for each host the names to which its CNAMEs lead, in order; an empty list where DNS tells none."""
    if not hosts:
        return {}
    return asyncio.run(_ask_all(list(dict.fromkeys(hosts)), settings))


async def _ask_all(hosts: list[str], settings: Settings) -> dict[str, list[str]]:
    resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    if settings.nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(each.address, each.port) for each in settings.nameservers
        ]
    resolver.lifetime = SECONDS_PER_QUESTION
    resolver.cache = None
    turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def ask(host: str) -> list[str]:
        async with turn:
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

    return dict(zip(hosts, await asyncio.gather(*(ask(host) for host in hosts)), strict=True))


_CNAME = dns.rdatatype.CNAME
