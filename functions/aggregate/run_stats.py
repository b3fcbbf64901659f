"""What a run's measurements say: its POPs, its regions, its times, and what it cost. Pure."""

from collections import Counter
from typing import Any

from prewarm.catalogue import Catalogue
from prewarm.planning.cost import RESOLVE_GB, Work, estimate, price_region
from prewarm.planning.plan import Plan
from prewarm.results.stats import Measured, PopSums, percentiles

# Memory of AggregateResults' function; its time is as long as its state's.
AGGREGATE_GB = 1.0


def measured_sums(plan: Plan, measured: Measured, seconds: float, known: Catalogue) -> dict[str, Any]:
    """Return what a summary says of a run's measurements; `seconds`: how long adding it up took."""
    return {
        "fetches": measured.fetches,
        "timeToFirstByteMs": percentiles(measured.classes),
        "pops": measured.pops_as_json(),
        "regions": regions(measured, known),
        "cost": estimate(measured_work(plan, measured, seconds, known)).as_json(),
    }


def regions(measured: Measured, known: Catalogue) -> list[dict[str, Any]]:
    """Return the sums of each of CloudFront's price regions, the one with the most targets first."""
    targets: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    found: dict[str, PopSums] = {}
    for name, pop in measured.pops.items():
        region = price_region(name, known)
        targets[region] += measured.targets[name]
        counted[region] += 1
        found.setdefault(region, PopSums()).add(pop)
    return [
        {
            "region": region,
            "pops": counted[region],
            "targets": count,
            "warm": found[region].warm,
            "bytes": found[region].bytes,
            "meanMs": found[region].mean_ms,
        }
        for region, count in targets.most_common()
    ]


def measured_work(plan: Plan, measured: Measured, seconds: float, known: Catalogue) -> Work:
    """Return what a run is charged for, as it was measured."""
    fetches: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for name, pop in measured.pops.items():
        region = price_region(name, known)
        fetches[region] += pop.fetches
        moved[region] += pop.bytes
    return Work(
        fetches=dict(fetches),
        plain_http=measured.plain / measured.fetches if measured.fetches else 0.0,
        bytes={region: moved[region] for region in fetches},
        batches=plan.batches,
        stages=plan.stages,
        invalidation_paths=plan.invalidation_paths,
        invalidation_rounds=plan.invalidation_rounds,
        continued=max(0, measured.parts - plan.batches),
        worker_seconds=measured.gb_ms / 1000,
        other_gb_seconds=plan.resolve_seconds * RESOLVE_GB + seconds * AGGREGATE_GB,
    )
