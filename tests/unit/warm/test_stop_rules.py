"""Why a worker stops: its own time, the run's deadline, and the run's control item."""

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.stats import unpack_pops
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, response
from tests.support.worker import Worked, work
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


def fetched_and_bytes(worked: Worked) -> tuple[int, int]:
    """Return the fetches and bytes that a result counts; each response has ten bytes."""
    fetches = sum(pop.fetches for pop in unpack_pops(worked.result.per_pop))
    assert sum(pop.bytes for pop in unpack_pops(worked.result.per_pop)) == worked.result.bytes
    return fetches, worked.result.bytes


def test_ended_run_counts_the_fetches_of_targets_that_wait_for_proofs(clock: Clock) -> None:
    def control() -> Control:
        return Control(ended=clock.now > 1010)

    worked = work(clock, lambda _: response(), 1000, verify="sample", rps=5.0, control=control)
    seen = len(worked.fetcher.seen)
    assert (worked.result.done, worked.stopped) == (0, StopReason.RUN_ENDED)
    assert seen > 40
    # The last fetch may have been cut short.
    assert fetched_and_bytes(worked) in {(seen, 10 * seen), (seen - 1, 10 * (seen - 1))}


@pytest.mark.parametrize("verify", ["none", "sample", "all"])
def test_two_workers_count_each_fetch_once(clock: Clock, verify: str) -> None:
    def edge(fetch: Fetch) -> Response:
        failed = fetch.owner.number % 3 == 0 and fetch.owner.tries == 0
        hit = fetch.owner.first is not None or fetch.owner.fetched
        kind = "Error from cloudfront" if failed else "Hit from cloudfront" if hit else "Miss from cloudfront"
        return response(status=503 if failed else 200, x_cache=kind)

    first = work(clock, edge, 20, seconds=1, own=12.5, verify=verify)
    assert first.stopped is StopReason.OUT_OF_TIME
    second = work(clock, edge, 20, verify=verify, done=bytes(first.tile.done), progress=first.progress)
    assert second.result.finished
    counted = [fetched_and_bytes(worked) for worked in (first, second)]
    seen = [len(worked.fetcher.seen) for worked in (first, second)]
    assert [fetches for fetches, _ in counted] == [seen[0] - 1, seen[1]], "one was cut short"
    assert [size for _, size in counted] == [10 * fetches for fetches, _ in counted]
