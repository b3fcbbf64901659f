"""The gain: packed counts, merged parts, percentiles of differences with both signs, and the sentence."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue
from prewarm.planning.cost import price_region
from prewarm.results.batch_result import BatchResult
from prewarm.results.gain import (
    Gain,
    class_value,
    gain_class,
    gain_of,
    gain_text,
    pack_gains,
    share_text,
    unpack_gains,
)
from prewarm.storage.ledger_items import pack_item, result_as_item, result_from_item, unpack_item

PART = BatchResult("1-000000", 0, 0, 0, 2, 2, finished=True, done=4, outcomes={}, verified=0, bytes=0)
differences = st.floats(-1e6, 1e6, allow_nan=False)
locations = st.sampled_from(["NRT", "KIX", "SYD", "GRU", "FRA"])
gains = st.builds(
    Gain,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.dictionaries(st.integers(-120, 120), st.integers(1, 10**9), max_size=40).map(Counter),
)
region_of = partial(price_region, catalogue=catalogue())


def counted(differences: list[float], fetched: int = 0, before: int = 0) -> Gain:
    return Gain(fetched, before, Counter(map(gain_class, differences)))


def of_parts(parts: list[dict[str, Gain]], verify: str = "sample") -> dict[str, Any]:
    """Return the gain of a run with these parts, each stored in the ledger and read again."""
    results = [replace(PART, part=number, gain=pack_gains(part)) for number, part in enumerate(parts)]
    stored = [result_from_item(unpack_item(pack_item(result_as_item(result)))) for result in results]
    whole = gain_of(stored, verify, region_of)
    assert whole is not None
    return whole


@given(st.dictionaries(locations, gains, min_size=1))
def test_packed_gains_are_unpacked_unchanged(by_location: dict[str, Gain]) -> None:
    assert unpack_gains(pack_gains(by_location)) == by_location


@given(differences)
def test_class_value_is_accurate_to_10_percent_or_1_ms_with_either_sign(milliseconds: float) -> None:
    assert class_value(gain_class(milliseconds)) == pytest.approx(milliseconds, rel=0.1, abs=1.0)
    assert gain_class(-milliseconds) == -gain_class(milliseconds)


@given(st.lists(differences, min_size=2, max_size=50))
def test_classes_keep_the_order_of_the_differences(values: list[float]) -> None:
    numbers = [gain_class(value) for value in sorted(values)]
    assert numbers == sorted(numbers)


@given(st.lists(st.tuples(locations, st.lists(differences, max_size=30)), min_size=1, max_size=12))
def test_merged_parts_are_the_histogram_of_all_with_percentiles_within_the_class(
    parts: list[tuple[str, list[float]]],
) -> None:
    whole = of_parts([{name: counted(values, len(values), 1)} for name, values in parts])
    together = sorted(value for _, values in parts for value in values)
    assert whole["pairs"] == whole["fetched"] == len(together)
    assert whole["warmBefore"] == len(parts)
    at_once = of_parts([{"NRT": counted(together)}])
    assert whole["sparedMs"] == at_once["sparedMs"]
    for percent in (50, 95, 99) if together else ():
        true = together[-(-percent * len(together) // 100) - 1]
        assert whole["sparedMs"][f"p{percent}"] == pytest.approx(true, rel=0.1, abs=1.0)
    for entry in whole["regions"]:
        own = [value for name, values in parts if region_of(name) == entry["region"] for value in values]
        assert (entry["pairs"], entry["fetched"]) == (len(own), len(own))
        assert entry["sparedMs"] == of_parts([{"NRT": counted(own)}])["sparedMs"]


def test_locations_of_a_price_region_are_one_row_and_most_fetched_is_first() -> None:
    whole = of_parts([{"NRT": Gain(3), "SYD": Gain(9)}, {"KIX": Gain(4, 1)}])
    assert [(entry["region"], entry["fetched"], entry["warmBefore"]) for entry in whole["regions"]] == [
        ("Australia, New Zealand", 9, 0),
        ("Japan", 7, 1),
    ]


def test_run_of_an_earlier_version_has_no_gain_and_never_zero() -> None:
    item = result_as_item(replace(PART, gain="NRT 1 0"))
    del item["gain"]
    assert gain_of([result_from_item(item)], "sample", region_of) is None
    assert gain_of([], "sample", region_of) is None
    # A run that a new version continued has the gain of its later parts.
    mixed = gain_of([result_from_item(item), replace(PART, part=1, gain="NRT 7 2 30:5")], "sample", region_of)
    assert mixed is not None
    assert (mixed["fetched"], mixed["warmBefore"], mixed["pairs"]) == (7, 2, 5)


@pytest.mark.parametrize(
    ("gain", "verify", "text"),
    [
        (
            counted([180.0] * 1239 + [400.0], 10_000, 1_250),
            "sample",
            "First viewers were spared a median of 166 ms (p95 166 ms) at 1,240 targets; 12 % were warm before.",
        ),
        (
            counted([-3.0], 2),
            "all",
            "First viewers were spared a median of -3 ms (p95 -3 ms) at 1 target; 0 % were warm before.",
        ),
        (
            Gain(40, 40),
            "sample",
            "No difference was measured: all fetched targets (40) were warm before.",
        ),
        (
            Gain(40, 10),
            "none",
            "No difference was measured: with `verify: none`, no Hit followed a Miss; 25 % were warm before.",
        ),
        (
            Gain(3, 0),
            "all",
            "No difference was measured: no target has a first Miss and a Hit that proves it; 0 % were warm before.",
        ),
        (Gain(), "all", "No difference was measured: no target was fetched completely."),
    ],
)
def test_sentence_has_the_gain_or_why_there_is_none(gain: Gain, verify: str, text: str) -> None:
    assert gain_text(gain, verify) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (1, 10**6, "under 1 %"), (999, 1000, "99 %"), (5, 5, "100 %"), (1, 8, "12 %")],
)
def test_share_is_100_percent_only_for_all_and_0_only_for_none(part: int, whole: int, text: str) -> None:
    assert share_text(part, whole) == text
