"""A run of tier `regional`: which POPs carry each area's targets, and what will leave them without a proof. Pure.

An area is the POPs that one regional edge cache serves, as far as known (catalogue.regional_cache_of). A target is a
URL in an area: one POP's fetch fills the area's cache, and another POP's shows that it did (warm/regional.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from prewarm.catalogue import Catalogue
from prewarm.errors import truncate
from prewarm.planning.plan import EDGE, REGIONAL, Group
from prewarm.request.model import PrewarmRequest
from prewarm.urls import Url, redacted
from resolve.distributions.cache_behaviours import by_behaviour
from resolve.origin_fetches import Bypass
from resolve.stages import PlannedGroup, ProbedGroup

# How many POPs of an area may carry its targets. A worker holds connections for all of them, and a target is fetched
# through one after the other: where so many fail, or answer with their own copies, more are not likely to help.
MOST_POPS = 8
SECONDS_PER_DAY = 86_400
# How many areas a warning lists.
AREAS_IN_WARNING = 5


def other_tier(fields: PrewarmRequest) -> PrewarmRequest | None:
    """Return the request with the other tier, for the comparison of a dry run; None where there is no other one."""
    if not fields.dry_run or fields.targets_s3:
        return None
    # max_rps could be too low for the other tier only, which the request did not ask for.
    tier = EDGE if fields.tier == REGIONAL else REGIONAL
    return fields.model_copy(update={"tier": tier, "dry_run": False, "max_rps": None})


def with_areas(stored: Group, group: ProbedGroup, fields: PrewarmRequest, catalogue: Catalogue, day: int) -> Group:
    """Return a group with one POP for each area, and the others that may take its place.

    POPs that cannot be reached are skipped and listed, also those that the request names, as long as another one of
    the area is left. An area without a reachable POP is left out of a country or region, as its POPs are; of named
    POPs it stays, so that its targets fail.

    The first POP changes with `day`: a POP that was first, or showed a proof, keeps copies of its own, and a fetch
    through it then shows nothing about the regional edge cache.
    """
    areas: dict[str, list[str]] = {}
    for pop in group.pops:
        areas.setdefault(catalogue.regional_cache_of(pop), []).append(pop)
    some_usable = any(pop not in group.unusable for pop in group.pops)
    chosen, skipped = [], list(group.skipped)
    for pops in areas.values():
        usable = [pop for pop in pops if pop not in group.unusable]
        keeps_all = not usable and (fields.kind == "pop" or not some_usable or not group.unreached.isdisjoint(pops))
        if not keeps_all:
            skipped += [group.unusable[pop] for pop in pops if pop in group.unusable]
        if kept := pops if keeps_all else usable:
            first = day % len(kept)
            chosen.append(tuple([*kept[first:], *kept[:first]][:MOST_POPS]))
    return replace(
        stored,
        pops=tuple(pops[0] for pops in chosen),
        first_stage=len(chosen),
        skipped=tuple(skipped),
        areas=tuple(chosen),
    )


def regional_warnings(
    fields: PrewarmRequest, groups: Sequence[PlannedGroup], urls: Sequence[Url], bypasses: Sequence[Bypass]
) -> tuple[str, ...]:
    """Return what a regional run ignores, and which of its targets cannot be proven."""
    warnings = []
    if fields.staged:
        warnings.append("staged: has no effect with tier regional, which warms one POP of each area only")
    for group in groups:
        warnings += _single_pops(group.stored)
        warnings += _without_server_timing(group, urls[group.stored.url_from : group.stored.url_to])
    warnings += [f"{each.warning()}; tier regional cannot warm these: use tier edge" for each in bypasses]
    return tuple(dict.fromkeys(warnings))


def _single_pops(group: Group) -> Iterator[str]:
    single = [pops[0] for pops in group.areas if len(pops) == 1]
    if not single:
        return
    more = " and others" if len(single) > AREAS_IN_WARNING else ""
    count = f"{len(single):,} regional edge cache areas have one POP" if len(single) > 1 else "one area has one POP"
    yield (
        f"{group.domain}: {count} in this run ({', '.join(single[:AREAS_IN_WARNING])}{more}): no second POP can show "
        "what the regional edge cache has, so their targets will be unproven; select more POPs of these areas"
    )


def _without_server_timing(group: PlannedGroup, urls: Sequence[Url]) -> Iterator[str]:
    in_order = group.behaviours
    if not in_order:
        return
    for number, matching in sorted(by_behaviour(in_order, urls).items()):
        if in_order[number].forwarding.server_timing is not False:
            continue
        example = truncate(redacted(matching[0].given))
        count = f"{len(matching):,} URLs, such as {example}" if len(matching) > 1 else example
        yield (
            f"{group.stored.domain}, behaviour {in_order[number].pattern} ({count}): without Server-Timing in its "
            "response headers policy nothing shows which cache answers, so these URLs will be unproven in tier "
            "regional; enable it there (a sampling rate of 0 is enough)"
        )
