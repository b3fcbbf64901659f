"""The phase of a run in progress, and the time that is left."""

from typing import Any

import pytest

from api.runs.phase import phase_of, seconds_left
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.run_sums import sums_of
from prewarm.storage.ledger_items import Control
from tests.support.builders import plan

# Two stages: one batch of two targets, then two batches of four targets.
PLAN = plan(targets=10, batches=3, stages=2, stage_batches=(1, 2), resolve_seconds=10.0, invalidation_rounds=2)
RUNNING = Control(ended=False)
NOW = PLAN.started_at + 30


def part(batch: str, done: int, *, finished: bool = True, number: int = 0) -> BatchResult:
    """Return a part of a batch of 2 URLs x 1 or 2 POPs."""
    pops = 1 if batch.startswith("1-") else 2
    return BatchResult(
        batch, number, 0, 0, 2, pops, finished=finished, done=done, outcomes={"warmed": done}, verified=0, bytes=0
    )


def phase(
    results: list[BatchResult], control: Control = RUNNING, of: Plan = PLAN, now: float = NOW
) -> dict[str, Any]:
    return phase_of(of, sums_of(of, results), control, now)


def test_stage_advances_when_all_its_batches_are_finished() -> None:
    assert phase([]) == {"name": "warming", "stage": 1, "stages": 2, "done": 0, "total": 1}
    first = [part("1-000000", 2)]
    assert phase(first) | {"secondsLeft": 0} == {
        "name": "warming", "stage": 2, "stages": 2, "done": 0, "total": 2, "secondsLeft": 0
    }  # fmt: skip
    second = [*first, part("2-000000", 4)]
    assert (phase(second)["stage"], phase(second)["done"], phase(second)["total"]) == (2, 1, 2)
    assert phase([*second, part("2-000001", 4)]) == {"name": "summing_up"}


def test_run_that_is_about_to_end_sums_up() -> None:
    assert phase([part("1-000000", 2)], Control(ended=True)) == {"name": "summing_up"}


def test_invalidation_has_counts_until_the_last_round_is_completed() -> None:
    invalidating = plan(invalidate=True, invalidation_rounds=2, batches=1, stage_batches=(1,))
    assert phase([], of=invalidating) == {"name": "invalidating", "round": 1, "rounds": 2, "done": 0, "total": 0}
    noted = Control(ended=False, invalidation={"round": 2, "rounds": 2, "done": 3, "created": 5})
    assert phase([], noted, invalidating) == {"name": "invalidating", "round": 2, "rounds": 2, "done": 3, "total": 5}
    completed = Control(
        ended=False, invalidation={"round": 2, "rounds": 2, "done": 5, "created": 5, "completedAt": 1}
    )
    assert phase([], completed, invalidating)["name"] == "warming"


def test_time_left_follows_from_finished_targets_and_their_time() -> None:
    """2 of 10 targets took 20 s after the plan was ready, so 8 take 80 s."""
    assert phase([part("1-000000", 2)])["secondsLeft"] == 80
    late = Control(ended=False, invalidation={"completedAt": round(NOW - 5)})
    assert phase([part("1-000000", 2)], late)["secondsLeft"] == 20


def test_time_left_is_never_beyond_the_deadline_and_unknown_after_a_redrive() -> None:
    assert phase([part("1-000000", 2)], now=PLAN.deadline - 7)["secondsLeft"] == 7
    assert phase([part("1-000000", 2)], now=PLAN.deadline + 7)["secondsLeft"] == 0
    assert "secondsLeft" not in phase([part("1-000000", 2)], Control(ended=False, redrives=1, deadline=9_000))


def test_plan_of_an_earlier_version_has_the_newest_stage_with_a_result() -> None:
    earlier = plan(targets=10, batches=3, stages=2, stage_batches=())
    assert phase([part("2-000000", 4)], of=earlier) | {"secondsLeft": 0} == {
        "name": "warming", "stage": 2, "stages": 2, "done": 1, "total": 3, "secondsLeft": 0
    }  # fmt: skip


@pytest.mark.parametrize(("done", "elapsed"), [(0, 10.0), (5, 0.0), (5, -1.0)])
def test_no_time_left_without_a_measurement(done: int, elapsed: float) -> None:
    assert seconds_left(done, 10, elapsed) is None
