"""The rate limiter: how many fetches start in a second."""

from bisect import bisect_left
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import plan
from warm.rate_leases import shared_rate
from warm.rate_limiter import RateLimiter
from warm.token_bucket import TokenBucket


@given(st.floats(0.1, 5000), st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_fetches_never_exceed_the_rate(rate: float, gaps: list[float]) -> None:
    bucket, now, started = TokenBucket(rate), 100.0, 0
    for gap in gaps:
        now += gap
        started += bucket.acquire(now) == 0.0
    assert started <= 1 + max(1.0, rate * 0.1) + rate * (now - 100.0)


def test_fetch_may_start_after_the_returned_wait() -> None:
    bucket, now, started = TokenBucket(8.0), 0.0, 0
    while now < 10.0:
        wait = bucket.acquire(now)
        started += wait == 0.0
        now += wait
    assert 79 <= started <= 82


def test_no_rate_never_waits() -> None:
    assert {TokenBucket(None).acquire(float(now)) for now in range(9)} == {0.0}


def test_slowed_rate_is_never_above_the_planned_one() -> None:
    def started(rate: float | None, *, slowed: bool) -> int:
        limiter = RateLimiter(rate, 10.0)
        return sum(limiter.acquire(now / 128, slowed=slowed) == 0.0 for now in range(1000))

    assert started(None, slowed=False) == 1000
    assert 76 <= started(None, slowed=True) <= 80
    assert 76 <= started(50.0, slowed=True) <= 80
    assert 37 <= started(5.0, slowed=True) <= 41


class Shared:
    """A shared rate that admits what it is asked for, and counts it."""

    def __init__(self) -> None:
        self.admitted = 0

    def acquire(self, now: float) -> float:
        self.admitted += 1
        return 0.0


def test_slowed_worker_of_a_shared_rate_takes_no_slot_that_it_does_not_use() -> None:
    shared = Shared()
    limiter = RateLimiter(100.0, 10.0, shared)
    started = sum(limiter.acquire(now / 128, slowed=True) == 0.0 for now in range(1000))
    assert 76 <= started <= 80
    assert shared.admitted == started
    assert limiter.acquire(9.0, slowed=False) == 0.0
    assert shared.admitted == started + 1


def test_rate_is_shared_by_several_workers_of_a_run_that_was_planned_so() -> None:
    of_two = plan(max_rps=50.0, max_concurrency=5, batches=2, shared_rate=True)
    assert shared_rate(of_two, 60.0) is not None
    for alone in ({"max_rps": None}, {"batches": 1}, {"max_concurrency": 1}, {"shared_rate": False}):
        assert shared_rate(replace(of_two, **alone), 60.0) is None


def test_bucket_of_a_single_worker_stays_within_the_limits_bounds() -> None:
    for rate in (1.0, 10.0, 333.0):
        limiter, now, starts = RateLimiter(rate, 10.0), 0.0, []
        while now < 30.0:
            wait = limiter.acquire(now, slowed=False)
            starts += [] if wait else [now]
            now += max(wait, 0.0004)
        for seconds, most in ((10.0, 10 * rate), (1.0, 1.1 * rate)):
            assert max(bisect_left(starts, at + seconds) - place for place, at in enumerate(starts)) <= most
        assert len(starts) >= 0.95 * 30 * rate
