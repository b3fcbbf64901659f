from typing import Any

import pytest

from prewarm.diagnosis import FAILURE, OK, WARNING
from prewarm.planning.cost import Work, estimate
from prewarm_cli.doctor.budget import MOST_DOLLARS, estimated_dollars, judge_cost, judge_estimate, measured_dollars

# Three fetches of 1 KB with a second one each.
DRY_RUN = {
    "cost": {
        "dollars": estimate(
            Work(fetches={"Japan": 6}, plain_http=0, bytes={"Japan": 6_000}, batches=1, stages=1)
        ).dollars
    }
}


def test_whole_examination_of_a_small_object_costs_less_than_a_cent() -> None:
    whole = estimated_dollars(DRY_RUN, 3, invalidation=True, direct_start=True)
    assert 0.005 < whole < MOST_DOLLARS
    assert judge_estimate(whole) is None


def test_parts_that_are_not_made_cost_nothing() -> None:
    whole = estimated_dollars(DRY_RUN, 3, invalidation=True, direct_start=True)
    without = estimated_dollars(DRY_RUN, 3, invalidation=False, direct_start=True)
    assert whole - without == pytest.approx(0.0056, abs=0.0006)
    assert estimated_dollars(DRY_RUN, 3, invalidation=False, direct_start=False) < without


def test_large_object_is_refused_with_the_price() -> None:
    row = judge_estimate(estimated_dollars({"cost": {"dollars": 0.02}}, 3, invalidation=False, direct_start=False))
    assert row is not None
    assert (row.result, "about $0.04" in row.detail) == (FAILURE, True)
    assert "smaller object" in row.action


def test_measured_cost_is_the_sum_of_what_runs_say() -> None:
    statuses: list[dict[str, Any]] = [{"cost": {"dollars": 0.001}}, {"cost": None}, {}, {"cost": {"dollars": 0.002}}]
    assert measured_dollars(statuses) == pytest.approx(0.003)


def test_cost_above_the_limit_is_a_warning() -> None:
    assert judge_cost(0.008, 0.004, invalidation=True).result == OK
    assert judge_cost(0.008, 0.02, invalidation=False).result == WARNING
