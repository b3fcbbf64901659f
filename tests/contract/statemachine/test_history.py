"""The events that invalidations add to an execution's history, which ends at 25,000, and the bound of their wait."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from resolve.invalidation_rounds import FIRST_WAIT, INVALIDATION_PATHS, LONGEST_FIRST_WAIT, first_wait, next_wait
from resolve.reading import INVALIDATIONS_AT_MOST
from tests.support.definitions import state_machine

# Step Functions' quota of events in one execution's history, and the events of a Task, a Wait and a Choice: entered,
# exited, and for a Task also scheduled, started, succeeded.
MOST_EVENTS = 25_000
TASK, WAIT, CHOICE, PASS = 5, 2, 2, 2
# A million paths of one distribution.
ROUNDS = -(-1_000_000 // INVALIDATION_PATHS)
MACHINE_SECONDS = state_machine()["TimeoutSeconds"]


def events(seconds_of_rounds: Iterable[float]) -> tuple[int, float]:
    """Return the events that rounds add to the history, each completed after so many seconds, and the time waited.

    CreateInvalidations, InvalidationsLate, then WaitForInvalidations, CheckInvalidations, RoundCompleted a check.
    """
    total, elapsed, first, waited = 0, 0.0, FIRST_WAIT, 0
    for seconds in seconds_of_rounds:
        if elapsed > MACHINE_SECONDS:
            break
        first = wait = first_wait(first, waited)
        waited = wait
        total += TASK + CHOICE + WAIT + TASK + CHOICE
        while waited < seconds:
            wait = next_wait(wait)
            waited += wait
            total += WAIT + TASK + CHOICE
        elapsed += waited
    return total, elapsed


@pytest.mark.parametrize("seconds", [1, 10, 30, 64, 120, 258, 864, 3_600])
def test_history_of_334_equal_rounds_stays_below_half_of_the_quota(seconds: int) -> None:
    assert ROUNDS == 334
    assert events([seconds] * ROUNDS)[0] < MOST_EVENTS / 2


@pytest.mark.parametrize("seconds", [1, 10, 30, 64, 120, 258, 864])
def test_history_with_invalidated_documents_stays_below_the_quota(seconds: int) -> None:
    """Four readings of 200 sources with 2,000 documents each, all of one distribution, before a million paths."""
    rounds = -(-200 * 2_000 // INVALIDATION_PATHS)
    readings = INVALIDATIONS_AT_MOST * (TASK + 2 * CHOICE) + PASS
    assert readings + events([seconds] * (INVALIDATIONS_AT_MOST * rounds + ROUNDS))[0] < MOST_EVENTS


@given(st.lists(st.floats(0, 1_800), min_size=ROUNDS, max_size=ROUNDS))
@bounded(max_examples=100, deadline=None)
def test_history_of_334_rounds_of_any_length_stays_below_half_of_the_quota(seconds: list[float]) -> None:
    assert events(seconds)[0] < MOST_EVENTS / 2


@pytest.mark.parametrize("short", [1, 5, 20])
@pytest.mark.parametrize("long", [100, 300, 511, 900])
@pytest.mark.parametrize("period", [2, 3, 4, 6, 10])
def test_history_of_alternating_rounds_stays_well_below_the_quota(short: int, long: int, period: int) -> None:
    seconds = [long if number % period == 0 else short for number in range(ROUNDS)]
    assert events(seconds)[0] < 0.6 * MOST_EVENTS


def test_events_are_counted_of_the_states_that_a_round_enters() -> None:
    states = state_machine()["States"]
    created = ["CreateInvalidations", "InvalidationsLate", "WaitForInvalidations"]
    checked = ["CheckInvalidations", "RoundCompleted"]
    assert [states[name]["Type"] for name in created + checked] == ["Task", "Choice", "Wait", "Task", "Choice"]
    assert [states[name].get("Next", states[name].get("Default")) for name in created + checked] == [
        *created[1:], *checked, "WaitForInvalidations"
    ]  # fmt: skip


def test_round_that_never_completes_ends_after_an_hour_within_the_machines_bound() -> None:
    choices = state_machine()["States"]["RoundCompleted"]["Choices"]
    (most,) = (rule["NumericGreaterThanEquals"] for rule in choices if rule["Next"] == "InvalidationTimedOut")
    for first in range(FIRST_WAIT, LONGEST_FIRST_WAIT + 1):
        waits = [first]
        while len(waits) < most:
            waits.append(next_wait(waits[-1]))
        assert 3_600 <= sum(waits) <= 5_400, first
