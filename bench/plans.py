"""Plans at size: a rectangle of URLs and POPs, and pairs from traffic.

    .venv/bin/python -m bench.plans

bench/plan.py and bench/pairs.py measure other sizes.
"""

from typing import TYPE_CHECKING

from bench.page import markdown
from bench.pairs import measure as measure_pairs
from bench.plan import measure as measure_rectangle
from bench.section import Section, Target

if TYPE_CHECKING:
    from bench.resolving import Resolved


def measure(*, quick: bool = False) -> Section:
    """Plan 10,000 URLs through all POPs, and a million pairs from a CSV, from gzip, and from a quoted CSV."""
    urls, pairs = (50, 2_000) if quick else (10_000, 1_000_000)
    rectangle = measure_rectangle(urls)
    from_csv = measure_pairs(pairs, max(50, pairs * 3 // 10))
    plans: list[tuple[str, Resolved]] = [(f"{urls:,} URLs x all POPs", rectangle)]
    plans += [(f"{pairs:,} pairs, {form}", resolved) for form, resolved in from_csv.items()]
    rows = tuple(
        (name, f"{plan.output['targets']:,}", f"{plan.output['batches']:,}", f"{plan.seconds:.1f}", f"{plan.cpu:.1f}",
         f"{plan.peak_mb:.0f}")
        for name, plan in plans
    )  # fmt: skip
    targets = (
        Target(f"plan of {urls:,} URLs x all POPs", rectangle.seconds, 8.0, " s"),
        Target(f"memory of {urls:,} URLs x all POPs", rectangle.peak_mb, 250.0, " MB"),
        Target(f"plan of {pairs:,} pairs", max(plan.seconds for plan in from_csv.values()), 10.0, " s"),
        Target(f"memory of {pairs:,} pairs", max(plan.peak_mb for plan in from_csv.values()), 400.0, " MB"),
    )
    notes = (
        "ResolveTargets, from the handler's start to its return, probes of all POPs included; imports are not.",
        "moto and the simulated CloudFront share the machine.",
    )
    columns = ("plan", "targets", "batches", "seconds", "CPU s", "peak MB")
    return Section("A plan at size", columns, rows, notes, targets)


if __name__ == "__main__":
    print(markdown(measure()))
