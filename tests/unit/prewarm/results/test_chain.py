"""The chain of a batch's parts: which count, and which batches are finished."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import counted_parts, current_parts, finished_batches
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from tests.support.builders import plan


def part(number: int, attempt: str = "", previous: str = "", **changes: Any) -> BatchResult:
    """Return a part of the one batch of `plan()`: 2 URLs x 2 POPs."""
    usual = BatchResult(
        "1-000000", number, 0, 0, 2, 2, finished=False, done=1, outcomes={"warmed": 1}, verified=0, bytes=0,
        attempt=attempt, previous=previous,
    )  # fmt: skip
    return replace(usual, **changes)


def numbers(results: list[BatchResult]) -> list[tuple[int, str]]:
    return [(each.part, each.attempt) for each in current_parts(results)]


def test_finished_part_is_followed_back_to_part_0() -> None:
    results = [part(2, "c", "b", finished=True), part(0, "a"), part(1, "b", "a")]
    assert numbers(results) == [(0, "a"), (1, "b"), (2, "c")]


def test_part_that_continues_another_attempt_does_not_count() -> None:
    assert numbers([part(0, "a"), part(1, "b", "x", finished=True)]) == [(0, "a")]


def test_part_after_a_gap_does_not_count() -> None:
    assert numbers([part(0, "a"), part(2, "c", "b", finished=True)]) == [(0, "a")]
    assert numbers([part(1, "b", "a")]) == []


def test_part_0_that_continues_another_one_does_not_count() -> None:
    assert numbers([part(0, "a", "z")]) == []


def test_redriven_part_continues_a_chain_of_lower_redrives() -> None:
    results = [part(0, "a"), part(1, "b", "a", redrives=1), part(2, "c", "b", redrives=2, finished=True)]
    assert len(current_parts(results)) == 3


def test_parts_without_attempts_are_a_chain_by_number() -> None:
    assert numbers([part(0), part(1, finished=True)]) == [(0, ""), (1, "")]
    assert numbers([part(0), part(1, "b", finished=True)]) == [(0, ""), (1, "b")]


def test_without_attempts_later_parts_of_a_lower_redrive_do_not_count() -> None:
    results = [part(0, redrives=1, done=4, finished=True), part(1, redrives=0, finished=True)]
    assert [each.redrives for each in current_parts(results)] == [1]
    assert len(current_parts([part(0), part(1, redrives=1)])) == 2


def test_batch_that_claims_too_many_targets_does_not_count() -> None:
    """So two workers of an earlier version left it: 7 of 4 targets done, 3 of them "lost"."""
    mixed = [part(0, done=4, outcomes={"warmed": 4}), part(1, done=3, outcomes={"warmed": 3}, finished=True)]
    assert counted_parts(mixed, 1) == []
    rolled = roll_up(plan(), mixed, Outcome.LOST)
    assert rolled.outcomes == {"lost": 4}
    assert not rolled.indices(Verdict.SUCCESS)


def test_batch_that_claims_too_few_targets_is_not_finished() -> None:
    few = [part(0, "a", finished=True, done=3, outcomes={"warmed": 3})]
    assert finished_batches(few, 1) == set()
    assert roll_up(plan(), few).indices(Verdict.IN_PROGRESS) == [0, 1]
    rolled = roll_up(plan(), few, Outcome.LOST)
    assert rolled.outcomes == {"warmed": 3, "lost": 1}
    assert rolled.indices(Verdict.FAILED) == [0, 1]


def test_batch_with_a_part_that_reports_more_than_it_finished_does_not_count() -> None:
    more = [part(0, "a", finished=False, done=2, outcomes={"warmed": 2}, warm={0: 2, 1: 2})]
    rolled = roll_up(plan(), more, Outcome.LOST)
    assert rolled.outcomes == {"lost": 4}
    assert rolled.indices(Verdict.FAILED) == [0, 1]


attempts = st.sampled_from(["", "a", "b", "c"])
parts = st.builds(
    part,
    st.integers(0, 3),
    attempts,
    attempts,
    finished=st.booleans(),
    done=st.integers(0, 4),
    redrives=st.integers(0, 2),
    warm=st.dictionaries(st.integers(0, 1), st.integers(1, 4), max_size=2),
    failed=st.dictionaries(
        st.integers(0, 1), st.dictionaries(st.sampled_from(["timeout", "client_error:404"]), st.integers(1, 3))
    ),
).map(lambda each: replace(each, outcomes={"warmed": each.done} if each.done else {}))


@given(st.lists(parts, max_size=5, unique_by=lambda each: each.part))
def test_any_stored_parts_give_numbers_that_are_not_negative(results: list[BatchResult]) -> None:
    rolled = roll_up(plan(), current_parts(results), Outcome.LOST)
    assert rolled.outcomes.total() == 4
    assert all(count > 0 for count in rolled.outcomes.values())
    for url in rolled.urls:
        assert url.warm >= 0
        assert all(count > 0 for count in url.failures.values())
        assert 0 <= url.coverage <= 100
    if rolled.outcomes["lost"]:
        assert len(rolled.indices(Verdict.SUCCESS)) < 2
