"""The store's clock, as a worker with a right or a wrong clock of its own knows it."""

from hypothesis import given
from hypothesis import strategies as st

from warm.store_clock import SURE_SECONDS, StoreClock

EPOCH = 1_800_000_000.0


@given(
    st.floats(-1e4, 1e4),
    st.lists(st.tuples(st.floats(0, 1.0), st.floats(0, 0.3), st.floats(0, 1)), min_size=1, max_size=40),
)
def test_bounds_always_contain_the_stores_time(wrong: float, requests: list[tuple[float, float, float]]) -> None:
    now, clock = 100.0, StoreClock(EPOCH + 100.0 + wrong, 100.0)
    for gap, seconds, where in requests:
        sent = now + gap
        now = sent + seconds
        date = float(int(EPOCH + sent + where * seconds))
        clock.observe(sent, now, date, EPOCH + now + wrong, now)
        assert abs(clock.time(now) - (EPOCH + now)) <= 1.0 + seconds + 1e-6
        if clock.sure:
            assert abs(clock.time(now) - (EPOCH + now)) <= SURE_SECONDS + 1e-6


def looked(wrong: float, looks: int) -> StoreClock:
    clock = StoreClock(EPOCH + wrong, 0.0)
    for number in range(looks):
        now = 0.3 + number * 0.1
        clock.observe(now - 0.01, now, float(int(EPOCH + now - 0.005)), EPOCH + now + wrong, now)
    return clock


def test_clock_that_is_right_is_believed_to_the_millisecond() -> None:
    assert looked(0.0, 1).time(5.0) == EPOCH + 5.0


def test_clock_that_is_wrong_is_known_at_once_and_replaced_within_a_second() -> None:
    early = looked(3600.0, 1)
    assert (early.wrong, early.sure) == (True, False)
    late = looked(3600.0, 11)
    assert (late.wrong, late.sure) == (False, True)
    assert abs(late.time(5.0) - (EPOCH + 5.0)) <= SURE_SECONDS


def test_store_without_dates_leaves_the_machines_own_clock() -> None:
    clock = StoreClock(EPOCH + 7.0, 0.0)
    assert not clock.sure
    clock.observe(0.0, 0.1, None, EPOCH + 7.1, 0.1)
    assert (clock.sure, clock.wrong, clock.time(1.0)) == (True, False, EPOCH + 8.0)


def test_bounds_that_contradict_each_other_are_replaced() -> None:
    clock = looked(0.0, 11)
    clock.observe(20.0, 20.01, EPOCH + 50.0, EPOCH + 50.2, 20.01)
    assert not clock.sure
    assert abs(clock.time(20.0) - (EPOCH + 50.2)) < 0.1
