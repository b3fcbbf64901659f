"""The addresses that DNS returns to clients of other networks, by EDNS client subnet (RFC 7871).

CloudFront's own nameservers answer by the subnet of a query. Resolvers rarely pass one on, and Lambda's does not, so
these nameservers are asked themselves (edge_nameservers.py); where they cannot be reached, the resolver is.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.edns
import dns.exception
import dns.resolver

from prewarm.settings import Settings
from resolve.dns_lookup import resolver_for
from resolve.edge_nameservers import EdgeNameservers

QUERIES_AT_ONCE = 128
PAYLOAD_BYTES = 1232
# For all queries of a run; each of the two ways has the first queries to show that it works.
SECONDS_AT_MOST = 20.0
FIRST_QUERIES = 16


@dataclass(frozen=True, slots=True)
class SubnetResponse:
    """A DNS response for a client subnet: addresses, and whether the nameserver used the subnet (its scope)."""

    addresses: list[str]
    scoped: bool


NO_RESPONSE = SubnetResponse([], scoped=False)
Query = tuple[str, str]  # a name and a client's network


def addresses_for_subnets(queries: Iterable[Query], settings: Settings) -> dict[Query, SubnetResponse]:
    """Return the DNS responses that clients of other networks receive: (name, network) to the response.

    Takes SECONDS_AT_MOST; what is not answered until then has no addresses.
    """
    wanted = list(dict.fromkeys(queries))
    return asyncio.run(_query_all(wanted, settings)) if wanted else {}


async def _query_all(queries: list[Query], settings: Settings) -> dict[Query, SubnetResponse]:
    found: dict[Query, SubnetResponse] = {}
    try:
        resolver = resolver_for(settings)
    except dns.resolver.NoResolverConfiguration:
        return dict.fromkeys(queries, NO_RESPONSE)
    try:
        async with asyncio.timeout(SECONDS_AT_MOST):
            await _ask_edge(queries, EdgeNameservers(resolver, settings), found)
            await _ask_resolver([query for query in queries if not found[query].scoped], settings, found)
    except TimeoutError:
        pass
    return {query: found.get(query, NO_RESPONSE) for query in queries}


async def _ask_edge(queries: Sequence[Query], edge: EdgeNameservers, found: dict[Query, SubnetResponse]) -> None:
    """Ask CloudFront's nameservers; the first queries only, if none of them answers."""
    slots = asyncio.Semaphore(QUERIES_AT_ONCE)

    async def ask(query: Query) -> bool:
        async with slots:
            response = await edge.ask(query[0], _client_subnet(query[1]))
        found[query] = NO_RESPONSE if response is None else SubnetResponse(response.addresses, response.scoped)
        return response is not None

    found |= dict.fromkeys(queries, NO_RESPONSE)
    if any(await asyncio.gather(*map(ask, queries[:FIRST_QUERIES]))):
        await asyncio.gather(*map(ask, queries[FIRST_QUERIES:]))


async def _ask_resolver(queries: Sequence[Query], settings: Settings, found: dict[Query, SubnetResponse]) -> None:
    """Ask the settings' nameservers, or the system's; the first queries only, if none of them is answered."""
    slots = asyncio.Semaphore(QUERIES_AT_ONCE)

    async def ask(query: Query) -> bool:
        resolver = resolver_for(settings)
        resolver.use_edns(0, 0, PAYLOAD_BYTES, [_client_subnet(query[1])])
        async with slots:
            try:
                answer = await resolver.resolve(query[0] + ".", "A", raise_on_no_answer=False)
            except (dns.exception.DNSException, OSError):
                return False
        scopes = [each.scopelen for each in answer.response.options if isinstance(each, dns.edns.ECSOption)]
        found[query] = SubnetResponse([record.address for record in answer.rrset or ()], scoped=any(scopes))
        return True

    if any(await asyncio.gather(*map(ask, queries[:FIRST_QUERIES]))):
        await asyncio.gather(*map(ask, queries[FIRST_QUERIES:]))


def _client_subnet(network: str) -> dns.edns.ECSOption:
    address, _, length = network.partition("/")
    return dns.edns.ECSOption(address, int(length))
