"""Why a worker stops: its own time, the run's deadline, and the run's control item."""

from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, response
from tests.support.worker import work
from warm.stop_rules import CONTROL_SECONDS, StopReason


def test_deadline_finishes_remaining_targets_as_deadline(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 10, seconds=10, run=35)
    assert worked.stopped is StopReason.DEADLINE
    assert worked.result.outcomes == {"warmed": 3, "deadline": 7}
    assert worked.result.finished


def test_passed_deadline_fetches_nothing(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 4, run=-1)
    assert (worked.addresses, worked.result.outcomes) == ([], {"deadline": 4})


def test_worker_out_of_time_leaves_targets_to_the_next(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 10, seconds=10, own=35)
    assert worked.stopped is StopReason.OUT_OF_TIME
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.result.finished
    again = work(clock, lambda _: response(), 10, done=bytes(worked.tile.done))
    assert [number for _, number, _ in again.fetcher.seen] == list(range(3, 10))
    assert again.result.finished


def test_ended_run_keeps_what_was_fetched(clock: Clock) -> None:
    def control() -> Control:
        return Control(ended=clock.now > 1020)

    worked = work(clock, lambda _: response(), 1000, seconds=1, control=control)
    fetched = len(worked.fetcher.seen)
    assert worked.result.outcomes == {"warmed": fetched - 1}, "the last fetch was cut short"
    assert not worked.result.finished
    assert len(worked.records) == worked.result.done == fetched - 1


def test_ended_run_stops_the_worker_within_seconds(clock: Clock) -> None:
    reads: list[float] = []

    def control() -> Control:
        reads.append(clock.now)
        return Control(ended=len(reads) >= 3)

    worked = work(clock, lambda _: response(), 1000, seconds=0.5, control=control)
    assert clock.now - 1000.0 < 4 * CONTROL_SECONDS
    assert worked.stopped is StopReason.RUN_ENDED
    pauses = [later - sooner for sooner, later in zip([1000.0, *reads], reads, strict=False)]
    assert all(CONTROL_SECONDS <= pause <= CONTROL_SECONDS + 1 for pause in pauses)


def test_finished_tile_fetches_nothing(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 8, done=b"\xff")
    assert (worked.addresses, worked.result.finished, worked.stopped) == ([], True, None)
