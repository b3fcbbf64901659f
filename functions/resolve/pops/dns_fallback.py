"""Substitutes: another POP for a location that no POP name leads to, found by EDNS client subnet.

CloudFront's nameservers choose the POP by the network of the client. For a client subnet of the location (EDNS,
RFC 7871), they respond with the addresses of the POP that serves viewers there; X-Amz-Cf-Pop holds its id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from prewarm.catalogue import Catalogue, client_subnets, location_of
from prewarm.planning.plan import PAIRS, Skipped
from prewarm.request.model import CheckedRequest
from prewarm.results.skipped_pops import skip_text
from prewarm.settings import Network, Settings
from resolve.dns_lookup import in_networks
from resolve.pops.existence import UNRESOLVED
from resolve.pops.pop_probe import PopProbe
from resolve.stages import ProbedGroup
from resolve.subnet_lookup import addresses_for_subnets

# Why a POP's name does not lead to it. A POP that is silent or dark may have its name all the same.
MISLEADING = frozenset({UNRESOLVED, "outside_edge_networks", "wrong_pop"})
# How many locations a warning lists.
LOCATIONS_IN_WARNING = 5


@dataclass(frozen=True)
class Substitute:
    """The POP that serves viewers in a location that no POP name leads to: its addresses, its id still unknown."""

    location: str
    addresses: list[str]


@dataclass(frozen=True)
class Substitutes:
    """The substitutes of each group, in the order of the groups, and the locations for which there is none."""

    of_groups: tuple[tuple[Substitute, ...], ...]
    warnings: tuple[str, ...] = ()


def unreached_locations(group: ProbedGroup, request: CheckedRequest) -> list[str]:
    """Return the locations of a country or region that no POP name leads to, or in which no POP is known.

    A POP whose name no nameserver answered for (`dns_silent`), or that cannot be connected to, counts as having one.
    """
    if request.fields.kind in {"pop", PAIRS}:
        return []
    named: dict[str, bool] = dict.fromkeys(request.places, False)
    for pop in group.pops:
        unusable = group.unusable.get(pop)
        location = location_of(pop)
        named[location] = named.get(location, False) or unusable is None or unusable.reason not in MISLEADING
    return [location for location, has_name in named.items() if not has_name]


def find_substitutes(
    groups: Sequence[ProbedGroup],
    request: CheckedRequest,
    settings: Settings,
    networks: Sequence[Network],
    catalogue: Catalogue,
) -> Substitutes:
    """Return a substitute for each location that needs and has one, and a warning for the others."""
    subnets = client_subnets()
    locations_of = [unreached_locations(group, request) for group in groups]
    queries = [
        (group.distribution.domain, subnets[location])
        for group, locations in zip(groups, locations_of, strict=True)
        for location in locations
        if location in subnets
    ]
    responses = addresses_for_subnets(queries, settings)
    found = []
    without: dict[str, None] = {}
    for group, locations in zip(groups, locations_of, strict=True):
        substitutes = []
        for location in locations:
            response = responses.get((group.distribution.domain, subnets.get(location, "")))
            inside = [address for address in response.addresses if in_networks(address, networks)] if response else []
            if response and response.scoped and inside:
                substitutes.append(Substitute(location, inside))
            else:
                without[location] = None
        found.append(tuple(substitutes))
    return Substitutes(tuple(found), tuple(not_warmed(list(without), request.places, catalogue)))


def not_warmed(locations: Sequence[str], places: Sequence[str], catalogue: Catalogue) -> Iterator[str]:
    """Yield which locations are not warmed: those with POPs, which a run lists as skipped, and the few without."""
    silent = "the nameservers used do not say which POP serves clients there; not warmed"
    with_pops = [_named(location, catalogue) for location in locations if location not in places]
    if len(with_pops) > LOCATIONS_IN_WARNING:
        first = f"{len(with_pops):,} locations, such as {', '.join(with_pops[:LOCATIONS_IN_WARNING])}"
        where = "the run's report lists all of their POPs as skipped"
        yield f"{first}: no POP name resolves there, and {silent}; {where}"
    elif with_pops:
        yield f"{', '.join(with_pops)}: no POP name resolves there, and {silent}"
    if unknown := [_named(location, catalogue) for location in locations if location in places]:
        yield f"{', '.join(unknown)}: no POP is known there, and {silent}"


def _named(location: str, catalogue: Catalogue) -> str:
    """Return a location with its city, such as "MAN (Manchester)"."""
    known = catalogue.locations.get(location)
    return f"{location} ({known.city})" if known else location


def add_substitutes(
    group: ProbedGroup, substitutes: Sequence[tuple[str, PopProbe]], catalogue: Catalogue, places: Sequence[str] = ()
) -> tuple[ProbedGroup, list[str]]:
    """Return a group with the POPs of its probed substitutes added, and warnings about what they reach.

    A location is reached only by a POP that lies there. If not one of the group's own POPs can be used, those of
    locations that are not reached fail: else a run could be green by POPs of other locations alone.

    `substitutes`: each location with the probe of its substitute; `places`: selected locations without a known POP.
    """
    pops, addresses, unusable = list(group.pops), dict(group.addresses), dict(group.unusable)
    warnings = []
    served: dict[str, str] = {}
    for location, probe in substitutes:
        resolved = any(location_of(pop) == location and pop in group.addresses for pop in group.pops)
        why = "no POP name leads to a POP there" if resolved else "no POP name resolves there"
        reason = f"{_named(location, catalogue)}: {why}"
        pop = probe.pop
        if probe.failure:
            warnings.append(
                f"{reason}, and the POP to which CloudFront sends clients there fails: {skip_text(probe.failure)}"
            )
            continue
        served[location] = pop
        if pop in pops and pop not in unusable:
            result = "which is warmed anyway"
        else:
            if pop not in pops:
                pops.append(pop)
            unusable.pop(pop, None)
            addresses[pop] = probe.addresses
            result = "which is warmed" if location_of(pop) == location else "which is warmed instead"
        warnings.append(f"{reason}; CloudFront sends clients there to {pop}, {result}")
    for pop, skipped in unusable.items():
        if location_of(pop) in served and skipped.reason in MISLEADING:
            unusable[pop] = _noted(skipped, served[location_of(pop)])
    warnings = [*_all_names_fail(group, served, places), *warnings]
    reached = {location_of(pop) for pop in pops if pop not in unusable}
    some_own = any(pop not in group.unusable for pop in group.pops)
    unreached = frozenset() if some_own else frozenset(pop for pop in unusable if location_of(pop) not in reached)
    return replace(group, pops=tuple(pops), addresses=addresses, unusable=unusable, unreached=unreached), warnings


def _noted(skipped: Skipped, substitute: str) -> Skipped:
    """Return a POP's reason with what is warmed for its location."""
    note = f"CloudFront sends clients there to {substitute}, which is warmed"
    return replace(skipped, detail=f"{skipped.detail}; {note}" if skipped.detail else note)


def _all_names_fail(group: ProbedGroup, served: dict[str, str], places: Sequence[str]) -> list[str]:
    """Return a warning if not one of several POP names leads to its POP: which locations are reached all the same."""
    failing = [pop for pop in group.pops if pop in group.unusable and group.unusable[pop].reason in MISLEADING]
    if len(failing) < max(2, len(group.pops)) or not served:
        return []
    within = [location for location, pop in served.items() if location_of(pop) == location]
    elsewhere = [f"{location} (to {location_of(pop)})" for location, pop in served.items() if location not in within]
    whole = len({*map(location_of, group.pops), *places})
    names = f"none of the {len(group.pops):,} POP names of {group.distribution.domain} leads to its POP"
    reached = f"by client subnet {len(within):,} of {whole:,} locations are reached"
    return [
        f"{names}, so CloudFront may not resolve POP names any more; {reached}"
        + (f" ({_listed(within)})" if within else "")
        + (f", and viewers are sent elsewhere from {_listed(elsewhere)}" if elsewhere else "")
    ]


def _listed(texts: Sequence[str]) -> str:
    more = " and others" if len(texts) > LOCATIONS_IN_WARNING else ""
    return f"{', '.join(texts[:LOCATIONS_IN_WARNING])}{more}"
