"""What a run is doing: its phase with counts, and the time that is left where it can be estimated. Pure."""

import math
from collections.abc import Sequence
from typing import Any

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import counted_parts, finished_batches
from prewarm.storage.ledger_items import Control

RESOLVING: dict[str, Any] = {"name": "resolving"}
ENDED: dict[str, Any] = {"name": "ended"}


def phase_of(plan: Plan, results: Sequence[BatchResult], control: Control, now: float) -> dict[str, Any]:
    """Return the phase of a planned run in progress; `now` in epoch seconds.

    - `invalidating`: `round` of `rounds`, and `done` of `total` invalidations of this round; `total` is 0 before
      they are created
    - `warming`: `stage` of `stages`, and `done` of `total` batches of this stage
    - `summing_up`: every batch is finished, or the run is about to end

    `secondsLeft`, while warming, follows from the targets of finished batches and the time that they took. It is
    absent before the first batch is finished and after a redrive.
    """
    parts = counted_parts(results, len(plan.variants))
    finished = finished_batches(parts, len(plan.variants))
    if control.ended:
        return {"name": "summing_up"}
    if plan.invalidate and not parts and "completedAt" not in control.invalidation:
        progress = control.invalidation
        return {
            "name": "invalidating",
            "round": progress.get("round", 1),
            "rounds": progress.get("rounds", plan.invalidation_rounds - plan.document_rounds),
            "done": progress.get("done", 0),
            "total": progress.get("created", 0),
        }
    if len(finished) >= plan.batches:
        return {"name": "summing_up"}
    phase = {"name": "warming"} | _stage(plan, finished, max((stage_of(part.batch) for part in parts), default=1))
    began = control.invalidation.get("completedAt", plan.started_at + plan.resolve_seconds)
    left = None if control.redrives else seconds_left(sum(part.done for part in parts), plan.targets, now - began)
    if left is None:
        return phase
    return phase | {"secondsLeft": min(left, max(0, math.ceil(control.deadline_of(plan.deadline) - now)))}


def _stage(plan: Plan, finished: set[str], newest: int) -> dict[str, int]:
    """Return the current stage: the first with an unfinished batch, else the newest with a result."""
    for number, batches in enumerate(plan.stage_batches, start=1):
        done = sum(stage_of(batch) == number for batch in finished)
        if done < batches:
            return {"stage": number, "stages": plan.stages, "done": done, "total": batches}
    # A plan of an earlier version does not say how many batches a stage has.
    return {"stage": newest, "stages": plan.stages, "done": len(finished), "total": plan.batches}


def stage_of(batch: str) -> int:
    """Return the stage of a batch, from its id such as 2-000013."""
    return int(batch.partition("-")[0])


def seconds_left(done: int, total: int, elapsed: float) -> int | None:
    """Return the seconds that are left if the rest takes as long per target as what is done; None if nothing is."""
    if done <= 0 or elapsed <= 0:
        return None
    return math.ceil(elapsed * max(0, total - done) / done)
