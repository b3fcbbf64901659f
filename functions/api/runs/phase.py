"""What a run is doing: its phase with counts, and the time that is left where it can be estimated. Pure."""

import math
from typing import Any

from prewarm.planning.plan import Plan
from prewarm.results.run_sums import RunSums
from prewarm.storage.ledger_items import Control

RESOLVING: dict[str, Any] = {"name": "resolving"}
ENDED: dict[str, Any] = {"name": "ended"}


def phase_of(plan: Plan, sums: RunSums, control: Control, now: float) -> dict[str, Any]:
    """Return the phase of a planned run in progress; `now` in epoch seconds.

    - `invalidating`: `round` of `rounds`, and `done` of `total` invalidations of this round; `total` is 0 before
      they are created
    - `warming`: `stage` of `stages`, and `done` of `total` batches of this stage
    - `summing_up`: every batch is finished, or the run is about to end

    `secondsLeft`, while warming, follows from the targets of finished batches and the time that they took. It is
    absent before the first batch is finished and after a redrive.
    """
    if control.ended:
        return {"name": "summing_up"}
    if plan.invalidate and not sums.started and "completedAt" not in control.invalidation:
        progress = control.invalidation
        return {
            "name": "invalidating",
            "round": progress.get("round", 1),
            "rounds": progress.get("rounds", plan.invalidation_rounds - plan.document_rounds),
            "done": progress.get("done", 0),
            "total": progress.get("created", 0),
        }
    if sums.finished.total() >= plan.batches:
        return {"name": "summing_up"}
    phase = {"name": "warming"} | _stage(plan, sums)
    began = control.invalidation.get("completedAt", plan.started_at + plan.resolve_seconds)
    left = None if control.redrives else seconds_left(sums.numbers["done"], plan.targets, now - began)
    if left is None:
        return phase
    return phase | {"secondsLeft": min(left, max(0, math.ceil(control.deadline_of(plan.deadline) - now)))}


def _stage(plan: Plan, sums: RunSums) -> dict[str, int]:
    """Return the current stage: the first with an unfinished batch, else the newest with a result."""
    for number, batches in enumerate(plan.stage_batches, start=1):
        done = sums.finished[str(number)]
        if done < batches:
            return {"stage": number, "stages": plan.stages, "done": done, "total": batches}
    # A plan of an earlier version does not say how many batches a stage has.
    newest = max(map(int, sums.started), default=1)
    return {"stage": newest, "stages": plan.stages, "done": sums.finished.total(), "total": plan.batches}


def seconds_left(done: int, total: int, elapsed: float) -> int | None:
    """Return the seconds that are left if the rest takes as long per target as what is done; None if nothing is."""
    if done <= 0 or elapsed <= 0:
        return None
    return math.ceil(elapsed * max(0, total - done) / done)
