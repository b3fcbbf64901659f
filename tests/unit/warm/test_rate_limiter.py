"""The rate limiter: how many fetches start in a second."""

from hypothesis import given
from hypothesis import strategies as st

from warm.rate_limiter import RateLimiter, TokenBucket


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
