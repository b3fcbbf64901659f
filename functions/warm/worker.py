"""The worker: warms one tile within its time, verifies what it warmed, and retries failures that may be temporary."""

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from prewarm.fetcher.fetcher import Fetcher
from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.results.batch_result import BatchResult
from prewarm.results.classify import classify
from prewarm.results.outcome import RETRIED, Outcome
from prewarm.storage.ledger_items import Control
from warm.circuit_breaker import SLOWED_RPS, CircuitBreakers
from warm.cursor import FETCHED, Cursor
from warm.dark_pops import DarkPops
from warm.limits import Invocation, Limits
from warm.rate_limiter import RateLimiter
from warm.recorder import Recorder
from warm.stop_rules import StopReason, StopRules
from warm.tile import Target, Tile
from warm.verification import Verification, is_hit_in_pop

TRIES = 3
# First pause before a retry in seconds; doubled each time, with jitter so that retries do not come in waves.
FIRST_PAUSE = 0.2
# A fetch that took this share of a worker's whole time will not fit into the next worker's either.
ENDLESS_SHARE = 0.9
# After the first Miss, a second one is enough where the distribution's settings, or the verification of another
# target of the URL, show that no copy is kept.
MISSES_IF_UNCACHEABLE = 2


@dataclass(frozen=True)
class WorkerResult:
    """The result of one part of a batch; `cursor` is None when the batch is finished."""

    batch_result: BatchResult
    records: bytes
    cursor: Cursor | None


class Worker:
    """Warms one tile, as far as the limits allow.

    `breakers` starts with the hosts that other workers of the run have reported; `read_control` reads the run's
    control item. `stop.reason` is why it stopped before its tile was finished.
    """

    def __init__(
        self,
        tile: Tile,
        recorder: Recorder,
        fetcher: Fetcher,
        limits: Limits,
        invocation: Invocation,
        breakers: CircuitBreakers,
        read_control: Callable[[], Control],
    ) -> None:
        self._tile, self._recorder, self._fetcher = tile, recorder, fetcher
        self._limits, self._invocation, self._breakers = limits, invocation, breakers
        self._rate_limiter = RateLimiter(limits.rps, SLOWED_RPS)
        self._verification = Verification(tile)
        self._dark_pops = DarkPops()
        self.stop = StopRules(limits, invocation.redrives, read_control, self._on_control)
        self._requeue: Callable[[Fetch], None] = fetcher.requeue
        self._progress: dict[int, int] = {}

    def run(self) -> WorkerResult:
        """Warm the unfinished targets of the tile, once; where the run has ended, return what was fetched by then."""
        unfinished = self._fetch_all()
        # The end of a verification may ask for that of another target; nothing is fetched any more.
        self._requeue = unfinished.append
        while unfinished:
            self._leave_unfinished(unfinished.popleft())
        for fetch, response in self._verification.release_all():
            # Fetched completely, and no verification has contradicted it.
            self._record(fetch.owner, response, Outcome.WARMED, "")
        part = self._invocation.part
        result = self._recorder.result(part, self._invocation.gb_milliseconds(), self._invocation.redrives)
        cursor = None if result.finished else Cursor(part + 1, bytes(self._tile.done), self._progress)
        return WorkerResult(result, self._recorder.records(), cursor)

    def _fetch_all(self) -> deque[Fetch]:
        """Fetch until the tile is finished or the worker has to stop; returns the unfinished fetches.

        At the run's deadline these are all that are left, as no other worker follows.
        """
        queues: list[PopQueue] = []
        for pop, queue in enumerate(self._tile.queues):
            if queue is not None:
                queue.feed = self._tile.feed(pop, queue)
                queues.append(queue)
                continue
            for target in self._tile.targets(pop):
                self._finish(target, Response(), Outcome.UNRESOLVED_POP, "the POP's name has no usable address")
        unfinished = deque(
            self._fetcher.run(
                (),
                self._on_response,
                queues=queues,
                should_stop=self.stop.should_stop,
                admit=self._admit,
                max_bytes=self._limits.max_bytes,
            )
        )
        if self.stop.reason is StopReason.DEADLINE:
            unfinished.extend(fetch for queue in queues for fetch in queue.remaining())
        return unfinished

    def _on_control(self, control: Control) -> None:
        self._breakers.open_all(control.open_hosts)

    def _admit(self, fetch: Fetch) -> float | None:
        """Return how long a fetch has to wait, or finish its target and return None where its host is open."""
        target: Target = fetch.owner
        if self._breakers.open and self._tile.hosts[target.url] in self._breakers.open:
            if target.first is not None:
                self._finish(
                    target, target.first, Outcome.WARMED, "not verified: the origin of its host is overloaded"
                )
            else:
                self._finish(target, Response(), Outcome.ORIGIN_OVERLOAD, "not fetched: the origin failed too often")
            return None
        return self._rate_limiter.acquire(time.monotonic(), slowed=self._breakers.slowed)

    def _leave_unfinished(self, fetch: Fetch) -> None:
        """Finish a target whose fetch was cut short by the worker's end, or leave it to the next worker."""
        target: Target = fetch.owner
        if self.stop.reason is StopReason.DEADLINE:
            if target.first is not None and target.misses == 1:
                detail = "not verified: the run's deadline passed first"
                self._finish(target, target.first, Outcome.WARMED, detail)
            else:
                self._finish(target, Response(), Outcome.DEADLINE, "the run's deadline passed")
        else:
            elapsed = time.monotonic() - fetch.started if fetch.started else 0.0
            endless = ENDLESS_SHARE * self._limits.own_seconds
            if target.first is None and elapsed >= endless:
                self._finish(target, Response(), Outcome.TIMEOUT, f"still incomplete after {elapsed:.0f} s")
            elif target.first is not None and elapsed and elapsed + target.first.total_ms / 1000 >= endless:
                # Fetch and verification do not fit into one worker's time: the next worker would start both again.
                detail = "not verified: a second fetch does not fit into a worker's time"
                self._finish(target, target.first, Outcome.WARMED, detail)
            elif target.first is not None or target.fetched:
                self._progress[target.number] = FETCHED
            elif target.tries:
                self._progress[target.number] = min(target.tries, TRIES - 1)

    def _on_response(self, fetch: Fetch, response: Response) -> float | None:
        """Classify a response; returns None when its target is finished or held, or the seconds until a retry."""
        target: Target = fetch.owner
        fetch.started = 0.0
        target.tries += 1
        target.bytes += response.bytes
        outcome, detail = classify(response, self._tile.pops[target.pop], self._tile.variants[target.variant])
        if self._dark_pops.record(target.pop, outcome):
            for waiting in fetch.queue.remaining():
                self._finish(waiting.owner, Response(), Outcome.CONNECT_ERROR, "not fetched: the POP is dark")
        if target.tries == 1:
            # Retries repeat what failed: they would make a few bad pages look like an overloaded origin.
            self._breakers.record(self._tile.hosts[target.url], target.url, response, outcome, time.monotonic())
        if outcome is Outcome.WARMED:
            if self._verification.is_due(target, response):
                return self._verify(fetch, target, response)
            if not self._verification.hold(fetch, response):
                self._finish(target, response, outcome, detail)
            return None
        if outcome is Outcome.ALREADY_WARM:
            if target.verify and not is_hit_in_pop(response):
                return self._verify(fetch, target, response)
            fetched_before = target.first is not None or target.fetched
            outcome = Outcome.WARMED if fetched_before else outcome
            self._finish(target, target.first or response, outcome, "", verified=True)
            return None
        pause = self._retry_pause(target, outcome)
        if pause is None:
            self._finish(target, response, outcome, detail)
        else:
            fetch.address += 1
        return pause

    def _retry_pause(self, target: Target, outcome: Outcome) -> float | None:
        """Return the seconds until a failed target is tried again, or None where a retry is useless."""
        tries = target.tries - target.misses
        if outcome not in RETRIED or tries >= TRIES or self._dark_pops.is_dark(target.pop):
            return None
        pause = FIRST_PAUSE * 2 ** (target.tries - 1)
        if outcome is Outcome.SERVER_ERROR:
            pause = self._limits.error_cache_seconds
        return float(pause * random.uniform(1.0, 1.5))  # noqa: S311 - jitter needs no secrecy

    def _verify(self, fetch: Fetch, target: Target, response: Response) -> float | None:
        """Return the seconds until the target is fetched again, or None after too many Misses.

        Only a Hit proves that the POP kept the object. The first repetition is immediate and at the same address; a
        POP has several cache servers, so a second Miss is followed by a fetch at another address.
        """
        target.first = target.first or response
        target.misses += 1
        reason = self._tile.uncacheable.get(target.url, "")
        uncacheable = reason or self._verification.found_no_copy(target)
        if target.misses >= (MISSES_IF_UNCACHEABLE if uncacheable else TRIES + 1):
            outcome = Outcome.NOT_CACHEABLE if reason else Outcome.UNPROVEN
            header = f"Cache-Control: {response.cache_control}" if response.cache_control else ""
            detail = "; ".join(filter(None, (f"{target.misses} fetches without a Hit", reason, header)))
            self._finish(target, response, outcome, detail)
            return None
        if target.misses == 1:
            return 0.0
        fetch.address += 1
        return float(FIRST_PAUSE * 2 ** (target.misses - 2))

    def _finish(
        self, target: Target, response: Response, outcome: Outcome, detail: str, *, verified: bool = False
    ) -> None:
        """Finish a target, and the held targets that its verification decides."""
        self._record(target, response, outcome, detail, verified=verified)
        if not target.verify:
            return
        failed = outcome in {Outcome.UNPROVEN, Outcome.NOT_CACHEABLE}
        cached = True if verified else False if failed else None
        warm, to_verify = self._verification.complete(target, cached=cached)
        for fetch, first in warm:
            self._record(fetch.owner, first, Outcome.WARMED, "")
        for fetch in to_verify:
            self._requeue(fetch)

    def _record(
        self, target: Target, response: Response, outcome: Outcome, detail: str, *, verified: bool = False
    ) -> None:
        self._tile.mark_done(target.number)
        self._recorder.record(target, response, outcome, detail, verified=verified)
