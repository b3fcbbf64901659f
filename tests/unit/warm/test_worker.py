"""The worker: what it tries again, and POPs that are dark or have no address."""

from collections import Counter
from types import SimpleNamespace

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from tests.support.builders import Clock, refused, response
from tests.support.worker import ERROR_CACHE_SECONDS, one_after_the_other, work
from warm import worker as module
from warm.worker import (
    FAILURES_OF_A_DARK_POP,
    TRIES,
)


def test_a_miss_with_a_whole_body_is_warmed_at_once(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(response()), max_bytes=77)
    assert worked.result.outcomes == {"warmed": 1}
    assert (len(worked.addresses), worked.result.verified, worked.result.bytes) == (1, 0, 10)
    assert worked.fetcher.max_bytes == 77


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        (response(bytes=3), Outcome.TRUNCATED),
        (Response(error=28, connected=True), Outcome.TIMEOUT),
        (response(x_cache="FunctionGeneratedResponse from cloudfront"), Outcome.UNPROVEN),
        (refused(), Outcome.CONNECT_ERROR),
    ],
)
def test_what_may_yet_succeed_is_tried_at_other_addresses_with_growing_pauses(
    clock: Clock, broken: Response, outcome: Outcome
) -> None:
    worked = work(clock, lambda _: broken, region_type="pop")
    assert worked.result.outcomes == {outcome.value: 1}
    assert worked.addresses == ["192.0.2.0", "198.51.100.0", "192.0.2.0"]
    assert worked.waits == [0.0, 0.2, 0.4]
    saved = work(clock, one_after_the_other(broken, broken, response()))
    assert saved.result.outcomes == {"warmed": 1}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_5xx_and_a_429_wait_until_the_edge_has_forgotten_the_error(clock: Clock, status: int) -> None:
    worked = work(clock, lambda _: response(status=status, x_cache="Error from cloudfront"))
    assert worked.result.outcomes == {"server_error": 1}
    assert len(worked.waits) == TRIES
    assert min(worked.waits[1:]) >= ERROR_CACHE_SECONDS


def test_other_work_goes_on_while_an_error_is_waited_out(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        first = fetch.owner.number == 0 and fetch.owner.tries == 0
        return response(status=503, x_cache="Error from cloudfront") if first else response()

    worked = work(clock, edge, 3)
    assert [number for _, number, _ in worked.fetcher.seen] == [0, 1, 2, 0]
    assert worked.result.outcomes == {"warmed": 3}


@pytest.mark.parametrize(
    ("final", "outcome"),
    [
        (response(status=404, x_cache="Error from cloudfront"), "client_error"),
        (response(status=403, x_cache="Error from cloudfront", server="CloudFront"), "blocked"),
        (response(status=301), "redirect"),
        (response("NRT57-P3"), "wrong_pop"),
        (response(error=63), "too_large"),
        (Response(error=60), "tls_error"),
    ],
)
def test_what_would_be_the_same_again_is_not_retried(clock: Clock, final: Response, outcome: str) -> None:
    worked = work(clock, lambda _: final, region_type="pop")
    assert (worked.result.outcomes, len(worked.addresses)) == ({outcome: 1}, 1)


def test_jitter_only_ever_lengthens_a_pause(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(module, "random", SimpleNamespace(uniform=uniform))
    work(clock, lambda _: response(status=500, x_cache="Error from cloudfront"))
    assert asked
    assert all(1.0 <= low < high for low, high in asked)


def test_a_dark_pop_is_given_up_and_the_others_are_warmed(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return refused() if fetch.owner.pop == 0 else response("NRT57-P3")

    worked = work(clock, edge, 200, 2)
    asked = Counter(address.rpartition(".")[2] for address in worked.addresses)
    assert asked["1"] == 200
    assert asked["0"] <= 2 * FAILURES_OF_A_DARK_POP
    assert worked.result.outcomes == {"warmed": 200}
    assert [entry.reason for entry in worked.result.dark] == ["connect_error"]
    assert worked.result.finished


def test_a_dark_pop_asked_for_by_name_fails_for_every_url(clock: Clock) -> None:
    worked = work(clock, lambda _: refused(), 50, region_type="pop")
    assert worked.result.outcomes == {"connect_error": 50}
    assert set(worked.result.failed) == set(range(50))
    assert worked.result.dark == ()


def test_a_pop_that_answered_once_is_not_given_up(clock: Clock) -> None:
    edge = one_after_the_other(response(), refused())
    worked = work(clock, edge, 20)
    assert len(worked.addresses) == 1 + 19 * TRIES
    assert worked.result.outcomes == {"warmed": 1, "connect_error": 19}


def test_a_pop_without_address_is_unresolved_and_never_asked(clock: Clock) -> None:
    worked = work(clock, lambda _: response("NRT57-P3"), 3, 2, addresses={"NRT57-P3": ["192.0.2.1"]})
    assert worked.result.outcomes == {"unresolved_pop": 3, "warmed": 3}
    assert set(worked.addresses) == {"192.0.2.1"}
