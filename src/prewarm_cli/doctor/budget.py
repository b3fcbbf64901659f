"""What an examination costs: estimated by the product's own formula before, and as its runs say afterwards. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prewarm.diagnosis import Check, Row, Texts
from prewarm.planning.cost import Work, estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_DOLLARS = 0.01
# Runs through the three POPs: the one that is judged, and the one that is cancelled.
RUNS_OF_THREE = 2
# The resolve function is invoked without a run: GET /diagnose, the dry run, and with --json nothing more.
INVOCATIONS = 2

COST = Check(
    "cost",
    Texts(
        "the examination costs less than a cent",
        "no run was made, so nothing about runs is known",
        "pass the URL of a smaller object, or --no-invalidation",
    ),
)


def estimated_dollars(dry_run: Mapping[str, Any], pops: int, *, invalidation: bool, direct_start: bool) -> float:
    """Return what the examination costs at most; `dry_run`: the figures of the run through `pops` POPs."""
    of_run = float((dry_run.get("cost") or {}).get("dollars") or 0.0)
    nothing = Work(fetches={}, plain_http=0.0, bytes=None, batches=0, stages=1)
    parts = [RUNS_OF_THREE * of_run]
    parts += [INVOCATIONS * part.dollars for part in estimate(nothing).parts if part.name == "Lambda time"]
    if direct_start:
        parts.append(estimate(nothing).dollars)
    if invalidation:
        parts += [of_invalidation(), of_run / max(1, pops)]
    return math.fsum(parts)


def of_invalidation() -> float:
    """Return the cost of the run that invalidates a path, without its fetch."""
    work = Work(
        fetches={},
        plain_http=0.0,
        bytes=None,
        batches=1,
        stages=1,
        invalidation_paths=1,
        invalidation_rounds=1,
    )
    return estimate(work).dollars


def measured_dollars(statuses: Iterable[Mapping[str, Any]]) -> float:
    """Return the sum of what ended runs say that they cost."""
    costs = (status.get("cost") or {} for status in statuses)
    return math.fsum(float(cost.get("dollars") or 0.0) for cost in costs)


def judge_estimate(dollars: float) -> Row | None:
    """Return the failure of an examination that would cost too much, else None."""
    if dollars < MOST_DOLLARS:
        return None
    return COST.failure(f"the runs would cost about ${dollars:,.4f}; the limit is ${MOST_DOLLARS:.2f}")


def judge_cost(estimated: float, measured: float, *, invalidation: bool) -> Row:
    """Return the row about the cost of an examination whose runs have ended."""
    detail = f"about ${measured:,.4f}; at most ${estimated:,.4f} was estimated before"
    if invalidation:
        detail += ", most of it for the invalidated path (the first 1,000 a month are free)"
    return COST.ok(detail) if max(estimated, measured) < MOST_DOLLARS else COST.warning(detail, "it cost more")
