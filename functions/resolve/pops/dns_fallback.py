"""Substitutes: another POP for a location none of whose POP names resolves, found as CloudFront sends viewers there.

CloudFront's nameservers choose the POP by the network that asks. Asked with a client subnet of the location (EDNS,
RFC 7871), they response with the addresses of the POP that viewers there are sent to; X-Amz-Cf-Pop says which it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prewarm.catalogue import Catalogue, client_subnets
from prewarm.request.model import CheckedRequest
from prewarm.settings import Network, Settings
from resolve.dns_lookup import addresses_near
from resolve.group_draft import Placement, in_networks
from resolve.pops.probe import Probe


@dataclass
class Substitute:
    """A location's probe: what came of asking for it, and the words for it."""

    placement: Placement
    location: str
    probe: Probe


def nameless_locations(placement: Placement, request: CheckedRequest) -> list[str]:
    """Return the locations of a country or region in which no POP name has an address: those without any, too.

    A name that no nameserver answered for may well have one.
    """
    if request.fields.kind == "pop":
        return []
    known: dict[str, bool] = dict.fromkeys(request.places, False)
    for pop in placement.pops:
        unfit = placement.unfit.get(pop)
        named = unfit is None or unfit.reason != "unresolved_pop"
        known[pop[:3]] = known.get(pop[:3], False) or named
    return [location for location, named in known.items() if not named]


def find_substitutes(
    placements: Sequence[Placement], request: CheckedRequest, settings: Settings, networks: Sequence[Network]
) -> tuple[list[Substitute], list[str]]:
    """Return the probes of substitutes, and warnings where none can be had."""
    subnets = client_subnets()
    wanted = [
        (placement, location)
        for placement in placements
        for location in nameless_locations(placement, request)
        if location in subnets
    ]
    responses = addresses_near([(p.distribution.domain, subnets[location]) for p, location in wanted], settings)
    found, deaf = [], []
    for placement, location in wanted:
        response = responses[placement.distribution.domain, subnets[location]]
        inside = [address for address in response.addresses if in_networks(address, networks)]
        if response.heeded and inside:
            found.append(Substitute(placement, location, Probe("", inside, placement.probe_url())))
        elif location not in deaf:
            deaf.append(location)
    if deaf:
        warning = "no POP name resolves there, and the nameservers do not response by client subnet"
        return found, [f"{', '.join(deaf)}: {warning}"]
    return found, []


def take_substitutes(substitutes: Sequence[Substitute], known: Catalogue) -> list[str]:
    """Add the POPs that answered to their placements; returns what to say of each."""
    told = []
    for each in substitutes:
        place = known.locations[each.location]
        why = f"{each.location} ({place.city}): no POP name resolves there"
        pop, placement = each.probe.pop, each.placement
        if each.probe.failure:
            told.append(f"{why}, and the POP that CloudFront names for clients there fails: {each.probe.failure}")
        elif pop in placement.pops and pop not in placement.unfit:
            told.append(f"{why}; CloudFront sends clients there to {pop}, which is warmed anyway")
        else:
            if pop not in placement.pops:
                placement.pops.append(pop)
            placement.unfit.pop(pop, None)
            placement.addresses[pop] = each.probe.addresses
            told.append(f"{why}; CloudFront sends clients there to {pop}, which is warmed instead")
    return list(dict.fromkeys(told))
