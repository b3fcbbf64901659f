"""Dark POPs: when a worker gives up on a POP, and what becomes of its targets."""

from collections import Counter

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from tests.support.builders import Clock, refused, response
from tests.support.worker import in_order, work
from warm.dark_pops import FAILURES_OF_A_DARK_POP, DarkPops
from warm.worker import TRIES


def test_pop_is_dark_after_failures_without_any_response() -> None:
    pops = DarkPops()
    failures = [pops.record(3, Outcome.CONNECT_ERROR) for _ in range(FAILURES_OF_A_DARK_POP)]
    assert failures == [False] * (FAILURES_OF_A_DARK_POP - 1) + [True]
    assert (pops.is_dark(3), pops.is_dark(4)) == (True, False)


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


def test_pop_that_answered_once_is_not_dark(clock: Clock) -> None:
    edge = in_order(response(), refused())
    worked = work(clock, edge, 20)
    assert len(worked.addresses) == 1 + 19 * TRIES
    assert worked.result.outcomes == {"warmed": 1, "connect_error": 19}
