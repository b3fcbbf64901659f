"""DNS: the addresses behind the names of POPs, many at once."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from prewarm.errors import PrewarmError
from prewarm.settings import Settings

QUESTIONS_AT_ONCE = 128
# One question's limits: each nameserver once or twice, then it counts as silent.
SECONDS_PER_TRY = 2.0
SECONDS_PER_QUESTION = 5.0


class NameserversSilent(PrewarmError):
    """No nameserver answered a single question: infrastructure is broken, so the state fails and can be redriven."""


def pop_name(prefix: str, pop_id: str) -> str:
    """Return the name under which one POP serves a distribution.

    Unofficial: every known steering tool relies on it, and nothing in AWS's documentation promises it.
    """
    return f"{prefix}.{pop_id}.cloudfront.net"


def addresses_of(names: Sequence[str], settings: Settings) -> dict[str, list[str]]:
    """Return the IPv4 addresses of each name, all that DNS answers, in its order; an empty list where there is none.

    IPv4 only: a Lambda function outside a dual-stack VPC has no IPv6.

    Raises:
        NameserversSilent: not one question was answered.

    """
    return asyncio.run(_ask_all(list(dict.fromkeys(names)), settings))


async def _ask_all(names: list[str], settings: Settings) -> dict[str, list[str]]:
    resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    if settings.nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(each.address, each.port) for each in settings.nameservers
        ]
    resolver.timeout, resolver.lifetime = SECONDS_PER_TRY, SECONDS_PER_QUESTION
    resolver.cache = None
    turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)
    heard = silent = 0

    async def ask(name: str) -> list[str]:
        nonlocal heard, silent
        async with turn:
            if silent >= QUESTIONS_AT_ONCE // 2 and not heard:
                return []
            try:
                answer = await resolver.resolve(name + ".", "A", raise_on_no_answer=False)
            except dns.resolver.NXDOMAIN:
                heard += 1
                return []
            except (dns.exception.Timeout, dns.resolver.NoNameservers):
                silent += 1
                return []
            heard += 1
            return [record.address for record in answer.rrset or ()]

    answers = await asyncio.gather(*(ask(name) for name in names))
    if names and not heard:
        servers = (
            ", ".join(f"{each.address}:{each.port}" for each in settings.nameservers) or "the system's nameservers"
        )
        raise NameserversSilent(f"none of {len(names)} questions was answered by {servers}")
    return dict(zip(names, answers, strict=True))
