"""Why a worker stops, and what it leaves to the next one."""

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, lines_of, response
from tests.support.worker import HIT, overloaded, work
from warm.cursor import FETCHED
from warm.worker import (
    CONTROL_SECONDS,
    SHARE_OF_AN_ENDLESS_FETCH,
    Halt,
)


def test_the_runs_deadline_finishes_what_is_left_as_deadline(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 10, seconds=10, run=35)
    assert worked.worker.halted is Halt.DEADLINE
    assert worked.result.outcomes == {"warmed": 3, "deadline": 7}
    assert worked.result.finished


def test_a_run_whose_deadline_has_passed_fetches_nothing(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 4, run=-1)
    assert (worked.addresses, worked.result.outcomes) == ([], {"deadline": 4})


def test_a_worker_out_of_time_leaves_the_rest_to_the_next(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 10, seconds=10, own=35)
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.result.finished
    again = work(clock, lambda _: response(), 10, done=bytes(worked.tile.done))
    assert [number for _, number, _ in again.fetcher.seen] == list(range(3, 10))
    assert again.result.finished


def test_a_retry_that_waits_is_left_to_the_next_worker(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return response(status=503, x_cache="Error from cloudfront") if fetch.owner.number == 0 else response()

    worked = work(clock, edge, 5, seconds=1, own=4.5)
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.tile.is_done(0)


def test_a_run_that_ended_stops_the_worker_within_seconds(clock: Clock) -> None:
    looks: list[float] = []

    def control() -> Control:
        looks.append(clock.now)
        return Control(ended=len(looks) >= 3)

    worked = work(clock, lambda _: response(), 1000, seconds=0.5, control=control)
    assert worked.worker.halted is Halt.RUN_ENDED
    assert not worked.result.finished
    assert "cancelled" not in worked.result.outcomes
    pauses = [later - sooner for sooner, later in zip([1000.0, *looks], looks, strict=False)]
    assert all(CONTROL_SECONDS <= pause <= CONTROL_SECONDS + 1 for pause in pauses)


def test_a_fetch_that_took_a_workers_whole_time_is_a_timeout_and_not_begun_for_ever(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 2, seconds=500, own=400)
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert worked.result.outcomes == {"timeout": 1}
    assert (worked.tile.is_done(0), worked.tile.is_done(1)) == (True, False)


def test_a_fetch_cut_short_that_may_fit_into_the_next_worker_is_left_to_it(clock: Clock) -> None:
    seconds = 100 * SHARE_OF_AN_ENDLESS_FETCH - 5
    worked = work(clock, lambda _: response(), 2, seconds=seconds, own=100)
    assert worked.result.outcomes == {"warmed": 1}
    assert not worked.tile.is_done(1)


def test_a_proof_that_does_not_fit_beside_its_fetch_is_not_begun_for_ever(clock: Clock) -> None:
    """Every worker would fetch once, begin the proof, and hand the target on unfinished."""
    worked = work(clock, lambda _: response(total_ms=60_000), seconds=60, own=100, verify="all")
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 0)
    assert "no worker has the time to prove it" in lines_of(worked.worker.recorder)[0]


def test_a_proof_that_was_cut_short_by_other_work_is_left_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: response(total_ms=20_000), 5, seconds=20, own=110, verify="all")
    assert worked.result.outcomes == {}
    assert not worked.result.finished


def test_nothing_to_do_is_done_at_once(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 8, done=b"\xff")
    assert (worked.addresses, worked.result.finished, worked.worker.halted) == ([], True, None)


def test_what_was_fetched_before_the_deadline_and_not_proven_is_warm_but_unproven(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), seconds=10, run=15, verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 0)
    assert "before it was proven" in lines_of(worked.worker.recorder)[0]


def test_tries_are_carried_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, overloaded, own=12)
    assert worked.worker.progress == {0: 2}
    again = work(clock, overloaded, progress={0: 2})
    assert (again.result.outcomes, len(again.addresses)) == ({"server_error": 1}, 1)


def test_a_target_that_was_fetched_and_not_proven_is_proven_by_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), seconds=5, own=8, verify="all")
    assert worked.worker.progress == {0: FETCHED}
    again = work(clock, lambda _: response(x_cache=HIT), verify="all", progress={0: FETCHED})
    assert (again.result.outcomes, again.result.verified, len(again.addresses)) == ({"warmed": 1}, 1, 1)


def test_an_unfinished_part_says_what_is_warm_by_url(clock: Clock) -> None:
    worked = work(clock, lambda fetch: response(("ATL56-C1", "NRT57-P3")[fetch.owner.pop]), 4, 2, seconds=10, own=55)
    assert worked.result.warm == {0: 2, 1: 2, 2: 1}
    assert not work(clock, lambda _: response()).result.warm
