"""The worker: warms one tile as far as its time goes, proves what it warmed, and retries what may yet succeed."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.fetcher import Fetcher
from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.results.outcome import RETRIED, Outcome, classify
from prewarm.storage.ledger_items import Control
from warm.circuit_breaker import SLOWED_RPS, CircuitBreakers
from warm.cursor import FETCHED
from warm.limits import Limits
from warm.rate_limiter import TokenBucket
from warm.recorder import Recorder
from warm.tile import Target, Tile
from warm.verification import Verification, proves

TRIES = 3
# First pause before a retry in seconds; doubled each time, with jitter so that retries do not come in waves.
FIRST_PAUSE = 0.2
# A POP that fails this often in a row without ever answering has gone dark: the rest is not tried one by one.
FAILURES_OF_A_DARK_POP = 6
# How often the run's control item is looked at.
CONTROL_SECONDS = 3.0
# A fetch that took this share of a worker's whole time will not fit into the next worker's either.
SHARE_OF_AN_ENDLESS_FETCH = 0.9
# One Miss after the first is enough where the distribution's settings, or another target of the URL, say that no copy
# is kept.
MISSES_OF_THE_HOPELESS = 2


class Halt(Enum):
    """Why a worker stopped before its tile was finished."""

    OUT_OF_TIME = auto()
    DEADLINE = auto()
    RUN_ENDED = auto()


@dataclass
class Worker:
    """Warms a tile. `run` fetches until it is finished or has to stop; what came of it is in `recorder`.

    `control` reads the run's control item; `open_host` tells the other workers of an overloaded origin. `progress`
    is what the next worker has to know of targets that were begun; `redrives`: how often the run had been redriven.
    """

    tile: Tile
    recorder: Recorder
    fetcher: Fetcher
    limits: Limits
    control: Callable[[], Control]
    open_host: Callable[[str], None]
    redrives: int = 0
    halted: Halt | None = None
    progress: dict[int, int] = field(default_factory=dict)
    breakers: CircuitBreakers = field(default_factory=CircuitBreakers)
    _again: deque[Fetch] = field(default_factory=deque)
    _fails_in_row: Counter[int] = field(default_factory=Counter)
    _answered: set[int] = field(default_factory=set)
    _started: float = 0.0
    _next_look: float = 0.0

    def __post_init__(self) -> None:
        """Begin without proofs, and at the pace of the limits."""
        self._verification = Verification(self.tile)
        self._pacer, self._slow_pacer = (
            TokenBucket(self.limits.rps),
            TokenBucket(min(self.limits.rps or SLOWED_RPS, SLOWED_RPS)),
        )

    def run(self) -> None:
        """Warm what is left of the tile."""
        self._started = time.monotonic()
        self._next_look = self._started + CONTROL_SECONDS
        queues: list[PopQueue] = []
        for pop, queue in enumerate(self.tile.queues):
            if queue is not None:
                queue.feed = self.tile.feed(pop, queue)
                queues.append(queue)
                continue
            for target in self.tile.targets(pop):
                self._end(target, Response(), Outcome.UNRESOLVED_POP, "the POP's name gave no usable address")
        left = self.fetcher.run(
            (),
            self._take,
            queues=queues,
            halt=self._halt,
            admit=self._admit,
            again=self._again,
            max_bytes=self.limits.max_bytes,
        )
        if self.halted is Halt.DEADLINE:
            left += [fetch for queue in queues for fetch in queue.left()]
        for fetch in left:
            self._leave(fetch)
        for fetch, response in self._verification.all_held():
            # Fetched whole, and no proof speaks against it.
            self._end(fetch.owner, response, Outcome.WARMED, "")

    def _halt(self) -> bool:
        now = time.monotonic()
        if now - self._started >= self.limits.run_seconds:
            self.halted = Halt.DEADLINE
        elif now - self._started >= self.limits.own_seconds:
            self.halted = Halt.OUT_OF_TIME
        elif now >= self._next_look:
            self._next_look = now + CONTROL_SECONDS
            self._look()
        return self.halted is not None

    def _look(self) -> None:
        """Read the control item, and tell what it does not know."""
        control = self.control()
        if control.over_for(self.redrives):
            self.halted = Halt.RUN_ENDED
        self.breakers.told(control.open_hosts)

    def _admit(self, fetch: Fetch) -> float | None:
        """Let a fetch begin, hold it back, or drop it because its host's origin is overloaded."""
        target: Target = fetch.owner
        if self.breakers.open and self.tile.hosts[target.url] in self.breakers.open:
            if target.first is not None:
                self._end(target, target.first, Outcome.WARMED, "not proven, since its host's origin is overloaded")
            else:
                self._end(
                    target, Response(), Outcome.ORIGIN_OVERLOAD, "the origin failed too often, so it was left alone"
                )
            return None
        return (self._slow_pacer if self.breakers.slowed else self._pacer).wait(time.monotonic())

    def _leave(self, fetch: Fetch) -> None:
        """Decide what becomes of a fetch that the worker's end left without a response."""
        target: Target = fetch.owner
        if self.halted is Halt.DEADLINE:
            if target.first is not None and target.misses == 1:
                self._end(target, target.first, Outcome.WARMED, "the run's time was up before it was proven")
            else:
                self._end(target, Response(), Outcome.DEADLINE, "the run's time was up")
        elif self.halted is Halt.OUT_OF_TIME:
            flown = time.monotonic() - fetch.started if fetch.started else 0.0
            endless = SHARE_OF_AN_ENDLESS_FETCH * self.limits.own_seconds
            if target.first is None and flown >= endless:
                self._end(target, Response(), Outcome.TIMEOUT, f"still not whole after {flown:.0f} s")
            elif target.first is not None and flown and flown + target.first.total_ms / 1000 >= endless:
                # Fetch and proof do not fit into one worker's time: another one would begin both anew.
                self._end(target, target.first, Outcome.WARMED, "no worker has the time to prove it")
            elif target.first is not None or target.fetched:
                self.progress[target.number] = FETCHED
            elif target.tries:
                self.progress[target.number] = min(target.tries, TRIES - 1)

    def _take(self, fetch: Fetch, response: Response) -> float | None:
        """Judge a response: finish the target (None), or say in how many seconds to fetch it again."""
        target: Target = fetch.owner
        fetch.started = 0.0
        target.tries += 1
        target.bytes += response.bytes
        outcome, detail = classify(response, self.tile.pops[target.pop], self.tile.variants[target.variant])
        self._watch_pop(fetch, outcome)
        self._watch_origin(target, response, outcome)
        if outcome is Outcome.WARMED:
            if self._verification.wants_proof(target, response):
                return self._prove(fetch, target, response)
            if not self._verification.holds(fetch, response):
                self._end(target, response, outcome, detail)
            return None
        if outcome is Outcome.ALREADY_WARM:
            if target.prove and not proves(response):
                return self._prove(fetch, target, response)
            begun = target.first is not None or target.fetched
            self._end(target, target.first or response, Outcome.WARMED if begun else outcome, "", verified=True)
            return None
        if outcome in RETRIED and target.tries - target.misses < TRIES and not self._is_dark(target.pop):
            fetch.address += 1
            pause = FIRST_PAUSE * 2 ** (target.tries - 1)
            if outcome is Outcome.SERVER_ERROR:
                pause = self.limits.error_cache_seconds
            return float(pause * random.uniform(1.0, 1.5))  # noqa: S311 - jitter needs no secrecy
        self._end(target, response, outcome, detail)
        return None

    def _prove(self, fetch: Fetch, target: Target, response: Response) -> float | None:
        """Ask again after a Miss: only a Hit proves that the POP kept the object.

        At once at the same address first; a POP has several cache servers, so a second Miss is asked at another.
        """
        target.first = target.first or response
        target.misses += 1
        why = self.tile.uncacheable.get(target.url, "")
        hopeless = why or self._verification.is_hopeless(target)
        if target.misses >= (MISSES_OF_THE_HOPELESS if hopeless else TRIES + 1):
            outcome = Outcome.NOT_CACHEABLE if why else Outcome.UNPROVEN
            told = f"Cache-Control: {response.cache_control}" if response.cache_control else ""
            detail = "; ".join(filter(None, (f"{target.misses} fetches, and none was a Hit", why, told)))
            self._end(target, response, outcome, detail)
            return None
        if target.misses == 1:
            return 0.0
        fetch.address += 1
        return float(FIRST_PAUSE * 2 ** (target.misses - 2))

    def _end(
        self, target: Target, response: Response, outcome: Outcome, detail: str, *, verified: bool = False
    ) -> None:
        """Finish a target; what its proof says of others is done."""
        self.recorder.take(target, response, outcome, detail, verified=verified)
        if not target.prove:
            return
        failed = outcome in {Outcome.UNPROVEN, Outcome.NOT_CACHEABLE}
        kept = True if verified else False if failed else None
        believed, to_prove = self._verification.conclude(target, kept=kept)
        for fetch, first in believed:
            self.recorder.take(fetch.owner, first, Outcome.WARMED, "")
        self._again.extend(to_prove)

    def _watch_origin(self, target: Target, response: Response, outcome: Outcome) -> None:
        """Judge the host's origin by the response; tell the other workers when it has had too much."""
        if target.tries == 1:
            # Tries again are made of what failed: they would make a few bad pages look like a bad origin.
            self.breakers.note(self.tile.hosts[target.url], target.url, response, outcome, time.monotonic())
        while self.breakers.opened:
            self.open_host(self.breakers.opened.pop())

    def _watch_pop(self, fetch: Fetch, outcome: Outcome) -> None:
        """Count a POP's failures to connect; give up on one that has gone dark."""
        pop = fetch.owner.pop
        if outcome is not Outcome.CONNECT_ERROR:
            self._answered.add(pop)
            return
        self._fails_in_row[pop] += 1
        if self._is_dark(pop):
            for waiting in fetch.queue.left():
                self._end(waiting.owner, Response(), Outcome.CONNECT_ERROR, "the POP had gone dark")

    def _is_dark(self, pop: int) -> bool:
        return pop not in self._answered and self._fails_in_row[pop] >= FAILURES_OF_A_DARK_POP
