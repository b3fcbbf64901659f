"""Statistics: packed sums per POP, classes of times, and a run's sums."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import (
    PopSums,
    class_middle,
    histogram,
    measure,
    pack_pops,
    percentiles,
    time_class,
    unpack_pops,
)
from tests.support.builders import plan

numbers = st.integers(0, 10**15)
sums = st.builds(PopSums, *[numbers] * 6)


@given(st.lists(sums, min_size=1, max_size=100))
def test_packed_sums_are_unpacked_unchanged(pops: list[PopSums]) -> None:
    assert unpack_pops(pack_pops(pops)) == pops


def test_empty_text_unpacks_to_no_pops() -> None:
    assert unpack_pops("") == []


@given(st.floats(1.01, 1e7))
def test_class_middle_is_accurate_to_10_percent(milliseconds: float) -> None:
    assert class_middle(time_class(milliseconds)) == pytest.approx(milliseconds, rel=0.1, abs=0.1)


@given(st.lists(st.floats(1.01, 1e6), min_size=1, max_size=200))
def test_percentiles_are_accurate_to_10_percent(times: list[float]) -> None:
    classes: dict[int, int] = {}
    for each in times:
        classes[time_class(each)] = classes.get(time_class(each), 0) + 1
    result = percentiles(classes)
    assert result is not None
    for percent in (50, 90, 99):
        true = sorted(times)[-(-percent * len(times) // 100) - 1]
        assert result[f"p{percent}"] == pytest.approx(true, rel=0.1, abs=0.1)


def test_no_times_have_no_percentiles_and_no_histogram() -> None:
    assert percentiles({}) is None
    assert histogram({}) == []


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=200))
def test_histogram_has_every_time_in_one_bar_per_doubling(times: list[int]) -> None:
    bars = histogram(Counter(map(time_class, times)))
    assert sum(bar["count"] for bar in bars) == len(times)
    assert all(one["toMs"] == other["fromMs"] for one, other in itertools.pairwise(bars))
    assert bars[0]["count"]
    assert bars[-1]["count"]
    for bar in bars:
        assert bar["count"] == sum(bar["fromMs"] < each <= bar["toMs"] for each in times)


def part(group: int, number: int, pops: list[PopSums], *, gb_ms: int = 0, plain: int = 0) -> BatchResult:
    made = BatchResult(f"1-{number:06}", 0, group, 0, 1, len(pops), True, 1, {}, 0, 0)
    return replace(made, per_pop=pack_pops(pops), gb_ms=gb_ms, plain=plain)


def test_run_adds_up_pops_over_batches_and_distributions() -> None:
    groups = (
        Group("d1.cloudfront.net", "E1", 0, 3, ("ATL56-C1", "NRT57-P3"), 2),
        Group("d2.cloudfront.net", "E2", 3, 5, ("NRT57-P3",), 1),
    )
    whole = plan(groups=groups, url_count=5)
    one = PopSums(1, 1, 2, 1000, 10, 1)
    measured = measure(whole, [part(0, 0, [one, one], gb_ms=5), part(0, 1, [one, one], plain=1), part(1, 2, [one])])
    assert measured.targets == {"ATL56-C1": 3, "NRT57-P3": 5}
    table = {entry["pop"]: entry for entry in measured.pops_as_json()}
    assert table["NRT57-P3"] == {
        "pop": "NRT57-P3",
        "targets": 5,
        "done": 3,
        "warm": 3,
        "failed": 0,
        "fetches": 6,
        "bytes": 3000,
        "meanMs": 10.0,
        "judged": 5,
        "judgedFailed": 0,
        "differs": False,
    }
    assert (measured.fetches, measured.plain, measured.gb_ms, measured.parts) == (10, 1, 5, 3)


def test_pop_without_a_response_has_no_mean() -> None:
    assert {entry["meanMs"] for entry in measure(plan(), []).pops_as_json()} == {None}
