"""The dry run: a run's targets, fetches and cost as figures. Nothing is warmed or invalidated."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prewarm.catalogue import Catalogue, catalogue
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.request_headers import header_lines
from prewarm.fetcher.response import Response
from prewarm.planning.cost import Work, estimate, work_of_group
from prewarm.planning.plan import EDGE
from prewarm.request.model import PrewarmRequest
from prewarm.results.skipped_pops import skipped_of_run
from prewarm.results.vary import UNKNOWN_KEY, Varied, add, count, unkeyed_names, vary_warnings
from prewarm.settings import Settings
from resolve.distributions.cache_behaviours import first_matches, harmless_vary
from resolve.invalidation import figures
from resolve.stages import PlannedGroup, PlannedRun

# Sizes are read with HEAD, which may reach the origin: enough of them for a mean, and little load.
SIZES_ASKED_AT_MOST = 200
OK = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one group's objects by HEAD: URLs asked, those whose length is known, and their total bytes.

    `vary`: headers that responses name in Vary and the cache key does not have, with targets and first URL.
    """

    asked: int
    known: int
    bytes: int
    vary: Varied = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """Return the mean size in bytes, or None if no length is known."""
        return self.bytes / self.known if self.known else None


def dry_run(planned: PlannedRun, fields: PrewarmRequest, settings: Settings) -> dict[str, Any]:
    """Return the dry run's document, as it is stored and returned by the API; asks the edge for sizes."""
    sizes = ask_sizes(planned, fields, settings)
    return dry_run_document(planned, sizes, catalogue(), fields.invalidation_patterns)


def ask_sizes(planned: PlannedRun, fields: PrewarmRequest, settings: Settings) -> list[Sizes]:
    """Return the objects' sizes by group, from one POP each: all, or SIZES_ASKED_AT_MOST of them, evenly spread."""
    headers = header_lines(fields.headers, fields.user_agent, planned.plan.variants[0])
    sent = frozenset(name.lower() for name in fields.headers)
    share = max(1, SIZES_ASKED_AT_MOST // max(1, len(planned.groups)))
    fetches = []
    asked: Counter[int] = Counter()
    for number, group in enumerate(planned.groups):
        addresses = next((group.addresses[pop] for pop in group.stored.pops if pop in group.addresses), None)
        if addresses is None:
            continue
        queue = PopQueue(addresses)
        chosen = _spread(range(group.stored.url_from, group.stored.url_to), share)
        harmless = harmless_vary(
            group.behaviours, first_matches(group.behaviours, [planned.urls[index] for index in chosen])
        )
        unknown = frozenset() if group.behaviours else frozenset({UNKNOWN_KEY})
        for position, index in enumerate(chosen):
            names = frozenset(harmless.get(position, "").split(",")) | sent | unknown
            owner = (number, index, names)
            fetches.append(Fetch(planned.urls[index].fetch, headers, queue, owner, head=True))
            asked[number] += 1
    known: Counter[int] = Counter()
    total: Counter[int] = Counter()
    varied: list[Varied] = [{} for _ in planned.groups]

    def on_answer(fetch: Fetch, response: Response) -> float | None:
        number, index, names = fetch.owner
        if not response.error and response.status == OK:
            count(varied[number], unkeyed_names(response.vary, names), index)
            if response.length is not None:
                known[number] += 1
                total[number] += response.length
        return None

    Fetcher(settings).run(fetches, on_answer)
    return [Sizes(asked[n], known[n], total[n], varied[n]) for n in range(len(planned.groups))]


def _spread(indices: range, most: int) -> range:
    """Return at most `most` of the indices, evenly spread."""
    return indices[:: max(1, -(-len(indices) // most))]


def dry_run_document(
    planned: PlannedRun, sizes: list[Sizes], pop_catalogue: Catalogue, patterns: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the dry run's figures; `sizes` in the order of the plan's groups, `patterns` of `invalidate`."""
    plan, variants = planned.plan, len(planned.plan.variants)
    groups = list(zip(planned.groups, sizes, strict=True))
    unmatched = planned.urls[plan.placed :]
    work = _work(planned, sizes, pop_catalogue)
    varied: Varied = {}
    for size in sizes:
        add(varied, size.vary)
    return {
        "urls": plan.url_count,
        "duplicates": plan.duplicates,
        "hosts": len({url.host for url in planned.urls}),
        "distributions": [_distribution(group, size, variants) for group, size in groups],
        "noDistribution": {"urls": len(unmatched), "hosts": sorted({url.host for url in unmatched})},
        "variants": list(plan.variants),
        "targets": plan.targets,
        "batches": plan.batches,
        "stages": plan.stages,
        "fetches": sum(work.fetches.values()),
        "originFetches": planned.origin_fetches.as_json(),
        "invalidation": figures(planned.rounds, patterns),
        "sizes": {"asked": sum(each.asked for each in sizes), "known": sum(each.known for each in sizes)},
        "estimatedBytes": None if work.bytes is None else sum(work.bytes.values()),
        "cost": estimate(work).as_json(),
        "tier": plan.tier,
        "tiers": _tiers(planned, sizes, pop_catalogue),
        "mostlySkipped": plan.mostly_skipped,
        "sources": [each.as_json() for each in plan.sources],
        "demand": planned.targets.demand() if planned.targets else None,
        "warnings": [*plan.warnings, *vary_warnings(varied, [url.given for url in planned.urls])],
    }


def _tiers(planned: PlannedRun, sizes: list[Sizes], pop_catalogue: Catalogue) -> list[dict[str, Any]] | None:
    """Return the figures of both tiers, edge first; None where the request has one tier only."""
    other = planned.other_tier
    if other is None:
        return None
    figures = []
    for each in (planned, other):
        work = _work(each, sizes, pop_catalogue)
        figures.append(
            {
                "tier": each.plan.tier,
                "targets": each.plan.targets,
                "pops": len({pop for group in each.plan.groups for pop in group.pops}),
                "fetches": sum(work.fetches.values()),
                "originFetches": each.origin_fetches.fetches,
                "estimatedBytes": None if work.bytes is None else sum(work.bytes.values()),
                "dollars": round(estimate(work).dollars, 4),
            }
        )
    return sorted(figures, key=lambda entry: entry["tier"] != EDGE)


def with_estimate(planned: PlannedRun, pop_catalogue: Catalogue) -> PlannedRun:
    """Return the planned run with its estimated cost, without transfer: only a dry run asks for sizes."""
    unknown = [Sizes(0, 0, 0)] * len(planned.plan.groups)
    work = _work(planned, unknown, pop_catalogue)
    fetches, dollars = sum(work.fetches.values()), estimate(work).dollars
    return replace(planned, plan=replace(planned.plan, estimated_fetches=fetches, estimated_dollars=dollars))


def _work(planned: PlannedRun, sizes: list[Sizes], pop_catalogue: Catalogue) -> Work:
    """Return the work that AWS charges for; bytes only if some size is known of every distribution."""
    plan = planned.plan
    share = planned.second_fetches / plan.targets if plan.targets else 0.0
    fetches: Counter[str] = Counter()
    total: Counter[str] | None = Counter()
    for group, size in zip(planned.groups, sizes, strict=True):
        pairs = group.pairs_by_pop()
        of_group, bytes_of_group = work_of_group(pairs, len(plan.variants), share, size.mean, pop_catalogue)
        fetches += of_group
        total = None if total is None or bytes_of_group is None else total + bytes_of_group
    plain = sum(url.scheme == "http" for url in planned.urls[: plan.placed])
    return Work(
        fetches=dict(fetches),
        plain_http=plain / plan.placed if plan.placed else 0.0,
        bytes=None if total is None else {region: total[region] for region in fetches},
        batches=plan.batches,
        stages=plan.stages,
        invalidation_paths=plan.invalidation_paths,
        invalidation_rounds=plan.invalidation_rounds,
        own_machine=plan.own_machine,
    )


def _distribution(planned: PlannedGroup, size: Sizes, variants: int) -> dict[str, Any]:
    group = planned.stored
    return {
        "domain": group.domain,
        "id": group.distribution_id,
        "tenant": group.tenant or None,
        "account": group.account or None,
        "urls": group.urls,
        "pops": list(group.pops),
        "areas": [list(pops) for pops in group.areas],
        "skippedPops": [{"pop": each.pop, "reason": each.reason, "detail": each.detail} for each in group.skipped],
        "skippedText": skipped_of_run([group], group.skipped),
        "targets": planned.cells.pairs * variants,
        "meanBytes": None if size.mean is None else round(size.mean),
    }
