"""From a checked request to a plan: which URL goes through which POPs of which distribution. No network here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.batching import batch_size, stage_batches, url_blocks
from prewarm.planning.plan import Batch, Block, Group, Plan, map_item
from prewarm.request.model import CheckedRequest
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour
from resolve.distributions.finder import Found
from resolve.group_draft import Placement
from resolve.invalidation import invalidation_problems, paths_and_rounds

if TYPE_CHECKING:
    from resolve.distributions.model import Distribution

HOSTS_SHOWN = 5


def place(request: CheckedRequest, found: Found) -> tuple[list[Placement], list[Url]]:
    """Sort the URLs by distribution, in the order of the request; returns the placements and the unplaced URLs.

    Raises:
        InvalidRequest: no URL has a distribution, or one cannot be invalidated as the request wants it.

    """
    placements: dict[Distribution, Placement] = {}
    unplaced = []
    for url in request.urls:
        if served := found.distributions.get(url.host):
            placements.setdefault(served, Placement(served, [])).urls.append(url)
        else:
            unplaced.append(url)
    problems = []
    if not placements:
        reasons = [found.reasons[host] for host in dict.fromkeys(url.host for url in unplaced)]
        more = [f"and {len(reasons) - HOSTS_SHOWN} more hosts"] if len(reasons) > HOSTS_SHOWN else []
        told = "; ".join(reasons[:HOSTS_SHOWN] + more)
        problems.append(Problem("url_list", f"none of its hosts can be warmed: {told}"))
    if request.fields.invalidate:
        problems += invalidation_problems(placements.values())
    if problems:
        raise InvalidRequest(problems)
    return list(placements.values()), unplaced


@dataclass(frozen=True)
class Drawn:
    """A plan with all that is stored beside it."""

    plan: Plan
    urls: list[Url]
    addresses: list[dict[str, list[str]]]
    blocks: list[Block]
    stages: list[list[Batch]]
    behaviours: list[list[Behaviour]]

    def timed(self, seconds: float) -> "Drawn":
        """Return the same with what its cost is made of: the seconds it took to draw it, and invalidations."""
        paths, rounds = paths_and_rounds(self.plan.groups, self.urls) if self.plan.invalidate else (0, 0)
        plan = replace(
            self.plan, resolve_seconds=round(seconds, 3), invalidation_paths=paths, invalidation_rounds=rounds
        )
        return replace(self, plan=plan)

    def items(self, stage: list[Batch]) -> list[dict[str, Any]]:
        """Return a stage as the map's items."""
        return [map_item(batch, self.plan.groups[batch.group], self.urls[batch.url_from]) for batch in stage]


def draw(
    run: str,
    started_at: float,
    request: CheckedRequest,
    placements: list[Placement],
    unplaced: list[Url],
    known: Catalogue,
    warnings: Sequence[str] = (),
) -> Drawn:
    """Draw up the plan; `started_at` in epoch seconds, `warnings` for the people who read the run's status."""
    fields = request.fields
    groups: list[Group] = []
    urls: list[Url] = []
    for placement in placements:
        group = _group(request, placement, len(urls), known)
        groups.append(group)
        urls += placement.urls
    variants = tuple(sorted(dict.fromkeys(fields.accept_encodings), key=_unencoded))
    blocks = url_blocks(
        tuple(groups), len(variants), batch_size(tuple(groups), len(variants), fields.max_concurrency)
    )
    stages = [list(stage_batches(tuple(groups), blocks, len(variants), number)) for number in (1, 2)]
    stages = [stage for stage in stages if stage]
    plan = Plan(
        run=run,
        started_at=started_at,
        deadline=started_at + 60 * fields.timeout_minutes,
        url_count=len(urls) + len(unplaced),
        region_type=fields.kind,
        variants=variants,
        percent_needed=fields.percent_needed,
        fail_on=fields.fail_on,
        verify=fields.verify,
        max_bytes=fields.max_bytes,
        invalidate=fields.invalidate,
        groups=tuple(groups),
        stages=len(stages),
        targets=sum(batch.targets for stage in stages for batch in stage),
        batches=sum(map(len, stages)),
        warnings=tuple(warnings),
        max_concurrency=fields.max_concurrency,
        max_rps=fields.max_rps,
    )
    refuse_what_cannot_end(plan, fields.timeout_minutes)
    addresses = [placement.addresses for placement in placements]
    return Drawn(plan, urls + unplaced, addresses, blocks, stages, [placement.behaviours for placement in placements])


def refuse_what_cannot_end(plan: Plan, timeout_minutes: int) -> None:
    """Refuse a run whose own limit of fetches per second makes it miss its deadline.

    Raises:
        InvalidRequest: says how much there is to fetch, and what would do.

    """
    if plan.max_rps is None or plan.targets <= 60 * timeout_minutes * plan.max_rps:
        return
    takes = f"{plan.targets:,} fetches take {plan.targets / plan.max_rps / 60:,.0f} minutes or more at that rate"
    needed = plan.targets / (60 * timeout_minutes)
    fix = f"allow more than {needed:,.1f} a second, or raise timeout_minutes ({timeout_minutes})"
    raise InvalidRequest([Problem("max_rps", f"{takes}; {fix}")])


def _unencoded(accept_encoding: str) -> bool:
    """Say whether CloudFront takes an Accept-Encoding for none: it knows br and gzip, in whatever case."""
    return re.search(r"\b(br|gzip)\b", accept_encoding.lower()) is None


def _group(request: CheckedRequest, placement: Placement, first_url: int, known: Catalogue) -> Group:
    """Choose the POPs of one distribution.

    A POP asked for by name is never skipped, it fails; one of a country or region is, unless none would be left.
    """
    fit = [pop for pop in placement.pops if pop not in placement.unfit]
    skipping = request.fields.kind != "pop" and bool(fit)
    pops = fit if skipping else list(placement.pops)
    unfit = [placement.unfit[pop] for pop in placement.pops if pop in placement.unfit] if skipping else []
    group = Group(
        domain=placement.distribution.domain,
        distribution_id=placement.distribution.id,
        url_from=first_url,
        url_to=first_url + len(placement.urls),
        pops=tuple(pops),
        first_stage=len(pops),
        skipped=(*placement.outside, *unfit),
        tenant=placement.distribution.tenant,
    )
    if not request.fields.staged:
        return group
    # One POP of each regional edge cache first: it fills that cache, and the others find it filled.
    first: dict[str, str] = {}
    for pop in fit:
        if pop in placement.addresses:
            first.setdefault(known.regional_cache_of(pop), pop)
    leading = list(first.values())
    if not leading:
        return group
    others = [pop for pop in pops if pop not in set(leading)]
    return replace(group, pops=(*leading, *others), first_stage=len(leading))
