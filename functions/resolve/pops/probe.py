"""Probe: check which POPs respond as themselves, and add the POPs that substitute for others."""

from itertools import chain

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.fetcher.fetcher import Fetcher
from prewarm.planning.plan import Skipped
from prewarm.request.model import PrewarmRequest
from prewarm.settings import Settings
from resolve.pops.dns_fallback import add_substitutes
from resolve.pops.existence import check_served
from resolve.pops.pop_probe import PopProbe, run_probes
from resolve.stages import Located, LocatedGroup, Probed, ProbedGroup


def probe(located: Located, fields: PrewarmRequest, settings: Settings, catalogue: Catalogue) -> Probed:
    """Return the groups with the POPs that fail the probe marked as unusable, and substitutes added.

    Raises:
        InvalidRequest: a distribution does not exist (see `existence.check_served`), or has no POP at all: the
            selection contains only locations without a known POP name, and there is no substitute.

    """
    named = [
        [PopProbe(pop, addresses, group.probe_url()) for pop, addresses in group.addresses.items()]
        for group in located.groups
    ]
    substitutes = [
        [(each.location, PopProbe("", each.addresses, group.probe_url())) for each in group.substitutes]
        for group in located.groups
    ]
    of_substitutes = [pop_probe for _, pop_probe in chain.from_iterable(substitutes)]
    run_probes([*chain.from_iterable(named), *of_substitutes], Fetcher(settings), fields.user_agent)
    probes_of = [[*of_group, *(each for _, each in subs)] for of_group, subs in zip(named, substitutes, strict=True)]
    unknown = check_served(located.groups, [any(each.served for each in probes) for probes in probes_of], fields)
    groups, warnings = [], [*unknown]
    for group, of_group, of_locations in zip(located.groups, named, substitutes, strict=True):
        probed, added = add_substitutes(_probed(group, of_group), of_locations, catalogue)
        groups.append(probed)
        warnings += added
    warnings = list(dict.fromkeys(warnings))
    if not all(group.pops for group in groups):
        reason = "; ".join([*warnings, *located.warnings]) or "the catalogue has no POP there"
        raise InvalidRequest([Problem("region", f"contains no POP: {reason}; choose a country or region near it")])
    return Probed(tuple(groups), tuple(warnings))


def _probed(group: LocatedGroup, probes: list[PopProbe]) -> ProbedGroup:
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
