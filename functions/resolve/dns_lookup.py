"""DNS: the addresses of names, many at once, and whether an address belongs to CloudFront's networks."""

import asyncio
import ipaddress
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rcode
import dns.resolver

from prewarm.errors import PrewarmError
from prewarm.settings import Network, Settings

QUERIES_AT_ONCE = 128
# Limits of one query. After a lost packet the next nameserver, if there is one, is queried soon; at the end the name
# counts as unanswered, which differs from a name that does not exist.
SECONDS_PER_TRY = 0.8
SECONDS_PER_QUERY = 4.0
# The first queries: if none of them is answered, the nameservers are dead, and the rest are not sent.
FIRST_QUERIES = 16


class NameserversSilent(PrewarmError):
    """No nameserver answered a single query, or there is no nameserver; the resolver refuses such a run."""


def pop_name(prefix: str, pop_id: str) -> str:
    """Return the name under which one POP serves a distribution.

    Unofficial: every known steering tool relies on it, and nothing in AWS's documentation promises it.
    """
    return f"{prefix}.{pop_id}.cloudfront.net"


def in_networks(address: str, networks: Sequence[Network]) -> bool:
    """Return whether an IP address belongs to one of the networks."""
    ip = ipaddress.ip_address(address)
    return any(ip in network for network in networks if network.version == ip.version)


def addresses_of(names: Sequence[str], settings: Settings) -> dict[str, list[str] | None]:
    """Return the IPv4 addresses of each name, all of them, in the order of the DNS response.

    An empty list: the name has no address, or does not exist; None: no nameserver gave a usable response for
    this name. IPv4 only: a Lambda
    function outside a dual-stack VPC has no IPv6.

    Raises:
        NameserversSilent: no query was answered.

    """
    return asyncio.run(_query_all(list(dict.fromkeys(names)), settings))


def resolver_for(settings: Settings) -> dns.asyncresolver.Resolver:
    """Return a resolver with the settings' nameservers, or the system's."""
    resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    if settings.nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(each.address, each.port) for each in settings.nameservers
        ]
    resolver.timeout, resolver.lifetime = SECONDS_PER_TRY, SECONDS_PER_QUERY
    # A SERVFAIL is retried: it describes the nameserver's state, not the name.
    resolver.retry_servfail = True
    resolver.cache = None
    return resolver


async def _query_all(names: list[str], settings: Settings) -> dict[str, list[str] | None]:
    try:
        resolver = resolver_for(settings)
    except dns.resolver.NoResolverConfiguration as error:
        raise NameserversSilent("this machine has no nameserver; set PREWARM_NAMESERVERS to one") from error
    slots = asyncio.Semaphore(QUERIES_AT_ONCE)
    answered = 0

    async def query(name: str) -> list[str] | None:
        nonlocal answered
        async with slots:
            try:
                answer = await resolver.resolve(name + ".", "A", raise_on_no_answer=False)
            except dns.resolver.NXDOMAIN:
                answered += 1
                return []
            except dns.resolver.NoNameservers as error:
                # A response that fails this name, such as YXDOMAIN, FORMERR or REFUSED, or one that cannot be read.
                answered += _responded(error)
                return None
            except dns.exception.Timeout:
                return None
            except dns.exception.DNSException:
                # YXDOMAIN, or a name that no query can hold; the nameserver is alive.
                answered += 1
                return None
            answered += 1
            return [record.address for record in answer.rrset or ()]

    answers = await asyncio.gather(*(query(name) for name in names[:FIRST_QUERIES]))
    if answered:
        answers += await asyncio.gather(*(query(name) for name in names[FIRST_QUERIES:]))
    if names and not answered:
        servers = (
            ", ".join(f"{each.address}:{each.port}" for each in settings.nameservers) or "the system's nameservers"
        )
        raise NameserversSilent(
            f"none of {len(names)} DNS queries was answered by {servers}; check that the function can reach them"
        )
    return dict(zip(names, answers, strict=True))


def _responded(error: dns.resolver.NoNameservers) -> bool:
    """Return whether a nameserver sent an error about this query, rather than none or one about its own state."""
    responses = [response for *_, response in error.kwargs.get("errors", ()) if response is not None]
    return any(response.rcode() not in {dns.rcode.SERVFAIL, dns.rcode.REFUSED} for response in responses)
