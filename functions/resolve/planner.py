"""Plan: divide a run's targets into stages, blocks and batches. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.batching import stage_batches, targets_per_batch, url_blocks
from prewarm.planning.cost import verification_fetches
from prewarm.planning.packing import Masks, first_stage, pack_pairs
from prewarm.planning.plan import REGIONAL, Batch, Block, Group, Plan, Skipped
from prewarm.planning.source_report import SourceReport
from prewarm.request.model import PrewarmRequest
from prewarm.results.skipped_pops import skip_text
from prewarm.urls import Url, respelled
from resolve.invalidation import check_rounds, uncovered_warnings
from resolve.invalidation_paths import paths_of_urls
from resolve.invalidation_rounds import Round, paths_of, rounds_of
from resolve.origin_fetches import origin_fetches
from resolve.pops.pairs import place_pairs
from resolve.regional import SECONDS_PER_DAY, other_tier, regional_warnings, with_areas
from resolve.stages import PlannedGroup, PlannedRun, Probed, ProbedGroup
from resolve.variants import variants_of

# How many POPs a warning lists.
POPS_IN_WARNING = 5


def plan_run(
    run: str,
    fields: PrewarmRequest,
    probed: Probed,
    unmatched: Sequence[Url],
    warnings: tuple[str, ...],
    catalogue: Catalogue,
    *,
    sources: tuple[SourceReport, ...] = (),
    started_at: float,
    clock: Callable[[], float],
    duplicates: int = 0,
    own_machine: bool = False,
    began_at: float | None = None,
    document_rounds: Sequence[Round] = (),
) -> PlannedRun:
    """Return the planned run.

    Args:
        run: the run's name.
        fields: the request.
        probed: the distributions with their URLs and POPs.
        unmatched: the URLs that no distribution serves.
        warnings: the warnings of all stages, for the run's status.
        catalogue: the POP catalogue, for the regional edge caches of a staged run.
        sources: what the run took from its sources and what it left out.
        started_at: when the run began, in epoch seconds.
        clock: returns the current time in epoch seconds.
        duplicates: how many entries of the sources were left out, since they are another spelling of a URL.
        own_machine: whether the service runs on the user's machine.
        began_at: when this reading of the sources began, if earlier ones invalidated documents.
        document_rounds: what those have invalidated, which is paid too.

    Raises:
        InvalidRequest: `max_rps` or the invalidations make the run miss its deadline.

    """
    planned: list[PlannedGroup] = []
    urls: list[Url] = []
    regional = fields.tier == REGIONAL
    for group in probed.groups:
        if regional:
            plain = _group_of(group, len(urls), group.pops, group.skipped)
            stored = with_areas(plain, group, fields, catalogue, int(started_at // SECONDS_PER_DAY))
            masks = None
        elif group.masks is None:
            stored, masks = _stored_group(fields, group, len(urls), catalogue), None
        else:
            placed = place_pairs(group, catalogue, nearest=fields.nearest)
            warnings += placed.warnings
            stored, masks = _group_of(group, len(urls), placed.pops, placed.skipped), placed.masks
        warnings += unreachable_warnings(stored, group)
        planned.append(PlannedGroup(stored, group.addresses, group.behaviours, masks))
        urls += group.urls
    groups = tuple(each.stored for each in planned)
    variants, http_variants = variants_of(fields.accept_encodings, urls)
    blocks, stages = divide(planned, len(variants), fields, catalogue)
    targets = sum(batch.targets for stage in stages for batch in stage)
    check_max_rps(fields.max_rps, targets, fields.timeout_minutes)
    rounds = plan_rounds(run, fields, planned, urls)
    warnings += uncovered_warnings(probed.groups, fields.invalidation_patterns)
    plan = Plan(
        run=run,
        started_at=started_at,
        deadline=started_at + 60 * fields.timeout_minutes,
        url_count=len(urls) + len(unmatched),
        region_type=fields.kind,
        variants=variants,
        http_variants=http_variants,
        percent_needed=fields.percent_needed,
        fail_on=fields.fail_on,
        verify=fields.verify,
        max_bytes=fields.max_bytes,
        invalidate=bool(fields.invalidate),
        groups=groups,
        stages=len(stages),
        targets=targets,
        batches=sum(map(len, stages)),
        warnings=warnings,
        max_concurrency=fields.max_concurrency,
        max_rps=fields.max_rps,
        resolve_seconds=round(clock() - (began_at or started_at), 3),
        invalidation_paths=paths_of([*document_rounds, *rounds]),
        invalidation_rounds=len(document_rounds) + len(rounds),
        document_rounds=len(document_rounds),
        sources=sources,
        strict_sources=fields.strict_sources,
        duplicates=duplicates,
        respelled=len(respelled([*urls, *unmatched])),
        own_machine=own_machine,
        label=fields.label or "",
        stage_batches=tuple(map(len, stages)),
        lists_batches=True,
        pairs=any(batch.rows for stage in stages for batch in stage),
        batch_list=tuple(chain.from_iterable(stages)),
        tier=fields.tier,
        shared_rate=True,
    )
    second_fetches = verification_fetches(plan, chain.from_iterable(stages))
    share = second_fetches / targets if targets else 0.0
    estimate = origin_fetches(
        [(each.stored, each.behaviours, each.masks) for each in planned], urls, len(variants), share, catalogue
    )
    if regional:
        warnings += regional_warnings(fields, planned, urls, estimate.bypasses)
    else:
        warnings += tuple(each.warning() for each in estimate.bypasses)
    run_of_tier = PlannedRun(replace(plan, warnings=warnings), [*urls, *unmatched], tuple(planned), blocks, stages,
                             rounds, estimate, second_fetches=second_fetches)  # fmt: skip
    if (compared := other_tier(fields)) is None:
        return run_of_tier
    other = plan_run(run, compared, probed, unmatched, (), catalogue, started_at=started_at, clock=clock,
                     own_machine=own_machine)  # fmt: skip
    return replace(run_of_tier, other_tier=other)


def divide(
    planned: Sequence[PlannedGroup], variants: int, fields: PrewarmRequest, catalogue: Catalogue
) -> tuple[list[Block], list[list[Batch]]]:
    """Return the blocks and the batches of each stage: rectangles, or pairs where the groups have masks."""
    groups = tuple(each.stored for each in planned)
    size = targets_per_batch(max(1, sum(each.cells.pairs for each in planned) * variants), fields.max_concurrency)
    if all(each.masks is None for each in planned):
        blocks = url_blocks(groups, variants, size)
        stages = [list(stage_batches(groups, blocks, variants, number)) for number in (1, 2)]
        return blocks, [stage for stage in stages if stage]
    masks: list[Masks] = [each.masks or [] for each in planned]
    if fields.staged:
        split = [first_stage(each.masks or [], _leading(each, catalogue)) for each in planned]
        masks = [*(first for first, _ in split), *(second for _, second in split)]
    return pack_pairs(groups, masks, variants, size)


def _leading(group: PlannedGroup, catalogue: Catalogue) -> list[int]:
    """Return for each regional edge cache the bits of the group's POPs that have an address."""
    areas: dict[str, int] = {}
    for column, pop in enumerate(group.stored.pops):
        if pop in group.addresses:
            area = catalogue.regional_cache_of(pop)
            areas[area] = areas.get(area, 0) | 1 << column
    return list(areas.values())


def plan_rounds(
    run: str, fields: PrewarmRequest, planned: Sequence[PlannedGroup], urls: Sequence[Url]
) -> list[Round]:
    """Return the rounds of invalidations of a run: the paths of its URLs, or its patterns in each distribution.

    Raises:
        InvalidRequest: the rounds take longer than the run may.

    """
    if not fields.invalidate:
        return []
    groups = [each.stored for each in planned]
    if patterns := fields.invalidation_patterns:
        return rounds_of(run, groups, (patterns for _ in groups))
    listed = (
        list(chain.from_iterable(paths_of_urls(urls[each.stored.url_from : each.stored.url_to], each.behaviours)))
        for each in planned
    )
    rounds = rounds_of(run, groups, listed)
    check_rounds(rounds, fields.timeout_minutes)
    return rounds


def unreachable_warnings(stored: Group, group: ProbedGroup) -> tuple[str, ...]:
    """Return a warning about the POPs that a run keeps although they cannot be reached now."""
    failing = [group.unusable[pop] for pop in stored.pops if pop in group.unusable]
    if not failing:
        return ()
    listed = ", ".join(f"{each.pop} ({skip_text(each.reason)})" for each in failing[:POPS_IN_WARNING])
    more = " and others" if len(failing) > POPS_IN_WARNING else ""
    count = f"{len(failing):,} of {len(stored.pops):,} POPs of {stored.domain}"
    return (f"{count} cannot be reached, so their targets will fail: {listed}{more}",)


def check_max_rps(max_rps: float | None, targets: int, timeout_minutes: int) -> None:
    """Check that a run's own limit of fetches per second lets it meet its deadline.

    Raises:
        InvalidRequest: it does not; the message names the number of fetches and the limits that would do.

    """
    if max_rps is None or targets <= 60 * timeout_minutes * max_rps:
        return
    duration = f"{targets:,} fetches take {targets / max_rps / 60:,.0f} minutes or more at {max_rps:g} per second"
    needed = targets / (60 * timeout_minutes)
    fix = f"set more than {needed:,.1f} per second, or raise timeout_minutes ({timeout_minutes})"
    raise InvalidRequest([Problem("max_rps", f"{duration}; {fix}")])


def _group_of(group: ProbedGroup, first_url: int, pops: Sequence[str], skipped: Sequence[Skipped]) -> Group:
    """Return one distribution's group of the plan, all of its POPs in the first stage."""
    return Group(
        domain=group.distribution.domain,
        distribution_id=group.distribution.id,
        url_from=first_url,
        url_to=first_url + len(group.urls),
        pops=tuple(pops),
        first_stage=len(pops),
        skipped=tuple(skipped),
        tenant=group.distribution.tenant,
        account=group.distribution.account,
    )


def _stored_group(fields: PrewarmRequest, group: ProbedGroup, first_url: int, catalogue: Catalogue) -> Group:
    """Return one distribution's group of the plan, with the POPs to warm.

    A POP that the request names is never skipped: it fails. An unusable POP of a country or region is skipped, unless
    no other is left, or only substitutes are and none of them lies in its location.
    """
    usable = [pop for pop in group.pops if pop not in group.unusable]
    skipping = fields.kind != "pop" and bool(usable)
    dropped = group.unusable.keys() - group.unreached if skipping else set()
    pops = [pop for pop in group.pops if pop not in dropped]
    unusable = [group.unusable[pop] for pop in group.pops if pop in dropped]
    stored = _group_of(group, first_url, pops, (*group.skipped, *unusable))
    if not fields.staged:
        return stored
    # Stage 1 has one POP of each regional edge cache and fills that cache; the other POPs then read from it.
    first_of: dict[str, str] = {}
    for pop in usable:
        if pop in group.addresses:
            first_of.setdefault(catalogue.regional_cache_of(pop), pop)
    leading = list(first_of.values())
    if not leading:
        return stored
    others = [pop for pop in pops if pop not in set(leading)]
    return replace(stored, pops=(*leading, *others), first_stage=len(leading))
