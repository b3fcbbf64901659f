"""A simulated run with `max_rps`: workers, their ledger and the network between them, in virtual time."""

import heapq
import itertools
import random
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm.storage.rate_lanes import Answer, Ask
from warm.rate_grid import RateGrid
from warm.shared_rate import Share, SharedRate

# A worker's time limit and the store's clock at the run's start.
OWN_SECONDS = 880.0
EPOCH = 1_800_000_000.0


@dataclass
class World:
    """What may differ: seconds in all fields.

    `round_trip` and `latency`: how long the ledger and a fetch take; `handover`: between two batches; `again`: the
    share of fetches that is repeated (a proof, a retry); `in_flight`: how many fetches a worker has at once; `skew`:
    how far a worker's clock is wrong; `crash`: the chance that a worker dies in a second; `fails`: whether the ledger
    fails a worker (its number) at a time; `stall`: the longest time for which a worker's loop stands still.
    """

    limit: float
    workers: int
    batches: int
    targets: int
    round_trip: tuple[float, float] = (0.004, 0.02)
    latency: tuple[float, float] = (0.02, 0.4)
    handover: tuple[float, float] = (0.2, 1.5)
    again: float = 0.1
    in_flight: int = 300
    skew: float = 0.0
    crash: float = 0.0
    stall: float = 0.005
    fails: Callable[[int, float], bool] = lambda _worker, _time: False
    seed: int = 1


@dataclass
class Ran:
    """What a run did: when its fetches started, when its last batch began, calls and refused ones, lost workers."""

    starts: list[float] = field(default_factory=list)
    first: float = 0.0
    last: float = 0.0
    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    crashed: int = 0
    refused: int = 0
    fetches: dict[int, int] = field(default_factory=dict)

    def most_in(self, seconds: float, times: list[float] | None = None) -> int:
        """Return the most fetches that started in any interval of this length."""
        times = self.starts if times is None else times
        return max(
            (bisect_left(times, start + seconds - 1e-9) - place for place, start in enumerate(times)), default=0
        )

    def rate(self, since: float, until: float) -> float:
        """Return the fetches per second between two times."""
        return (bisect_left(self.starts, until) - bisect_left(self.starts, since)) / (until - since)


class Simulation:
    """Runs one world to its end."""

    def __init__(self, world: World) -> None:
        self.world, self.chance, self.ran = world, random.Random(world.seed), Ran()
        self.grid = RateGrid.of(world.limit, world.workers)
        self.item: dict[int, int] = {}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._left = world.batches

    def at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    def between(self, bounds: tuple[float, float]) -> float:
        return self.chance.uniform(*bounds)

    def run(self, until: float = 1e6) -> Ran:
        for number in range(self.world.workers):
            self._begin(number, self.between(self.world.handover))
        while self._events and self._events[0][0] < until:
            time, _, event = heapq.heappop(self._events)
            event(time)
        self.ran.starts.sort()
        self.ran.first = self.ran.starts[0]
        return self.ran

    def _begin(self, number: int, time: float) -> None:
        """Let the map start a worker for the next batch."""
        if self._left:
            self._left -= 1
            self.ran.last = max(self.ran.last, time)
            SimulatedWorker(self, number, time)

    def ended(self, number: int, time: float) -> None:
        self._begin(number, time + self.between(self.world.handover))

    def died(self, number: int, time: float, targets: int) -> None:
        """Let Step Functions try a killed worker again."""
        self.ran.crashed += 1
        begins = time + 2.0 + self.between(self.world.handover)
        SimulatedWorker(self, number, begins, targets)

    def update(self, ask: Ask, time: float) -> tuple[int | None, dict[int, int]]:
        """Do what DynamoDB does with the conditional update of `RateLanes`."""
        if not ask.count:
            self.ran.reads.append(time)
            return None, dict(self.item)
        self.ran.writes.append(time)
        old = self.item.get(ask.lane)
        if ask.restart and (old is None or old < ask.least):
            self.item[ask.lane] = ask.least + ask.count
        elif not ask.restart and old is not None and ask.least <= old <= ask.most:
            self.item[ask.lane] = old + ask.count
        else:
            self.ran.refused += 1
            return None, dict(self.item)
        return self.item[ask.lane] - ask.count, dict(self.item)


class SimulatedWorker:
    """One invocation: its loop, its connection to the ledger, and its fetches."""

    def __init__(self, world: Simulation, number: int, begins: float, targets: int | None = None) -> None:
        self.simulation, self.number = world, number
        config, chance = world.world, world.chance
        # A monotonic clock of its own, and another one that may be wrong.
        self._zero = chance.uniform(0, 1e5)
        self._skew = chance.uniform(-config.skew, config.skew)
        self.waiting, self.active, self.done = targets or config.targets, 0, False
        self._answers: list[Answer] = []
        share = Share(world.grid, config.workers, EPOCH, begins + OWN_SECONDS - self._zero, self._remaining)
        self.ends = begins + OWN_SECONDS
        self._now = begins
        self._pace = SharedRate(share, self, begins - self._zero, self._wall, chance)
        if config.crash:
            world.at(begins + chance.expovariate(config.crash), self._die)
        world.at(begins, self._step)

    def _remaining(self) -> int:
        return self.waiting

    def _wall(self) -> float:
        return EPOCH + self._now + self._skew

    def send(self, ask: Ask) -> None:
        world, config, sent = self.simulation, self.simulation.world, self._now
        reaches = sent + world.between(config.round_trip) / 2

        def reach(time: float) -> None:
            arrives = time + world.between(config.round_trip) / 2
            monotonic = (sent - self._zero, arrives - self._zero)
            if config.fails(self.number, time):
                answer = Answer(ask, *monotonic, failed=True)
            else:
                first, lanes = world.update(ask, time)
                answer = Answer(ask, *monotonic, first, lanes, float(int(EPOCH + time)))
            world.at(arrives, lambda _: self._answers.append(answer))

        world.at(reaches, reach)

    def receive(self) -> Answer | None:
        return self._answers.pop(0) if self._answers else None

    def _die(self, time: float) -> None:
        if not self.done:
            self.done = True
            if self.waiting + self.active:
                self.simulation.died(self.number, time, self.waiting + self.active)

    def _step(self, time: float) -> None:
        """Start fetches as the scheduler does, until one has to wait."""
        if self.done:
            return
        world, config, wait = self.simulation, self.simulation.world, 0.02
        self._now = time
        if time > self.ends:
            self.done = True
            world.died(self.number, time, self.waiting + self.active)
            return
        while self.waiting and self.active < config.in_flight:
            if wait := self._pace.acquire(time - self._zero):
                break
            self.waiting -= 1
            self.active += 1
            world.ran.starts.append(time)
            world.ran.fetches[self.number] = world.ran.fetches.get(self.number, 0) + 1
            world.at(time + world.between(config.latency), self._finish)
        if not self.waiting and not self.active:
            self.done = True
            world.ended(self.number, time)
            return
        world.at(time + (wait or 0.02) + world.between((0.0, config.stall)), self._step)

    def _finish(self, time: float) -> None:
        if not self.done:
            self.active -= 1
            self.waiting += self.simulation.chance.random() < self.simulation.world.again
