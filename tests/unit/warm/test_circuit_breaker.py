"""Kindness to origins: how many fetches begin in a second, and when a host is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.outcome import Outcome
from tests.support.builders import response
from warm.circuit_breaker import ENOUGH, URLS_OF_AN_OVERLOAD, WINDOW_SECONDS, CircuitBreaker, CircuitBreakers, State
from warm.rate_limiter import TokenBucket

BAD = response(status=503, x_cache="Error from cloudfront")
HIT = response(x_cache="Hit from cloudfront")


@given(st.floats(0.1, 5000), st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_no_more_begin_than_the_rate_allows(rate: float, gaps: list[float]) -> None:
    pacer, now, begun = TokenBucket(rate), 100.0, 0
    for gap in gaps:
        now += gap
        begun += pacer.wait(now) == 0.0
    assert begun <= 1 + max(1.0, rate * 0.1) + rate * (now - 100.0)


def test_whoever_waits_as_long_as_told_may_begin() -> None:
    pacer, now, begun = TokenBucket(8.0), 0.0, 0
    while now < 10.0:
        wait = pacer.wait(now)
        begun += wait == 0.0
        now += wait
    assert 79 <= begun <= 82


def test_without_a_rate_nothing_waits() -> None:
    assert {TokenBucket(None).wait(float(now)) for now in range(9)} == {0.0}


def noted(shares: list[tuple[int, int]], urls: int = 50) -> CircuitBreaker:
    """Note lots of answers: (how many, how many of them bad, evenly mixed), one each tenth of a second."""
    breaker, now, url = CircuitBreaker(), 0.0, 0
    for count, bad in shares:
        for number in range(count):
            now, url = now + 0.1, (url + 1) % urls
            breaker.note(now, url, bad=number * bad // count != (number + 1) * bad // count)
    return breaker


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        ([(ENOUGH - 1, ENOUGH - 1)], State.CLOSED),
        ([(200, 20)], State.CLOSED),
        ([(ENOUGH, ENOUGH)], State.SLOWED),
        ([(ENOUGH, ENOUGH // 2)], State.SLOWED),
        ([(ENOUGH, ENOUGH), (ENOUGH, 0)], State.CLOSED),
        ([(ENOUGH, ENOUGH), (ENOUGH, 3 * ENOUGH // 10)], State.SLOWED),
        ([(ENOUGH, ENOUGH), (ENOUGH, ENOUGH)], State.OPEN),
        ([(ENOUGH, ENOUGH), (ENOUGH, ENOUGH), (200, 0)], State.OPEN),
    ],
)
def test_a_host_is_slowed_then_opened_and_closed_when_it_recovers_in_time(
    shares: list[tuple[int, int]], state: State
) -> None:
    assert noted(shares).state is state


def test_one_broken_page_at_many_pops_is_no_overload() -> None:
    assert noted([(300, 300)], urls=URLS_OF_AN_OVERLOAD - 1).state is State.CLOSED


def test_what_was_long_ago_is_forgotten() -> None:
    breaker = CircuitBreaker()
    for number in range(ENOUGH - 1):
        breaker.note(0.0, number, bad=True)
    breaker.note(WINDOW_SECONDS + 1, 99, bad=True)
    assert breaker.state is State.CLOSED


def test_hosts_are_judged_apart_and_the_one_that_opened_is_told_of_once() -> None:
    breakers = CircuitBreakers()
    for number in range(4 * ENOUGH):
        breakers.note("bad", number, BAD, Outcome.SERVER_ERROR, number / 10)
        breakers.note("good", number, response(), Outcome.WARMED, number / 10)
    assert (breakers.open, breakers.opened, breakers.slowed) == ({"bad"}, {"bad"}, False)
    breakers.opened.clear()
    breakers.note("bad", 1, BAD, Outcome.SERVER_ERROR, 99.0)
    assert not breakers.opened


def test_hits_and_connections_never_made_say_nothing_of_the_origin() -> None:
    breakers = CircuitBreakers()
    for number in range(200):
        breakers.note("host", number, HIT, Outcome.ALREADY_WARM, 0.0)
        breakers.note("host", number, response(status=0), Outcome.CONNECT_ERROR, 0.0)
    for number in range(ENOUGH):
        breakers.note("host", number, BAD, Outcome.SERVER_ERROR, 0.0)
    assert breakers.slowed


def test_a_host_that_another_worker_found_overloaded_is_open_here_too() -> None:
    breakers = CircuitBreakers()
    breakers.told(frozenset({"elsewhere"}))
    assert (breakers.open, breakers.opened) == ({"elsewhere"}, set())
