"""Pairs of URL and POP in a distribution's group: which POPs to look up, and which pairs are left after the probe.

A POP that cannot be reached is skipped, with the share of requests that is lost; with `nearest` its pairs move to
another POP of the same location. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prewarm.catalogue import Catalogue, location_of
from prewarm.planning.cells import union
from prewarm.planning.packing import reorder
from prewarm.planning.plan import Skipped
from prewarm.results.skipped_pops import skip_text
from resolve.stages import ChosenGroup, MatchedGroup, ProbedGroup, Targets

# POPs that a warning lists.
POPS_IN_WARNING = 5


@dataclass(frozen=True)
class PlacedPairs:
    """What is left of a group's pairs: `pops` in order of area and id, `masks` in that order, and what was lost."""

    pops: tuple[str, ...]
    masks: list[int]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]


def choose_pairs(group: MatchedGroup, targets: Targets, catalogue: Catalogue, *, nearest: bool) -> ChosenGroup:
    """Return a distribution's group with the POPs of its own pairs.

    With `nearest`, the catalogue's other POPs in the same locations follow, without a pair: one of them may take the
    place of a POP that cannot be reached.
    """
    masks = [targets.masks[url.fetch] for url in group.urls]
    used = union(masks)
    columns = [column for column in range(len(targets.pops)) if used >> column & 1]
    pops = [targets.pops[column] for column in columns]
    hosts = {url.host for url in group.urls}
    requests = {pop: sum(targets.requests.get((host, pop), 0) for host in hosts) for pop in pops}
    if nearest:
        locations = {location_of(pop) for pop in pops}
        own = set(pops)
        pops += [pop for pop in catalogue.pops if location_of(pop) in locations and pop not in own]
    return ChosenGroup(
        group.distribution, group.urls, tuple(pops), (), masks=reorder(masks, columns), requests=requests
    )


def place_pairs(group: ProbedGroup, catalogue: Catalogue, *, nearest: bool) -> PlacedPairs:
    """Return the pairs of a probed group that can be warmed; all of them if none can, so that they fail."""
    masks = list(group.masks or ())
    place = {pop: column for column, pop in enumerate(group.pops)}
    used = union(masks)
    asked = [pop for pop in group.pops if used >> place[pop] & 1]
    lost = [pop for pop in asked if pop in group.unusable]
    usable = [pop for pop in group.pops if pop not in group.unusable]
    moved = _substitutes(lost, asked, usable) if nearest else {}
    if not (set(asked) - set(lost)) and not moved:
        lost = []
    for pop, other in moved.items():
        masks = _move(masks, place[pop], place[other])
    kept = [pop for pop in asked if pop not in lost] + [other for other in moved.values() if other not in asked]
    pops = sorted(dict.fromkeys(kept), key=lambda pop: (catalogue.regional_cache_of(pop), pop))
    skipped = tuple(
        replace(group.unusable[pop], detail=f"warmed at {moved[pop]} instead")
        if pop in moved
        else group.unusable[pop]
        for pop in lost
    )
    return PlacedPairs(
        tuple(pops), reorder(masks, [place[pop] for pop in pops]), skipped, _warnings(group, lost, moved, nearest)
    )


def _substitutes(lost: Sequence[str], asked: Sequence[str], usable: Sequence[str]) -> dict[str, str]:
    """Return for each lost POP a usable one in the same location: one that has pairs already, if there is one."""
    found = {}
    for pop in lost:
        near = [other for other in usable if location_of(other) == location_of(pop)]
        near.sort(key=lambda other: (other not in asked, other))
        if near:
            found[pop] = near[0]
    return found


def _move(masks: Sequence[int], old: int, new: int) -> list[int]:
    """Return masks with each bit `old` moved to `new`."""
    return [mask & ~(1 << old) | 1 << new if mask >> old & 1 else mask for mask in masks]


def _warnings(
    group: ProbedGroup,
    lost: Sequence[str],
    moved: dict[str, str],
    nearest: bool,  # noqa: FBT001 - internal
) -> tuple[str, ...]:
    """Return what the POPs that cannot be reached take from the requests."""
    whole = sum(group.requests.values())
    warnings = []
    for pops, what in (
        ([pop for pop in lost if pop not in moved], "are not warmed"),
        (list(moved), "are warmed at another POP of the same location"),
    ):
        if not pops:
            continue
        requests = sum(group.requests.get(pop, 0) for pop in pops)
        share = f"{100 * requests / whole:.1f} % of the requests" if whole else "an unknown share of the requests"
        listed = ", ".join(
            f"{pop} ({skip_text(group.unusable[pop].reason)}{f', {moved[pop]}' if pop in moved else ''})"
            for pop in pops[:POPS_IN_WARNING]
        )
        more = " and others" if len(pops) > POPS_IN_WARNING else ""
        fix = "" if nearest else "; set nearest: true to warm them at another POP of the same location"
        warnings.append(
            f"{group.distribution.domain}: {len(pops):,} of its POPs cannot be reached, so {share} "
            f"({requests:,} of {whole:,}) {what}: {listed}{more}{fix}"
        )
    return tuple(warnings)
