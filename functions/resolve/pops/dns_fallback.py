"""Substitutes: another POP for a location where no POP name resolves, found by EDNS client subnet.

CloudFront's nameservers choose the POP by the network of the client. For a client subnet of the location (EDNS,
RFC 7871), they respond with the addresses of the POP that serves viewers there; X-Amz-Cf-Pop holds its id.
"""

from collections.abc import Sequence
from dataclasses import replace

from prewarm.catalogue import Catalogue, client_subnets, location_of
from prewarm.planning.plan import PAIRS
from prewarm.request.model import CheckedRequest
from prewarm.settings import Network, Settings
from resolve.dns_lookup import addresses_for_subnets, in_networks
from resolve.pops.pop_probe import PopProbe
from resolve.stages import Located, LocatedGroup, ProbedGroup, Substitute


def nameless_locations(group: LocatedGroup, request: CheckedRequest) -> list[str]:
    """Return the locations of a country or region in which no POP name has an address, or no POP is known.

    A POP whose name no nameserver answered for (`dns_silent`) counts as having an address.
    """
    if request.fields.kind in {"pop", PAIRS}:
        return []
    named: dict[str, bool] = dict.fromkeys(request.places, False)
    for pop in group.pops:
        unusable = group.unusable.get(pop)
        resolves = unusable is None or unusable.reason != "unresolved_pop"
        location = location_of(pop)
        named[location] = named.get(location, False) or resolves
    return [location for location, resolves in named.items() if not resolves]


def find_substitutes(
    groups: Sequence[LocatedGroup], request: CheckedRequest, settings: Settings, networks: Sequence[Network]
) -> Located:
    """Return the groups with a substitute for each location that needs and has one, and a warning for the others."""
    subnets = client_subnets()
    locations_of = [
        [location for location in nameless_locations(group, request) if location in subnets] for group in groups
    ]
    queries = [
        (group.distribution.domain, subnets[location])
        for group, locations in zip(groups, locations_of, strict=True)
        for location in locations
    ]
    responses = addresses_for_subnets(queries, settings)
    located = []
    without: dict[str, None] = {}
    for group, locations in zip(groups, locations_of, strict=True):
        substitutes = []
        for location in locations:
            response = responses[group.distribution.domain, subnets[location]]
            inside = [address for address in response.addresses if in_networks(address, networks)]
            if response.scoped and inside:
                substitutes.append(Substitute(location, inside))
            else:
                without[location] = None
        located.append(replace(group, substitutes=tuple(substitutes)))
    if not without:
        return Located(tuple(located))
    reason = "no POP name resolves there, and the nameservers used do not say which POP serves clients there"
    return Located(tuple(located), (f"{', '.join(without)}: {reason}",))


def add_substitutes(
    group: ProbedGroup, substitutes: Sequence[tuple[str, PopProbe]], catalogue: Catalogue
) -> tuple[ProbedGroup, list[str]]:
    """Return a group with the POPs of its probed substitutes added, and a warning for each substitute.

    `substitutes`: each location with the probe of its substitute.
    """
    pops, addresses, unusable = list(group.pops), dict(group.addresses), dict(group.unusable)
    warnings = []
    for location, probe in substitutes:
        reason = f"{location} ({catalogue.locations[location].city}): no POP name resolves there"
        pop = probe.pop
        if probe.failure:
            warnings.append(f"{reason}, and the POP to which CloudFront sends clients there fails: {probe.failure}")
        elif pop in pops and pop not in unusable:
            warnings.append(f"{reason}; CloudFront sends clients there to {pop}, which is warmed anyway")
        else:
            if pop not in pops:
                pops.append(pop)
            unusable.pop(pop, None)
            addresses[pop] = probe.addresses
            warnings.append(f"{reason}; CloudFront sends clients there to {pop}, which is warmed instead")
    return replace(group, pops=tuple(pops), addresses=addresses, unusable=unusable), warnings
