"""Circuit breakers: when a host's origin is slowed down for, and when it is not asked any more."""

import pytest

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome
from tests.support.builders import response
from warm.circuit_breaker import (
    MIN_FAILING_URLS,
    MIN_RESPONSES,
    WINDOW,
    WINDOW_SECONDS,
    CircuitBreaker,
    CircuitBreakers,
    Sign,
    State,
    sign_of,
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
            breaker.record(now, url, 0, Sign.FAILED if failed else Sign.FINE)
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
        breaker.record(0.0, number, 0, Sign.FAILED)
    breaker.record(WINDOW_SECONDS + 1, 99, 0, Sign.FAILED)
    assert breaker.state is State.CLOSED


def test_hosts_are_separate_and_an_open_one_is_reported_once() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    for number in range(4 * MIN_RESPONSES):
        breakers.record("bad", number, 0, BAD, Outcome.SERVER_ERROR, number / 10)
        breakers.record("good", number, 0, response(), Outcome.WARMED, number / 10)
    assert (breakers.open, reported, breakers.slowed) == ({"bad"}, ["bad"], False)
    breakers.record("bad", 1, 0, BAD, Outcome.SERVER_ERROR, 99.0)
    assert reported == ["bad"]


def test_hits_and_failed_connections_are_not_counted() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    for number in range(200):
        breakers.record("host", number, 0, HIT, Outcome.ALREADY_WARM, 0.0)
        breakers.record("host", number, 0, response(status=0), Outcome.CONNECT_ERROR, 0.0)
    for number in range(MIN_RESPONSES):
        breakers.record("host", number, 0, BAD, Outcome.SERVER_ERROR, 0.0)
    assert breakers.slowed


def test_host_reported_by_another_worker_is_open() -> None:
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append)
    breakers.open_all(frozenset({"elsewhere"}))
    assert (breakers.open, reported) == ({"elsewhere"}, [])


SILENT = Response(error=28, connected=True)
RESET = Response(error=56, connected=True)


def breakers_after(signs: list[tuple[int, Response, Outcome]], pops: int = 8) -> tuple[CircuitBreakers, list[str]]:
    """Record (POP, response, outcome) for one URL after the other, and again until the window is full."""
    reported: list[str] = []
    breakers = CircuitBreakers(reported.append, pops=pops)
    for number in range(4 * WINDOW):
        pop, received, outcome = signs[number % len(signs)]
        breakers.record("host", number, pop, received, outcome, number / 10)
    return breakers, reported


@pytest.mark.parametrize(("received", "outcome"), [(SILENT, Outcome.TIMEOUT), (RESET, Outcome.CONNECT_ERROR)])
@pytest.mark.parametrize(
    ("silent", "pops", "is_overload"),
    [(1, 8, False), (2, 8, False), (3, 8, True), (2, 2, True), (1, 2, False), (1, 1, True)],
)
def test_silence_is_overload_only_at_three_pops_or_all(
    received: Response, outcome: Outcome, silent: int, pops: int, *, is_overload: bool
) -> None:
    breakers, reported = breakers_after([(pop, received, outcome) for pop in range(silent)], pops)
    assert reported == (["host"] if is_overload else [])
    assert breakers.slowed is False


def test_one_silent_pop_among_healthy_ones_leaves_the_origin_alone() -> None:
    signs = [(0, SILENT, Outcome.TIMEOUT)] * 3 + [(1, response(), Outcome.WARMED)]
    breakers, reported = breakers_after(signs)
    assert (breakers.slowed, reported) == (False, [])


def test_server_errors_at_a_single_pop_are_overload() -> None:
    _, reported = breakers_after([(0, BAD, Outcome.SERVER_ERROR)])
    assert reported == ["host"]


def test_error_pages_are_not_counted() -> None:
    page = response(x_cache="Error from cloudfront")
    breakers, reported = breakers_after([(pop, page, Outcome.ERROR_PAGE) for pop in range(4)])
    assert (breakers.slowed, reported) == (False, [])


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (response(status=429, x_cache="Error from cloudfront"), Outcome.LIMITED),
        (response(status=503, x_cache="LimitExceeded from cloudfront"), Outcome.LIMITED),
        (response(status=503, x_cache="LambdaExecutionError from cloudfront"), Outcome.SERVER_ERROR),
        (response(status=502, x_cache="LambdaValidationError from cloudfront"), Outcome.SERVER_ERROR),
        (response(status=503, x_cache="FunctionExecutionError from cloudfront"), Outcome.SERVER_ERROR),
    ],
)
def test_limits_and_function_errors_slow_down_and_never_open(received: Response, outcome: Outcome) -> None:
    breakers, reported = breakers_after([(pop, received, outcome) for pop in range(4)])
    assert (breakers.slowed, reported, breakers.open) == (True, [], set())


def test_connection_that_was_never_made_shows_nothing_of_the_origin() -> None:
    assert sign_of(Response(error=7), Outcome.CONNECT_ERROR) is None
