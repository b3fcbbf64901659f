"""The worker: warms one tile as far as its time goes, proves what it warmed, and retries what may yet succeed."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetch import Fetch, Fetcher
from prewarm.outcome import RETRIED, Answer, Outcome, judge
from warm.tally import Tally
from warm.targets import Target, Tile

TRIES = 3
# First pause before a retry in seconds; doubled each time, with jitter so that retries do not come in waves.
FIRST_PAUSE = 0.2
# A POP that fails this often in a row without ever answering has gone dark: the rest is not tried one by one.
FAILURES_OF_A_DARK_POP = 6
# How often the run's control item is looked at.
CONTROL_SECONDS = 3.0
# A fetch that took this share of a worker's whole time will not fit into the next worker's either.
SHARE_OF_AN_ENDLESS_FETCH = 0.9


class Halt(Enum):
    """Why a worker stopped before its tile was finished."""

    OUT_OF_TIME = auto()
    DEADLINE = auto()
    RUN_ENDED = auto()


@dataclass(frozen=True)
class Limits:
    """When to stop, in seconds from now: this worker's own end, and the run's deadline."""

    own_seconds: float
    run_seconds: float
    error_cache_seconds: float


@dataclass
class Worker:
    """Warms a tile. `run` fetches until it is finished or has to stop; what came of it is in `tally`."""

    tile: Tile
    tally: Tally
    fetcher: Fetcher
    limits: Limits
    max_bytes: int | None
    goes_on: Callable[[], bool]
    halted: Halt | None = None
    _fails_in_row: Counter[int] = field(default_factory=Counter)
    _answered: set[int] = field(default_factory=set)
    _started: float = 0.0
    _next_look: float = 0.0

    def run(self) -> None:
        """Warm what is left of the tile."""
        self._started = time.monotonic()
        self._next_look = self._started + CONTROL_SECONDS
        fetches = []
        for target in self.tile.targets():
            lane = self.tile.lanes[target.pop]
            if lane is None:
                self.tally.take(target, Answer(), Outcome.UNRESOLVED_POP, "the POP's name gave no usable address")
            else:
                fetches.append(self.tile.fetch(target, lane))
        for fetch in self.fetcher.run(fetches, self._take, halt=self._halt, max_bytes=self.max_bytes):
            self._leave(fetch)

    def _halt(self) -> bool:
        now = time.monotonic()
        if now - self._started >= self.limits.run_seconds:
            self.halted = Halt.DEADLINE
        elif now - self._started >= self.limits.own_seconds:
            self.halted = Halt.OUT_OF_TIME
        elif now >= self._next_look:
            self._next_look = now + CONTROL_SECONDS
            if not self.goes_on():
                self.halted = Halt.RUN_ENDED
        return self.halted is not None

    def _leave(self, fetch: Fetch) -> None:
        """Decide what becomes of a fetch that the worker's end left without an answer."""
        target: Target = fetch.owner
        if self.halted is Halt.DEADLINE:
            self.tally.take(target, Answer(), Outcome.DEADLINE, "the run's time was up")
        elif self.halted is Halt.OUT_OF_TIME and fetch.started:
            flown, endless = time.monotonic() - fetch.started, SHARE_OF_AN_ENDLESS_FETCH * self.limits.own_seconds
            if target.first is None and flown >= endless:
                self.tally.take(target, Answer(), Outcome.TIMEOUT, f"still not whole after {flown:.0f} s")
            elif target.first is not None and flown + target.first.total_ms / 1000 >= endless:
                # Fetch and proof do not fit into one worker's time: another one would begin both anew.
                self.tally.take(target, target.first, Outcome.WARMED, "no worker has the time to prove it")

    def _take(self, fetch: Fetch, answer: Answer) -> float | None:
        """Judge an answer: finish the target (None), or say in how many seconds to fetch it again."""
        target: Target = fetch.owner
        fetch.started = 0.0
        target.tries += 1
        target.bytes += answer.bytes
        outcome, detail = judge(answer, self.tile.pops[target.pop])
        self._watch_pop(fetch, outcome)
        if outcome is Outcome.WARMED and target.prove:
            return self._prove(fetch, target, answer)
        if outcome is Outcome.ALREADY_WARM and target.first is not None:
            self.tally.take(target, target.first, Outcome.WARMED, "", verified=True)
            return None
        if outcome in RETRIED and target.tries - target.misses < TRIES and not self._is_dark(target.pop):
            fetch.address += 1
            pause = FIRST_PAUSE * 2 ** (target.tries - 1)
            if outcome is Outcome.SERVER_ERROR:
                pause = self.limits.error_cache_seconds
            return float(pause * random.uniform(1.0, 1.5))  # noqa: S311 - jitter needs no secrecy
        self.tally.take(target, answer, outcome, detail, verified=outcome is Outcome.ALREADY_WARM)
        return None

    def _prove(self, fetch: Fetch, target: Target, answer: Answer) -> float | None:
        """Ask again after a Miss: only a Hit proves that the POP kept the object.

        At once at the same address first; a POP has several cache servers, so a second Miss is asked at another.
        """
        target.first = target.first or answer
        target.misses += 1
        if target.misses > TRIES:
            self.tally.take(target, answer, Outcome.UNPROVEN, f"{target.misses} fetches, and every one a Miss")
            return None
        if target.misses == 1:
            return 0.0
        fetch.address += 1
        return float(FIRST_PAUSE * 2 ** (target.misses - 2))

    def _watch_pop(self, fetch: Fetch, outcome: Outcome) -> None:
        """Count a POP's failures to connect; give up on one that has gone dark."""
        pop = fetch.owner.pop
        if outcome is not Outcome.CONNECT_ERROR:
            self._answered.add(pop)
            return
        self._fails_in_row[pop] += 1
        if self._is_dark(pop):
            while fetch.lane.waiting:
                waiting = fetch.lane.waiting.popleft()
                self.tally.take(waiting.owner, Answer(), Outcome.CONNECT_ERROR, "the POP had gone dark")

    def _is_dark(self, pop: int) -> bool:
        return pop not in self._answered and self._fails_in_row[pop] >= FAILURES_OF_A_DARK_POP
