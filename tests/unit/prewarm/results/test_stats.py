"""What a run's fetches measured, from a worker's part to the run's sums and dollars."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregate.run_stats import measured_sums, measured_work, regions
from prewarm.catalogue import catalogue
from prewarm.planning.cost import estimate
from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.outcome import Outcome
from prewarm.results.stats import (
    PopSums,
    class_middle,
    measure,
    pack_pops,
    percentiles,
    time_class,
    unpack_pops,
)
from tests.support.builders import plan, response, targets_of, tile_of
from warm.recorder import Recorder

numbers = st.integers(0, 10**15)
sums = st.builds(PopSums, *[numbers] * 6)


@given(st.lists(sums, min_size=1, max_size=100))
def test_sums_come_back_as_they_were_packed(pops: list[PopSums]) -> None:
    assert unpack_pops(pack_pops(pops)) == pops


def test_no_sums_are_no_pops() -> None:
    assert unpack_pops("") == []


@given(st.floats(1.01, 1e7))
def test_a_class_is_right_to_a_tenth(milliseconds: float) -> None:
    assert class_middle(time_class(milliseconds)) == pytest.approx(milliseconds, rel=0.1, abs=0.1)


@given(st.lists(st.floats(1.01, 1e6), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_times_to_a_tenth(times: list[float]) -> None:
    classes: dict[int, int] = {}
    for each in times:
        classes[time_class(each)] = classes.get(time_class(each), 0) + 1
    found = percentiles(classes)
    assert found is not None
    for percent in (50, 90, 99):
        true = sorted(times)[-(-percent * len(times) // 100) - 1]
        assert found[f"p{percent}"] == pytest.approx(true, rel=0.1, abs=0.1)


def test_without_a_time_there_are_no_percentiles() -> None:
    assert percentiles({}) is None


def test_a_tally_measures_each_pop() -> None:
    whole, tile = tile_of(2, 2)
    recorder = Recorder(whole, tile)
    for target in targets_of(tile):
        target.tries, target.bytes = 2, 100
        outcome = Outcome.TIMEOUT if (target.url, target.pop) == (0, 0) else Outcome.WARMED
        recorder.take(target, response(ttfb_ms=20.0), outcome, "")
    result = recorder.result(0, 1234)
    assert unpack_pops(result.per_pop) == [PopSums(2, 1, 4, 200, 40, 2), PopSums(2, 2, 4, 200, 40, 2)]
    assert (result.times, result.plain, result.gb_ms) == ({time_class(20): 4}, 0, 1234)


def test_fetches_by_plain_http_are_told_apart() -> None:
    whole, tile = tile_of(1, 1)
    tile.urls[0] = "http://www.example.com/"
    recorder = Recorder(whole, tile)
    (target,) = targets_of(tile)
    target.tries = 3
    recorder.take(target, response(), Outcome.WARMED, "")
    assert recorder.result(0).plain == 3


def part(group: int, number: int, pops: list[PopSums], *, gb_ms: int = 0, plain: int = 0) -> BatchResult:
    made = BatchResult(f"1-{number:06}", 0, group, 0, 1, len(pops), True, 1, {}, 0, 0)
    return replace(made, per_pop=pack_pops(pops), gb_ms=gb_ms, plain=plain)


def test_a_run_adds_up_its_pops_over_batches_and_distributions() -> None:
    groups = (
        Group("d1.cloudfront.net", "E1", 0, 3, ("ATL56-C1", "NRT57-P3"), 2),
        Group("d2.cloudfront.net", "E2", 3, 5, ("NRT57-P3",), 1),
    )
    whole = plan(groups=groups, url_count=5)
    one = PopSums(1, 1, 2, 1000, 10, 1)
    found = measure(whole, [part(0, 0, [one, one], gb_ms=5), part(0, 1, [one, one], plain=1), part(1, 2, [one])])
    assert found.targets == {"ATL56-C1": 3, "NRT57-P3": 5}
    table = {entry["pop"]: entry for entry in found.pops_as_json()}
    assert table["NRT57-P3"] == {
        "pop": "NRT57-P3",
        "targets": 5,
        "done": 3,
        "warm": 3,
        "failed": 0,
        "fetches": 6,
        "bytes": 3000,
        "meanMs": 10.0,
    }
    assert (found.fetches, found.plain, found.gb_ms, found.parts) == (10, 1, 5, 3)


def test_a_pop_without_an_answer_has_no_mean() -> None:
    assert {entry["meanMs"] for entry in measure(plan(), []).pops_as_json()} == {None}


def test_the_cost_is_what_the_formula_gives_for_what_was_measured() -> None:
    whole = plan(batches=2, resolve_seconds=2.0, invalidation_paths=2, invalidation_rounds=1)
    found = measure(whole, [part(0, 0, [PopSums(10, 10, 20, 10**9, 1), PopSums(10, 9, 20, 10**9, 1)], gb_ms=3000)])
    work = measured_work(whole, found, 1.5, catalogue())
    assert work.fetches == {"United States, Mexico, Canada": 20, "Japan": 20}
    parts = {each.name: each for each in estimate(work).parts}
    assert parts["Lambda time"].quantity == pytest.approx(3.0 + 2.0 * 1.73 + 1.5)
    assert parts["CloudFront transfer, Japan"].dollars == pytest.approx(0.114)
    assert parts["invalidation (the first 1,000 a month are free)"].quantity == 2
    assert measured_sums(whole, found, 1.5, catalogue())["cost"]["dollars"] == pytest.approx(
        estimate(work).dollars, abs=1e-4
    )


def test_regions_are_those_that_cloudfront_charges_by() -> None:
    found = measure(plan(), [part(0, 0, [PopSums(2, 1, 2, 5, 30, 2), PopSums(2, 2, 2, 5, 50, 2)])])
    told = {entry["region"]: entry for entry in regions(found, catalogue())}
    assert told["Japan"] == {"region": "Japan", "pops": 1, "targets": 2, "warm": 2, "bytes": 5, "meanMs": 25.0}
    assert set(told) == {"Japan", "United States, Mexico, Canada"}


def test_what_never_had_a_byte_does_not_make_a_pop_look_fast() -> None:
    whole, tile = tile_of(2, 1)
    recorder = Recorder(whole, tile)
    slow, silent = targets_of(tile)
    recorder.take(slow, response(ttfb_ms=300.0), Outcome.WARMED, "")
    recorder.take(silent, response(ttfb_ms=0.0), Outcome.CONNECT_ERROR, "")
    (pop,) = unpack_pops(recorder.result(0).per_pop)
    assert (pop.done, pop.mean_ms) == (2, 300.0)
