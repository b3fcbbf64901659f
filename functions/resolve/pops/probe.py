"""Probe: check which POPs respond as themselves, and add the POPs that substitute for others."""

from collections.abc import Iterable, Sequence
from itertools import chain

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.fetcher.fetcher import Fetcher
from prewarm.knowledge import RUN, SUBSTITUTE, TRAFFIC
from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from prewarm.settings import Settings
from resolve.pops.dns_fallback import add_substitutes, find_substitutes
from resolve.pops.existence import check_served
from resolve.pops.pop_probe import PopProbe, run_probes
from resolve.stages import Located, LocatedGroup, Probed, ProbedGroup

Probes = list[PopProbe]


def probe(located: Located, request: CheckedRequest, settings: Settings, catalogue: Catalogue) -> Probed:
    """Return the groups with the POPs that fail the probe marked as unusable, and substitutes added.

    Substitutes are looked up and probed for the locations to which no POP name has led.

    Raises:
        InvalidRequest: a distribution does not exist (see `existence.check_served`), or has no POP at all: the
            selection contains only locations without a known POP name, and there is no substitute.

    """
    fields, fetcher = request.fields, Fetcher(settings)
    named = [
        [PopProbe(pop, addresses, group.probe_url()) for pop, addresses in group.addresses.items()]
        for group in located.groups
    ]
    candidates = [
        PopProbe(pop, addresses, located.groups[0].probe_url()) for pop, addresses in located.candidates.items()
    ]
    run_probes([*chain.from_iterable(named), *candidates], fetcher, fields.user_agent)
    before = [_probed(group, probes) for group, probes in zip(located.groups, named, strict=True)]
    networks = settings.edge_networks or ()  # network_refresh.with_networks has set them
    found = find_substitutes(before, request, settings, networks, catalogue)
    substitutes = [
        [(each.location, PopProbe("", each.addresses, group.probe_url())) for each in of_group]
        for group, of_group in zip(before, found.of_groups, strict=True)
    ]
    of_substitutes = [pop_probe for _, pop_probe in chain.from_iterable(substitutes)]
    run_probes(of_substitutes, fetcher, fields.user_agent)
    probes_of = [[*of_group, *(each for _, each in subs)] for of_group, subs in zip(named, substitutes, strict=True)]
    unknown = check_served(located.groups, [any(each.served for each in probes) for probes in probes_of], fields)
    groups, warnings = [], [*unknown, *found.warnings]
    for group, of_locations in zip(before, substitutes, strict=True):
        probed, added = add_substitutes(group, of_locations, catalogue, request.places)
        groups.append(probed)
        warnings += added
    warnings = list(dict.fromkeys(warnings))
    if not all(group.pops for group in groups):
        reason = "; ".join([*warnings, *located.warnings]) or "the catalogue has no POP there"
        raise InvalidRequest([Problem("region", f"contains no POP: {reason}; choose a country or region near it")])
    return Probed(tuple(groups), tuple(warnings), met(located.groups, named, of_substitutes, candidates))


def met(
    groups: Sequence[LocatedGroup], named: Sequence[Probes], substitutes: Probes, candidates: Probes
) -> dict[str, frozenset[str]]:
    """Return how each POP was met that answered as itself over verified TLS.

    `named`: the probes of the groups' own POPs, in the order of the groups.
    """
    ways: dict[str, frozenset[str]] = {}

    def add(probes: Iterable[PopProbe], way: str) -> None:
        for each in probes:
            if each.verified:
                ways[each.pop] = ways.get(each.pop, frozenset()) | {way}

    for group, probes in zip(groups, named, strict=True):
        add(probes, RUN if group.masks is None else TRAFFIC)
    add(substitutes, SUBSTITUTE)
    add(candidates, TRAFFIC)
    return ways


def _probed(group: LocatedGroup, probes: Probes) -> ProbedGroup:
    failed = {each.pop: Skipped(each.pop, each.failure, each.detail) for each in probes if each.failure}
    return ProbedGroup(
        group.distribution,
        group.urls,
        group.pops,
        group.skipped,
        group.behaviours,
        addresses=group.addresses,
        unusable=group.unusable | failed,
        masks=group.masks,
        requests=group.requests,
    )
