"""Circuit breakers: when a host's origin is slowed down for, and when it is not asked any more."""

import pytest

from prewarm.results.outcome import Outcome
from tests.support.builders import response
from warm.circuit_breaker import (
    MIN_FAILING_URLS,
    MIN_RESPONSES,
    WINDOW_SECONDS,
    CircuitBreaker,
    CircuitBreakers,
    State,
)

BAD = response(status=503, x_cache="Error from cloudfront")
HIT = response(x_cache="Hit from cloudfront")


def breaker_after(shares: list[tuple[int, int]], urls: int = 50) -> CircuitBreaker:
    """Record responses: (count, how many of them failed, evenly mixed), one each tenth of a second."""
    breaker, now, url = CircuitBreaker(), 0.0, 0
    for count, failures in shares:
        for number in range(count):
            now, url = now + 0.1, (url + 1) % urls
            failed = number * failures // count != (number + 1) * failures // count
            breaker.record(now, url, failed=failed)
    return breaker


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        ([(MIN_RESPONSES - 1, MIN_RESPONSES - 1)], State.CLOSED),
        ([(200, 20)], State.CLOSED),
        ([(MIN_RESPONSES, MIN_RESPONSES)], State.SLOWED),
        ([(MIN_RESPONSES, MIN_RESPONSES // 2)], State.SLOWED),
        ([(MIN_RESPONSES, MIN_RESPONSES), (MIN_RESPONSES, 0)], State.CLOSED),
        ([(MIN_RESPONSES, MIN_RESPONSES), (MIN_RESPONSES, 3 * MIN_RESPONSES // 10)], State.SLOWED),
        ([(MIN_RESPONSES, MIN_RESPONSES), (MIN_RESPONSES, MIN_RESPONSES)], State.OPEN),
        ([(MIN_RESPONSES, MIN_RESPONSES), (MIN_RESPONSES, MIN_RESPONSES), (200, 0)], State.OPEN),
    ],
)
def test_host_is_slowed_then_opened_and_closed_when_it_recovers(shares: list[tuple[int, int]], state: State) -> None:
    assert breaker_after(shares).state is state


def test_one_broken_page_at_many_pops_is_not_an_overload() -> None:
    assert breaker_after([(300, 300)], urls=MIN_FAILING_URLS - 1).state is State.CLOSED


def test_old_responses_are_dropped() -> None:
    breaker = CircuitBreaker()
    for number in range(MIN_RESPONSES - 1):
        breaker.record(0.0, number, failed=True)
    breaker.record(WINDOW_SECONDS + 1, 99, failed=True)
    assert breaker.state is State.CLOSED


def test_hosts_are_separate_and_an_open_one_is_reported_once() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    for number in range(4 * MIN_RESPONSES):
        breakers.record("bad", number, BAD, Outcome.SERVER_ERROR, number / 10)
        breakers.record("good", number, response(), Outcome.WARMED, number / 10)
    assert (breakers.open, reported, breakers.slowed) == ({"bad"}, ["bad"], False)
    breakers.record("bad", 1, BAD, Outcome.SERVER_ERROR, 99.0)
    assert reported == ["bad"]


def test_hits_and_failed_connections_are_not_counted() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    for number in range(200):
        breakers.record("host", number, HIT, Outcome.ALREADY_WARM, 0.0)
        breakers.record("host", number, response(status=0), Outcome.CONNECT_ERROR, 0.0)
    for number in range(MIN_RESPONSES):
        breakers.record("host", number, BAD, Outcome.SERVER_ERROR, 0.0)
    assert breakers.slowed


def test_host_reported_by_another_worker_is_open() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    breakers.open_all(frozenset({"elsewhere"}))
    assert (breakers.open, reported) == ({"elsewhere"}, [])
