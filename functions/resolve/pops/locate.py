"""Locate: look up the addresses of each distribution's POPs, and of substitutes where no POP name resolves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from prewarm.catalogue import published_edge_networks
from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from prewarm.settings import Network, Settings
from resolve.dns_lookup import addresses_of, in_networks, pop_name
from resolve.pops.dns_fallback import find_substitutes
from resolve.pops.existence import UNRESOLVED, check_names
from resolve.stages import Inspected, InspectedGroup, Located, LocatedGroup

# How many addresses outside the edge's networks the detail of a skipped POP lists.
ADDRESSES_IN_DETAIL = 3


def locate(inspected: Inspected, request: CheckedRequest, settings: Settings) -> Located:
    """Return the addresses of all POPs, and substitutes for locations without a resolvable POP name.

    Raises:
        InvalidRequest: a distribution cannot be reached at all (see `existence.check_names`).
        NameserversSilent: no query was answered.

    """
    networks = settings.edge_networks or published_edge_networks()
    # The distributions first: dns_lookup sends all other queries only after one of the first has been answered.
    names = [group.distribution.domain for group in inspected.groups]
    names += [pop_name(group.distribution.prefix, pop) for group in inspected.groups for pop in group.pops]
    responses = addresses_of(names, settings)
    groups = [_located(group, responses, networks) for group in inspected.groups]
    warnings = check_names(groups, request.fields)
    located = find_substitutes(groups, request, settings, networks)
    return replace(located, warnings=warnings + located.warnings)


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
