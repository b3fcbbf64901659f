"""Statistics of a run: per POP and price region, response times, and cost. Pure."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from prewarm.catalogue import Catalogue
from prewarm.planning.cost import RESOLVE_GB, Work, estimate, price_region
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.gain import gain_of
from prewarm.results.stats import Measured, PopSums

# Memory of the aggregate function in GB.
AGGREGATE_GB = 1.0


def measured_sums(plan: Plan, measured: Measured, seconds: float, catalogue: Catalogue) -> dict[str, Any]:
    """Return a summary's statistics; `seconds`: the aggregate function's duration."""
    return {
        "fetches": measured.fetches,
        **measured.times_as_json(),
        "pops": measured.pops_as_json(),
        "regions": regions(measured, catalogue),
        "cost": measured_cost(plan, measured, seconds, catalogue),
    }


def gain_fields(plan: Plan, parts: Iterable[BatchResult], catalogue: Catalogue) -> dict[str, Any]:
    """Return {"gain": what first viewers were spared}, or {} where the parts of the run have no counts of it."""
    gain = gain_of(parts, plan.verify, partial(price_region, catalogue=catalogue))
    return {} if gain is None else {"gain": gain}


def measured_cost(plan: Plan, measured: Measured, seconds: float, catalogue: Catalogue) -> dict[str, Any]:
    """Return a run's cost, and next to it what was estimated before it began, where the plan contains that.

    The estimate lacks the transfer, so the measured dollars without transfer are added for comparison.
    """
    cost = estimate(measured_work(plan, measured, seconds, catalogue))
    if not plan.estimated_fetches:
        return cost.as_json()
    before = {
        "dollars": round(plan.estimated_dollars, 4),
        "fetches": plan.estimated_fetches,
        "withoutTransfer": True,
        "measuredDollars": round(cost.dollars_without_transfer, 4),
        "measuredFetches": measured.fetches,
    }
    return cost.as_json() | {"estimate": before}


def regions(measured: Measured, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return totals per price region, the one with the most targets first."""
    targets: Counter[str] = Counter()
    pops: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    totals: dict[str, PopSums] = {}
    for name, pop in measured.pops.items():
        region = price_region(name, catalogue)
        targets[region] += measured.targets[name]
        pops[region] += 1
        judged[region] += measured.judged(name)
        totals.setdefault(region, PopSums()).add(pop)
    return [
        {
            "region": region,
            "pops": pops[region],
            "targets": count,
            "warm": totals[region].warm,
            "bytes": totals[region].bytes,
            "meanMs": totals[region].mean_ms,
            "judged": judged[region],
        }
        for region, count in targets.most_common()
    ]


def measured_work(plan: Plan, measured: Measured, seconds: float, catalogue: Catalogue) -> Work:
    """Return the billable work of a run as it was measured."""
    fetches: Counter[str] = Counter()
    transferred: Counter[str] = Counter()
    for name, pop in measured.pops.items():
        region = price_region(name, catalogue)
        fetches[region] += pop.fetches
        transferred[region] += pop.bytes
    return Work(
        fetches=dict(fetches),
        plain_http=measured.plain / measured.fetches if measured.fetches else 0.0,
        bytes={region: transferred[region] for region in fetches},
        batches=plan.batches,
        stages=plan.stages,
        invalidation_paths=plan.invalidation_paths,
        invalidation_rounds=plan.invalidation_rounds,
        continued=max(0, measured.parts - plan.batches),
        worker_seconds=measured.gb_ms / 1000,
        other_gb_seconds=plan.resolve_seconds * RESOLVE_GB + seconds * AGGREGATE_GB,
        own_machine=plan.own_machine,
    )
