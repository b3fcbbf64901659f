"""Locate: look up the addresses of each distribution's POPs."""

from collections.abc import Mapping, Sequence

from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from prewarm.settings import Network, Settings
from resolve.dns_lookup import addresses_of, in_networks, pop_name
from resolve.pops.existence import UNRESOLVED, check_names
from resolve.stages import Inspected, InspectedGroup, Located, LocatedGroup

# How many addresses outside the edge's networks the detail of a skipped POP lists.
ADDRESSES_IN_DETAIL = 3


def locate(
    inspected: Inspected, request: CheckedRequest, settings: Settings, candidates: Sequence[str] = ()
) -> Located:
    """Return the addresses of all POPs, and of those that are only known from traffic, at the first distribution.

    Raises:
        InvalidRequest: a distribution cannot be reached at all (see `existence.check_names`).
        NameserversSilent: no query was answered.

    """
    networks = settings.edge_networks or ()  # network_refresh.with_networks has set them
    # The distributions first: dns_lookup sends all other queries only after one of the first has been answered.
    names = [group.distribution.domain for group in inspected.groups]
    names += [pop_name(group.distribution.prefix, pop) for group in inspected.groups for pop in group.pops]
    own = {pop: pop_name(inspected.groups[0].distribution.prefix, pop) for pop in candidates}
    responses = addresses_of([*names, *own.values()], settings)
    groups = tuple(_located(group, responses, networks) for group in inspected.groups)
    found = {pop: usable_addresses(pop, responses[name], networks) for pop, name in own.items()}
    reachable = {pop: addresses for pop, addresses in found.items() if not isinstance(addresses, Skipped)}
    return Located(groups, check_names(groups, request.fields), reachable)


def _located(
    group: InspectedGroup, responses: Mapping[str, list[str] | None], networks: Sequence[Network]
) -> LocatedGroup:
    addresses: dict[str, list[str]] = {}
    unusable: dict[str, Skipped] = {}
    for pop in group.pops:
        result = usable_addresses(pop, responses[pop_name(group.distribution.prefix, pop)], networks)
        if isinstance(result, Skipped):
            unusable[pop] = result
        else:
            addresses[pop] = result
    return LocatedGroup(
        group.distribution,
        group.urls,
        group.pops,
        group.skipped,
        group.behaviours,
        addresses,
        unusable,
        exists=responses[group.distribution.domain] != [],
        masks=group.masks,
        requests=group.requests,
    )


def usable_addresses(pop: str, resolved: list[str] | None, networks: Sequence[Network]) -> list[str] | Skipped:
    """Return a POP's addresses that belong to the edge's networks, or why it has none.

    `resolved`: the addresses of the POP's name, or None if no nameserver responded.
    """
    if resolved is None:
        return Skipped(pop, "dns_silent", "no nameserver responded for its name")
    inside = [address for address in resolved if in_networks(address, networks)]
    if inside:
        return inside
    if resolved:
        return Skipped(pop, "outside_edge_networks", ", ".join(resolved[:ADDRESSES_IN_DETAIL]))
    return Skipped(pop, UNRESOLVED, "the name does not resolve")
