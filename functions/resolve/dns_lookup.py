"""DNS: the addresses behind names, many at once."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.edns
import dns.exception
import dns.nameserver
import dns.resolver

from prewarm.errors import PrewarmError
from prewarm.settings import Settings

QUESTIONS_AT_ONCE = 128
# One question's limits. A lost packet is asked again soon, of the next nameserver where there is one; then the name
# counts as not answered, which is not the same as not being there.
SECONDS_PER_TRY = 0.8
SECONDS_PER_QUESTION = 4.0
# So many are asked first: if none of them is answered, the nameservers are dead, and the rest need not wait for them.
FIRST_QUESTIONS = 16


class NameserversSilent(PrewarmError):
    """No nameserver answered a single question: infrastructure is broken, so the state fails and can be redriven."""


@dataclass(frozen=True, slots=True)
class SubnetAnswer:
    """What the nameservers answer for a client of another network: addresses, and whether they looked at it."""

    addresses: list[str]
    heeded: bool


def pop_name(prefix: str, pop_id: str) -> str:
    """Return the name under which one POP serves a distribution.

    Unofficial: every known steering tool relies on it, and nothing in AWS's documentation promises it.
    """
    return f"{prefix}.{pop_id}.cloudfront.net"


def addresses_of(names: Sequence[str], settings: Settings) -> dict[str, list[str] | None]:
    """Return the IPv4 addresses of each name, all that DNS answers, in its order.

    An empty list: the name has none, or does not exist; None: no nameserver answered for it. IPv4 only: a Lambda
    function outside a dual-stack VPC has no IPv6.

    Raises:
        NameserversSilent: not one question was answered.

    """
    return asyncio.run(_ask_all(list(dict.fromkeys(names)), settings))


def addresses_near(questions: Iterable[tuple[str, str]], settings: Settings) -> dict[tuple[str, str], SubnetAnswer]:
    """Return what DNS answers for names as asked by clients of other networks: (name, network) to the answer.

    The network goes along as an EDNS client subnet (RFC 7871). CloudFront's own servers heed it; a resolver between
    may not pass it on, which the scope in its answer shows.
    """
    return asyncio.run(_ask_near(list(dict.fromkeys(questions)), settings))


def resolver_for(settings: Settings) -> dns.asyncresolver.Resolver:
    """Return a resolver with the settings' nameservers, or the system's."""
    resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    if settings.nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(each.address, each.port) for each in settings.nameservers
        ]
    resolver.timeout, resolver.lifetime = SECONDS_PER_TRY, SECONDS_PER_QUESTION
    # A nameserver that fails for a moment is asked again: its SERVFAIL says nothing of the name.
    resolver.retry_servfail = True
    resolver.cache = None
    return resolver


async def _ask_all(names: list[str], settings: Settings) -> dict[str, list[str] | None]:
    resolver = resolver_for(settings)
    turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)
    heard = 0

    async def ask(name: str) -> list[str] | None:
        nonlocal heard
        async with turn:
            try:
                answer = await resolver.resolve(name + ".", "A", raise_on_no_answer=False)
            except dns.resolver.NXDOMAIN:
                heard += 1
                return []
            except (dns.exception.Timeout, dns.resolver.NoNameservers):
                return None
            heard += 1
            return [record.address for record in answer.rrset or ()]

    answers = await asyncio.gather(*(ask(name) for name in names[:FIRST_QUESTIONS]))
    if heard:
        answers += await asyncio.gather(*(ask(name) for name in names[FIRST_QUESTIONS:]))
    if names and not heard:
        servers = (
            ", ".join(f"{each.address}:{each.port}" for each in settings.nameservers) or "the system's nameservers"
        )
        raise NameserversSilent(f"none of {len(names)} questions was answered by {servers}")
    return dict(zip(names, answers, strict=True))


async def _ask_near(questions: list[tuple[str, str]], settings: Settings) -> dict[tuple[str, str], SubnetAnswer]:
    turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def ask(name: str, network: str) -> SubnetAnswer:
        address, _, length = network.partition("/")
        resolver = resolver_for(settings)
        resolver.use_edns(0, 0, 1232, [dns.edns.ECSOption(address, int(length))])
        async with turn:
            try:
                answer = await resolver.resolve(name + ".", "A", raise_on_no_answer=False)
            except dns.exception.DNSException:
                return SubnetAnswer([], heeded=False)
        scopes = [each.scopelen for each in answer.response.options if isinstance(each, dns.edns.ECSOption)]
        return SubnetAnswer([record.address for record in answer.rrset or ()], heeded=any(scopes))

    answers = await asyncio.gather(*(ask(*question) for question in questions))
    return dict(zip(questions, answers, strict=True))
