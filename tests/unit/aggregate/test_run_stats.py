"""A run's measurements in its summary: cost, and sums by region."""

from dataclasses import replace

import pytest

from aggregate.run_stats import measured_sums, measured_work, regions
from prewarm.catalogue import catalogue
from prewarm.planning.cost import estimate
from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import PopSums, measure, pack_pops
from tests.support.builders import plan


def part(group: int, number: int, pops: list[PopSums], *, gb_ms: int = 0, plain: int = 0) -> BatchResult:
    made = BatchResult(f"1-{number:06}", 0, group, 0, 1, len(pops), True, 1, {}, 0, 0)
    return replace(made, per_pop=pack_pops(pops), gb_ms=gb_ms, plain=plain)


def test_cost_is_the_formula_of_the_measurements() -> None:
    whole = plan(batches=2, resolve_seconds=2.0, invalidation_paths=2, invalidation_rounds=1)
    measured = measure(whole, [part(0, 0, [PopSums(10, 10, 20, 10**9, 1), PopSums(10, 9, 20, 10**9, 1)], gb_ms=3000)])
    work = measured_work(whole, measured, 1.5, catalogue())
    assert work.fetches == {"United States, Mexico, Canada": 20, "Japan": 20}
    parts = {each.name: each for each in estimate(work).parts}
    assert parts["Lambda time"].quantity == pytest.approx(3.0 + 2.0 * 1.73 + 1.5 + 1.0)
    assert parts["CloudFront transfer, Japan"].dollars == pytest.approx(0.114)
    assert parts["invalidation (the first 1,000 a month are free)"].quantity == 2
    assert measured_sums(whole, measured, 1.5, catalogue())["cost"]["dollars"] == pytest.approx(
        estimate(work).dollars, abs=1e-4
    )


def test_cost_has_the_estimate_of_the_plan_next_to_it() -> None:
    before = plan(batches=1, estimated_dollars=0.25, estimated_fetches=30)
    measured = measure(before, [part(0, 0, [PopSums(10, 10, 20, 10**9, 1)])])
    cost = measured_sums(before, measured, 0.0, catalogue())["cost"]
    found = cost["estimate"]
    assert (found["dollars"], found["fetches"], found["measuredFetches"]) == (0.25, 30, 20)
    transfer = sum(each["dollars"] for each in cost["parts"] if "transfer" in each["name"])
    assert transfer > 0.05
    assert found["measuredDollars"] == pytest.approx(cost["dollars"] - transfer, abs=1e-4)
    assert "estimate" not in measured_sums(plan(), measured, 0.0, catalogue())["cost"]


def test_run_on_ones_own_machine_is_charged_for_cloudfront_only() -> None:
    own = plan(batches=1, own_machine=True, invalidation_paths=2)
    measured = measure(own, [part(0, 0, [PopSums(10, 10, 20, 10**9, 1)], gb_ms=3000)])
    names = [each["name"] for each in measured_sums(own, measured, 9.0, catalogue())["cost"]["parts"]]
    assert {name.partition(",")[0].partition(" (")[0] for name in names} == {
        "CloudFront requests",
        "CloudFront transfer",
        "invalidation",
    }


def test_regions_are_those_of_cloudfronts_prices() -> None:
    measured = measure(plan(), [part(0, 0, [PopSums(2, 1, 2, 5, 30, 2), PopSums(2, 2, 2, 5, 50, 2)])])
    by_region = {entry["region"]: entry for entry in regions(measured, catalogue())}
    expected = {"region": "Japan", "pops": 1, "targets": 2, "warm": 2, "bytes": 5, "meanMs": 25.0, "judged": 2}
    assert by_region["Japan"] == expected
    assert set(by_region) == {"Japan", "United States, Mexico, Canada"}
