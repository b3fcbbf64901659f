"""What runs learn about POPs: merged without loss in any order, aged out, read from any document."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue
from prewarm.knowledge import (
    KEPT_DAYS,
    MOST_CANDIDATES,
    RUN,
    TRAFFIC,
    WAYS,
    Knowledge,
    LaterVersion,
    Sighting,
    read_knowledge,
    sightings,
    with_learned,
)

TODAY = dt.date(2026, 6, 30)
NEW, ELSEWHERE = "NRT99-P9", "QQQ50-C1"
days = st.integers(0, 2 * KEPT_DAYS).map(lambda ago: TODAY - dt.timedelta(days=ago))
ids = st.builds("{}{}-C{}".format, st.sampled_from(["NRT", "DOH", "QQQ"]), st.integers(1, 3), st.integers(1, 2))
sighting = st.builds(
    lambda one, other, how, probed: Sighting(min(one, other), max(one, other), how, probed),
    days,
    days,
    st.frozensets(st.sampled_from(WAYS)),
    st.none() | days,
)
entries = st.dictionaries(ids, sighting, max_size=6)
knowledge = st.builds(Knowledge, entries, entries)


def ago(number: int) -> dt.date:
    return TODAY - dt.timedelta(days=number)


def seen(last: dt.date, **more: Any) -> Sighting:
    return Sighting(last, last, frozenset({RUN}), **more)


@given(knowledge, knowledge, knowledge)
def test_merge_is_the_same_in_every_order_and_twice(one: Knowledge, two: Knowledge, three: Knowledge) -> None:
    merged = one.merged(two, TODAY).merged(three, TODAY)
    assert merged == three.merged(one, TODAY).merged(two, TODAY)
    assert merged == two.merged(three.merged(one, TODAY), TODAY)
    assert merged.merged(one, TODAY) == merged


@given(knowledge, knowledge)
def test_merge_loses_nothing_but_what_is_too_old(one: Knowledge, other: Knowledge) -> None:
    merged = one.merged(other, TODAY)
    for each in (one, other):
        for pop, met in each.pops.items():
            if met.last >= ago(KEPT_DAYS):
                assert merged.pops[pop].last >= met.last
                assert merged.pops[pop].first <= met.first
                assert merged.pops[pop].how >= met.how
        for pop, met in each.candidates.items():
            if met.last >= ago(KEPT_DAYS):
                assert pop in merged.pops or merged.candidates[pop].last >= met.last
    assert merged.pops.keys() <= one.pops.keys() | other.pops.keys()


@given(knowledge)
def test_document_is_read_as_it_was_stored(some: Knowledge) -> None:
    kept = some.merged(Knowledge(), TODAY)
    assert read_knowledge(json.loads(json.dumps(kept.as_json())), TODAY) == (kept, 0)


def test_pop_last_seen_180_days_ago_is_kept_and_one_day_later_dropped() -> None:
    stored = Knowledge({NEW: seen(ago(180)), "NRT99-P8": seen(ago(181))})
    assert set(stored.merged(Knowledge(), TODAY).pops) == {NEW}
    assert set(read_knowledge(stored.as_json(), TODAY)[0].pops) == {NEW}


def test_pop_that_was_met_stops_being_a_candidate() -> None:
    merged = Knowledge(candidates={NEW: seen(TODAY)}).merged(Knowledge({NEW: seen(TODAY)}), TODAY)
    assert (set(merged.pops), merged.candidates) == ({NEW}, {})


def test_a_flood_of_candidates_leaves_the_learned_pops() -> None:
    flood = {f"QQQ{site}-C{number}": seen(TODAY) for site in range(1, 200) for number in range(1, 20)}
    merged = Knowledge({NEW: seen(ago(170))}).merged(Knowledge(candidates=flood), TODAY)
    assert set(merged.pops) == {NEW}
    assert len(merged.candidates) == MOST_CANDIDATES


def test_candidates_are_probed_once_a_day_at_selected_locations() -> None:
    candidates = {
        "NRT99-P1": seen(ago(2)),
        "NRT99-P2": seen(TODAY),
        "NRT99-P3": seen(TODAY, probed=TODAY),
        "NRT99-P4": seen(ago(1), probed=ago(1)),
        "DOH99-P1": seen(TODAY),
    }
    known = Knowledge(candidates=candidates)
    assert known.to_probe(["NRT"], TODAY, 20) == ["NRT99-P2", "NRT99-P4", "NRT99-P1"]
    assert known.to_probe(["NRT"], TODAY, 1) == ["NRT99-P2"]


def test_learned_pop_is_selected_at_its_location_and_a_candidate_is_not() -> None:
    known = Knowledge({NEW: seen(TODAY), ELSEWHERE: seen(TODAY)}, {"NRT98-P1": seen(TODAY)})
    learned = with_learned(catalogue(), known)
    assert NEW in learned.in_countries(frozenset({"JP"}))
    assert learned.pops[NEW].newest_seen == "2026-06"
    assert learned.unplaced == {ELSEWHERE}
    assert "NRT98-P1" not in learned.pops.keys() | learned.unplaced
    assert NEW not in catalogue().pops


def test_ids_of_another_form_or_of_china_are_left_out() -> None:
    assert set(sightings([NEW, "nrt99-p9", "NRT99", "", "PVG52-E1-CN", "a.b"], TODAY, TRAFFIC)) == {NEW}


@pytest.mark.parametrize("document", [None, [], "x", 3, {}, {"version": "1"}, {"version": 0}, {"version": None}])
def test_document_of_another_kind_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"is not a JSON object|has version"):
        read_knowledge(document, TODAY)


def test_document_of_a_later_version_is_recognised() -> None:
    with pytest.raises(LaterVersion, match="later version"):
        read_knowledge({"version": 2, "pops": "anything"}, TODAY)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"first": "2026-06-01"},
        {"first": 1, "last": 2},
        {"first": "2026-06-02", "last": "2026-06-01"},
        {"first": "2026-06-02", "last": "9999-01-01"},
        {"first": "2026-06-01", "last": "2026-06-02", "how": 7},
        {"first": "2026-06-01", "last": "2026-06-02", "probed": "soon"},
        {"first": "2026-06-01", "last": "2026-06-02", "probed": "9999-01-01"},
    ],
)
def test_damaged_entry_is_counted_and_the_others_are_used(entry: object) -> None:
    good = seen(TODAY).as_json()
    document = {"version": 1, "pops": {NEW: good, "NRT99-P8": entry, "../x": good}, "candidates": [1]}
    read, damaged = read_knowledge(document, TODAY)
    assert (set(read.pops), damaged) == ({NEW}, 3)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("2026-06-01"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["first", "last", "how", "probed", NEW]), inner, max_size=5)
    ),
    max_leaves=6,
)


@given(json_values, json_values)
def test_any_content_is_read_into_valid_entries(pops: object, candidates: object) -> None:
    read, _ = read_knowledge({"version": 1, "pops": pops, "candidates": candidates}, TODAY)
    assert set(read.pops) | set(read.candidates) <= {NEW}
