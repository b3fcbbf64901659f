"""Workers that share the rate of a run, in virtual time: the limit is reached, and never exceeded."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prewarm.storage.rate_lanes import Answer, Ask
from tests.support.rate_run import EPOCH, Ran, Simulation, World
from warm.rate_grid import RateGrid
from warm.shared_rate import FULL_SECONDS, Share, SharedRate


def assert_within(ran: Ran, limit: float) -> None:
    """Check the two upper bounds of issue and documentation."""
    assert ran.most_in(10.0) <= 10 * limit
    assert ran.most_in(1.0) <= 1.1 * limit


@pytest.mark.parametrize(
    ("limit", "workers", "batches", "targets"),
    [
        (10, 2, 6, 150),
        (10, 5, 15, 60),
        (50, 5, 20, 100),
        (100, 20, 30, 150),
        (200, 50, 60, 100),
        (1000, 50, 60, 150),
    ],
)
def test_limit_is_reached_and_never_exceeded(limit: float, workers: int, batches: int, targets: int) -> None:
    ran = Simulation(World(limit, workers, batches, targets)).run()
    assert_within(ran, limit)
    assert ran.rate(ran.first, ran.last) >= 0.95 * limit
    assert len(ran.starts) >= batches * targets


# Each of these takes a worker, its clock or its ledger to where others have met it.
HARD = {
    "clocks are wrong by a moment": World(100, 5, 10, 200, skew=0.4),
    "clocks are wrong by an hour": World(100, 5, 10, 200, skew=3600.0),
    "clocks are wrong at ten a second": World(10, 5, 8, 60, skew=0.4),
    "workers are killed": World(100, 20, 30, 120, crash=1 / 60),
    "loops stand still": World(100, 10, 20, 150, stall=0.08),
    "batches follow each other at once": World(
        30, 5, 15, 40, round_trip=(0.005, 0.015), handover=(0.1, 0.3), stall=0.05
    ),
    "the ledger is slow": World(100, 5, 10, 300, round_trip=(0.05, 0.3)),
}


@pytest.mark.parametrize("name", HARD)
def test_limit_is_reached_and_never_exceeded_where(name: str) -> None:
    world = HARD[name]
    ran = Simulation(world).run()
    # A clock that is wrong by less than a second shows after as long: until then more fetches may fall together.
    unknown = 0 < world.skew < 1
    assert ran.most_in(10.0) <= (10.2 if unknown else 10) * world.limit
    assert ran.most_in(1.0) <= (1.3 if unknown else 1.1) * world.limit
    assert ran.rate(ran.first, ran.last) >= 0.95 * world.limit
    assert (ran.crashed > 5) == bool(world.crash)


@settings(max_examples=6, deadline=None)
@given(
    st.floats(10, 400),
    st.integers(2, 20),
    st.integers(0, 2**32),
    st.floats(0, 0.05),
    st.sampled_from([0.0, 1 / 60]),
    st.sampled_from([0.0, 3600.0]),
    st.integers(1, 300),
)
@example(limit=10.0, workers=18, seed=0, stall=0.046875, crash=1 / 60, skew=3600.0, in_flight=2)
@example(limit=12.0, workers=3, seed=0, stall=0.0, crash=1 / 60, skew=3600.0, in_flight=2)
def test_rate_is_never_exceeded_whatever_the_run(
    limit: float, workers: int, seed: int, stall: float, crash: float, skew: float, in_flight: int
) -> None:
    targets = max(20, int(8 * limit / workers))
    world = World(
        limit, workers, 2 * workers, targets, seed=seed, stall=stall, crash=crash, skew=skew, in_flight=in_flight
    )
    ran = Simulation(world).run(300.0)
    assert ran.most_in(10.0) <= 10 * limit
    # A second has room for a tenth more, and for the one fetch that a fraction makes at a low limit. A worker whose
    # clock is an hour off has the store's time from Date, to a few hundredths of a second: one fetch more.
    assert ran.most_in(1.0) <= max(1.1 * limit, limit + 1) + bool(skew)


@pytest.mark.parametrize(("limit", "workers"), [(10, 2), (100, 5), (1000, 1000)])
def test_writes_a_second_stay_far_below_what_one_item_takes(limit: float, workers: int) -> None:
    world = World(limit, workers, workers, int(60 * limit / workers), handover=(0.2, 8.0))
    ran = Simulation(world).run(24.0)
    assert_within(ran, limit)
    steady = [at for at in sorted(ran.writes) if at >= 14.0]
    assert len(steady) / 10.0 <= 30
    # Workers start for eight seconds here and delay their first request by up to five; each writes twice at most.
    assert ran.most_in(1.0, sorted(ran.writes)) <= 250
    assert ran.most_in(1.0, sorted(ran.reads)) <= 1500
    assert ran.rate(10.0, 23.0) >= 0.95 * limit


def test_outage_of_the_ledger_leaves_each_worker_its_fixed_share() -> None:
    world = World(100, 20, 40, 500, fails=lambda _worker, time: 15.0 < time < 40.0)
    ran = Simulation(world).run(60.0)
    assert_within(ran, 100)
    assert ran.rate(20.0, 40.0) >= 0.9 * 100
    assert ran.rate(45.0, 60.0) >= 0.95 * 100
    # It is asked on, at no more than some requests a second.
    assert ran.most_in(1.0, sorted(ran.writes)) <= 50


def test_failures_now_and_then_never_exceed_the_limit() -> None:
    chance = random.Random(3)
    world = World(100, 10, 20, 300, fails=lambda _worker, time: 10.0 < time < 25.0 and chance.random() < 0.3)
    ran = Simulation(world).run(60.0)
    assert_within(ran, 100)
    assert len(ran.starts) > 2000


def test_run_of_workers_that_cannot_use_their_share_goes_to_the_others() -> None:
    """One of five has room for two fetches at once; the rest of its share is not lost."""
    world = World(100, 5, 10, 400)
    few = Simulation(replace(world, in_flight=2, workers=5)).run(30.0)
    ran = Simulation(world).run(30.0)
    assert few.rate(5.0, 25.0) < 60 < ran.rate(5.0, 25.0)


class Silent:
    """A ledger that never answers, or answers with what is given."""

    def __init__(self, *answers: Answer) -> None:
        self.asks: list[Ask] = []
        self._answers = list(answers)

    def send(self, ask: Ask) -> None:
        self.asks.append(ask)

    def receive(self) -> Answer | None:
        return self._answers.pop(0) if self._answers else None


def of(lessor: Silent, *, limit: float = 100.0, workers: int = 5, ends: float = 900.0) -> SharedRate:
    share = Share(RateGrid.of(limit, workers), workers, EPOCH, ends, lambda: 1000)
    return SharedRate(share, lessor, 0.0, lambda: EPOCH, random.Random(1))


def test_ledger_that_never_answers_neither_stops_a_worker_nor_makes_it_fast() -> None:
    pace, now, starts = of(Silent()), 0.0, []
    while now < 20.0:
        wait = pace.acquire(now)
        starts += [now] if not wait else []
        now += max(wait, 0.001)
    assert min(starts) > 4.0
    assert 0.9 * 16 * 19.6 <= len(starts) <= 16 * 19.6 + 1


def test_worker_with_two_seconds_makes_progress_while_the_ledger_refuses() -> None:
    failed = [Answer(Ask(), 0.0, 0.0, failed=True) for _ in range(9)]
    pace, now, starts = of(Silent(*failed), ends=2.0), 0.0, 0
    while now < 1.8:
        wait = pace.acquire(now)
        starts += not wait
        now += max(wait, 0.001)
    assert 20 <= starts <= 40


def test_worker_asks_for_no_slot_after_its_end() -> None:
    """All lanes are leased beyond the worker's time: it waits, and hands its batch on at its end."""
    full = dict.fromkeys(range(5), 10**6)
    lessor = Silent(Answer(Ask(), 0.0, 0.01, lanes=full, date=None))
    pace, now = of(lessor, ends=60.0), 0.0
    while now < 60.0:
        wait = pace.acquire(now)
        assert 0 < wait <= 60
        now += min(wait, 0.25)
    assert [ask.count for ask in lessor.asks] == [0]
    assert FULL_SECONDS < 60


def test_slots_of_the_grid_are_evenly_spaced_over_all_lanes() -> None:
    grid = RateGrid.of(100.0, 5)
    times = sorted(grid.time(lane, number) for lane in range(grid.lanes) for number in range(100))
    gaps = {round(after - before, 9) for before, after in itertools.pairwise(times)}
    assert gaps == {round(1 / 98, 9)}
    for lane in range(grid.lanes):
        assert grid.time(lane, grid.first(lane, 3.21)) >= 3.21 > grid.time(lane, grid.first(lane, 3.21) - 1)


@pytest.mark.parametrize(
    ("limit", "workers", "lanes", "writes"),
    [(10, 2, 2, 5), (10, 50, 2, 5), (0.1, 5, 1, 1), (1000, 5, 5, 10), (100, 1000, 16, 17)],
)
def test_lanes_and_leases_bound_the_writes(limit: float, workers: int, lanes: int, writes: int) -> None:
    grid = RateGrid.of(limit, workers)
    assert grid.lanes == lanes
    assert grid.rate / grid.lease <= writes
