"""Dark POPs: when a worker gives up on a POP, and what becomes of its targets."""

from collections import Counter

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from tests.support.builders import Clock, refused, response
from tests.support.worker import in_order, work
from warm.dark_pops import FAILURES_OF_A_DARK_POP, DarkPops

SILENT = Response(error=28, error_text="too slow", connected=True)


@pytest.mark.parametrize("outcome", [Outcome.CONNECT_ERROR, Outcome.TIMEOUT])
def test_pop_is_dark_after_failures_in_a_row_without_any_response(outcome: Outcome) -> None:
    pops = DarkPops()
    failures = [pops.record(3, outcome, Response()) for _ in range(FAILURES_OF_A_DARK_POP + 1)]
    assert failures == [False] * (FAILURES_OF_A_DARK_POP - 1) + [True, False]
    assert (pops.is_dark(3), pops.is_dark(4)) == (True, False)


def test_pop_is_suspected_from_a_failure_until_the_next_response() -> None:
    pops = DarkPops()
    for _ in range(FAILURES_OF_A_DARK_POP - 1):
        pops.record(0, Outcome.TIMEOUT, Response())
        assert pops.is_suspected(0)
    pops.record(0, Outcome.SERVER_ERROR, response(status=503))
    assert not pops.is_suspected(0)
    assert not pops.record(0, Outcome.TIMEOUT, Response())


def test_body_that_stalls_is_no_sign_of_life_and_no_silence() -> None:
    pops = DarkPops()
    pops.record(0, Outcome.TIMEOUT, Response())
    pops.record(0, Outcome.TIMEOUT, response())
    assert pops.is_suspected(0)
    for _ in range(FAILURES_OF_A_DARK_POP):
        pops.record(1, Outcome.TIMEOUT, response())
    assert not pops.is_dark(1)


@pytest.mark.parametrize("region_type", ["region", "pop"])
def test_silent_pop_fails_alone_and_the_origin_is_not_called_overloaded(clock: Clock, region_type: str) -> None:
    """One of three POPs accepts connections and never responds; 200 URLs, each time-out takes 95 s."""

    def edge(fetch: Fetch) -> Response:
        if fetch.owner.pop == 1:
            return SILENT
        return response(("ATL56-C1", "", "SYD1-C1")[fetch.owner.pop])

    worked = work(clock, edge, 200, 3, region_type=region_type)
    assert worked.reported_hosts == []
    asked = Counter(number % 3 for _, number, _ in worked.fetcher.seen)
    assert asked[1] == FAILURES_OF_A_DARK_POP
    assert worked.result.finished
    if region_type == "pop":
        assert worked.result.outcomes == {"warmed": 400, "timeout": 200}
    else:
        assert worked.result.outcomes == {"warmed": 400}
        assert [(entry.pop, entry.reason) for entry in worked.result.dark] == [("NRT57-P3", "timeout")]


def test_pop_that_falls_silent_later_is_given_up_on(clock: Clock) -> None:
    edge = in_order(*[response()] * 50, SILENT)
    worked = work(clock, edge, 100)
    assert worked.result.outcomes == {"warmed": 50, "timeout": 50}
    assert len(worked.addresses) == 50 + FAILURES_OF_A_DARK_POP


def test_silence_at_all_pops_skips_none_of_them(clock: Clock) -> None:
    """The origin may be the reason, so the URLs fail at these POPs."""
    worked = work(clock, lambda _: SILENT, 5, 2)
    assert worked.result.dark == ()
    assert worked.result.outcomes == {"timeout": 10}


def test_dark_pop_is_skipped_and_other_pops_are_warmed(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return refused() if fetch.owner.pop == 0 else response("NRT57-P3")

    worked = work(clock, edge, 200, 2)
    asked = Counter(address.rpartition(".")[2] for address in worked.addresses)
    assert asked["1"] == 200
    assert asked["0"] <= 2 * FAILURES_OF_A_DARK_POP
    assert worked.result.outcomes == {"warmed": 200}
    assert [entry.reason for entry in worked.result.dark] == ["connect_error"]
    assert worked.result.finished


def test_dark_pop_requested_by_id_fails_for_every_url(clock: Clock) -> None:
    worked = work(clock, lambda _: refused(), 50, region_type="pop")
    assert worked.result.outcomes == {"connect_error": 50}
    assert set(worked.result.failed) == set(range(50))
    assert worked.result.dark == ()


def test_pop_that_answers_now_and_then_is_not_dark(clock: Clock) -> None:
    edge = in_order(*[response(), *[refused()] * 5] * 20)
    worked = work(clock, edge, 20)
    assert worked.result.done == 20
    assert worked.result.dark == ()
    assert len(worked.addresses) > 20
