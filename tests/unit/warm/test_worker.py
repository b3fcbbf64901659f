"""The worker: retries, rates, overloaded origins, and what it leaves to the next worker."""

from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, refused, response
from tests.support.worker import ERROR_CACHE_SECONDS, HIT, in_order, overloaded, work
from warm import retries
from warm.cursor import FETCHED
from warm.retries import TRIES
from warm.stop_rules import StopReason
from warm.worker import ENDLESS_SHARE


def test_miss_with_complete_body_is_warmed(clock: Clock) -> None:
    worked = work(clock, in_order(response()), max_bytes=77)
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
def test_temporary_failure_is_retried_at_other_addresses_with_growing_pauses(
    clock: Clock, broken: Response, outcome: Outcome
) -> None:
    worked = work(clock, lambda _: broken, region_type="pop")
    assert worked.result.outcomes == {outcome.value: 1}
    assert worked.addresses == ["192.0.2.0", "198.51.100.0", "192.0.2.0"]
    assert worked.waits == [0.0, 0.2, 0.4]
    saved = work(clock, in_order(broken, broken, response()))
    assert saved.result.outcomes == {"warmed": 1}


@pytest.mark.parametrize(("status", "outcome"), [(500, "server_error"), (503, "server_error"), (429, "limited")])
def test_server_error_is_retried_after_the_error_cache_ttl(clock: Clock, status: int, outcome: str) -> None:
    worked = work(clock, lambda _: response(status=status, x_cache="Error from cloudfront"))
    assert worked.result.outcomes == {outcome: 1}
    assert len(worked.waits) == TRIES
    assert min(worked.waits[1:]) >= ERROR_CACHE_SECONDS


def test_other_targets_are_fetched_while_a_retry_waits(clock: Clock) -> None:
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
def test_permanent_failure_is_not_retried(clock: Clock, final: Response, outcome: str) -> None:
    worked = work(clock, lambda _: final, region_type="pop")
    assert (worked.result.outcomes, len(worked.addresses)) == ({outcome: 1}, 1)


def test_jitter_never_shortens_a_pause(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(retries, "random", SimpleNamespace(uniform=uniform))
    work(clock, lambda _: response(status=500, x_cache="Error from cloudfront"))
    assert asked
    assert all(1.0 <= low < high for low, high in asked)


def test_pop_without_address_is_unresolved(clock: Clock) -> None:
    worked = work(clock, lambda _: response("NRT57-P3"), 3, 2, addresses={"NRT57-P3": ["192.0.2.1"]})
    assert worked.result.outcomes == {"unresolved_pop": 3, "warmed": 3}
    assert set(worked.addresses) == {"192.0.2.1"}


def test_fetches_start_no_faster_than_max_rps(clock: Clock) -> None:
    began = clock.now
    work(clock, lambda _: response(), 41, rps=8.0)
    assert clock.now - began == pytest.approx(5.0, abs=0.2)


def test_overloaded_origin_is_slowed_then_skipped_and_reported(clock: Clock) -> None:
    worked = work(clock, overloaded, 300)
    assert worked.reported_hosts == ["www.example.com"]
    assert set(worked.result.outcomes) == {"origin_overload"}
    assert len(worked.addresses) < 60
    assert clock.now - 1000.0 >= 19 / 10
    assert worked.result.finished


def test_host_reported_by_other_workers_is_not_fetched(clock: Clock) -> None:
    def control() -> Control:
        return Control(ended=False, open_hosts=frozenset({"www.example.com"}))

    worked = work(clock, lambda _: response(), 100, seconds=0.5, control=control)
    assert set(worked.result.outcomes) == {"warmed", "origin_overload"}
    assert 6 <= worked.result.outcomes["warmed"] <= 8


def test_a_few_broken_pages_are_not_an_overload(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return overloaded(fetch) if fetch.owner.url % 10 == 0 else response()

    worked = work(clock, edge, 300)
    assert worked.result.outcomes == {"warmed": 270, "server_error": 30}
    assert worked.reported_hosts == []


def test_waiting_retry_is_left_to_the_next_worker(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return response(status=503, x_cache="Error from cloudfront") if fetch.owner.number == 0 else response()

    worked = work(clock, edge, 5, seconds=1, own=4.5)
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.tile.is_done(0)


def test_fetch_longer_than_a_worker_is_a_timeout(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 2, seconds=500, own=400)
    assert worked.stopped is StopReason.OUT_OF_TIME
    assert worked.result.outcomes == {"timeout": 1}
    assert (worked.tile.is_done(0), worked.tile.is_done(1)) == (True, False)


def test_interrupted_fetch_that_may_fit_is_left_to_the_next_worker(clock: Clock) -> None:
    seconds = 100 * ENDLESS_SHARE - 5
    worked = work(clock, lambda _: response(), 2, seconds=seconds, own=100)
    assert worked.result.outcomes == {"warmed": 1}
    assert not worked.tile.is_done(1)


def test_verification_that_does_not_fit_is_not_started_again(clock: Clock) -> None:
    """Every worker would fetch once, start the verification, and leave the target unfinished."""
    worked = work(clock, lambda _: response(total_ms=60_000), seconds=60, own=100, verify="all")
    assert worked.stopped is StopReason.OUT_OF_TIME
    assert (worked.result.outcomes, worked.result.verified) == ({"unproven": 1}, 0)
    assert "does not fit into a worker's time" in worked.records[0]


def test_interrupted_verification_is_left_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: response(total_ms=20_000), 5, seconds=20, own=110, verify="all")
    assert worked.result.outcomes == {}
    assert not worked.result.finished


def test_target_not_verified_at_the_deadline_is_not_warm(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), seconds=10, run=15, verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"deadline": 1}, 0)
    assert "not verified: the run's deadline passed" in worked.records[0]


def test_tries_are_passed_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, overloaded, own=12)
    assert worked.progress == {0: 2}
    again = work(clock, overloaded, progress={0: 2})
    assert (again.result.outcomes, len(again.addresses)) == ({"server_error": 1}, 1)


def test_fetched_target_is_verified_by_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), seconds=5, own=8, verify="all")
    assert worked.progress == {0: FETCHED}
    again = work(clock, lambda _: response(x_cache=HIT), verify="all", progress={0: FETCHED})
    assert (again.result.outcomes, again.result.verified, len(again.addresses)) == ({"warmed": 1}, 1, 1)


def test_unfinished_part_has_warm_targets_by_url(clock: Clock) -> None:
    worked = work(clock, lambda fetch: response(("ATL56-C1", "NRT57-P3")[fetch.owner.pop]), 4, 2, seconds=10, own=55)
    assert worked.result.warm == {0: 2, 1: 2, 2: 1}
    assert not work(clock, lambda _: response()).result.warm


@pytest.mark.parametrize(
    ("refusals", "words"), [({}, "by the edge or the origin"), ({0: "a web ACL"}, "by the edge, which has a web ACL")]
)
def test_forbidden_is_called_the_edges_only_with_evidence(clock: Clock, refusals: dict[int, str], words: str) -> None:
    forbidden = response(status=403, x_cache="Error from cloudfront", server="CloudFront")
    worked = work(clock, lambda _: forbidden, refusals=refusals)
    assert worked.result.outcomes == {"blocked": 1}
    assert words in worked.records[0]


@pytest.mark.parametrize("status", [400, 413, 421, 503])
def test_bare_answers_without_a_pop_never_make_it_dark(clock: Clock, status: int) -> None:
    bare = response(cf_pop="", x_cache="", status=status, server="CloudFront")
    worked = work(clock, lambda _: bare, 20)
    assert worked.result.dark == ()
    assert worked.result.done == 20
    assert worked.result.outcomes.keys() <= {"client_error", "server_error", "origin_overload"}


def test_function_errors_and_limits_never_skip_the_other_urls(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        if fetch.owner.url < 100:
            return response(status=503, x_cache="LimitExceeded from cloudfront")
        return response()

    worked = work(clock, edge, 200)
    assert worked.result.outcomes == {"limited": 100, "warmed": 100}
    assert worked.reported_hosts == []


UNAVAILABLE = response(status=503, x_cache="Error from cloudfront")


@pytest.mark.parametrize(
    ("error_seconds", "cache_control", "waited"),
    [
        ({503: 60}, "", 60),
        ({503: 2}, "", 2),
        ({503: 0}, "", 0.2),
        ({500: 60}, "", ERROR_CACHE_SECONDS),
        ({503: 60}, "max-age=90", 90),
        ({503: 60}, "max-age=90, s-maxage=70", 70),
        ({}, "max-age=5", ERROR_CACHE_SECONDS),
        ({}, "no-store, max-age=x", ERROR_CACHE_SECONDS),
    ],
)
def test_server_error_is_retried_after_the_time_for_which_the_edge_keeps_it(
    clock: Clock, error_seconds: dict[int, int], cache_control: str, waited: float
) -> None:
    failed = response(status=503, x_cache="Error from cloudfront", cache_control=cache_control)
    worked = work(clock, in_order(failed, response()), error_seconds=error_seconds)
    assert worked.result.outcomes == {"warmed": 1}
    assert worked.waits == [0.0, waited]


@pytest.mark.parametrize(
    ("scene", "headers", "waited"),
    [
        ({}, {"expires": "Thu, 01 Jan 2026 00:01:30 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}, 90),
        ({"longest_ttls": {0: 60}}, {"cache_control": "max-age=3600"}, 60),
        ({"longest_ttls": {1: 60}}, {"cache_control": "max-age=90"}, 90),
        ({"longest_ttls": {0: 0}}, {"cache_control": "max-age=3600"}, ERROR_CACHE_SECONDS),
        ({}, {"cache_control": "no-store, max-age=90"}, ERROR_CACHE_SECONDS),
        ({}, {"cache_control": "no-store", "status": 501}, 0.2),
        ({"paged_errors": (503,)}, {"cache_control": "max-age=3600"}, ERROR_CACHE_SECONDS),
    ],
)
def test_retry_waits_as_long_as_code_and_headers_and_settings_keep_the_error(
    clock: Clock, scene: dict[str, Any], headers: dict[str, Any], waited: float
) -> None:
    usual: dict[str, Any] = {"status": 503, "x_cache": "Error from cloudfront"}
    failed = response(**(usual | headers))
    worked = work(clock, in_order(failed, response()), **scene)
    assert worked.waits == [0.0, waited]
    assert "server_error" not in worked.result.outcomes


@pytest.mark.parametrize(
    ("run", "own", "why"),
    [
        (250.0, 600.0, "the edge keeps the error for 300 s, beyond the run's deadline"),
        (6000.0, 200.0, "the edge keeps the error for 300 s, longer than a worker runs"),
    ],
)
def test_error_that_is_kept_too_long_is_not_waited_for_and_says_so(
    clock: Clock, run: float, own: float, why: str
) -> None:
    worked = work(clock, lambda _: UNAVAILABLE, error_seconds={503: 300}, run=run, own=own)
    assert (worked.result.outcomes, len(worked.addresses)) == ({"server_error": 1}, 1)
    assert why in worked.records[0]
    assert clock.now == 1000.0
