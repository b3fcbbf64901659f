"""The worker: warms one tile within its time, verifies what it warmed, and retries failures that may be temporary."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from prewarm.fetcher.fetcher import Fetcher
from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.results.batch_result import BatchResult
from prewarm.results.classify import classify
from prewarm.results.outcome import SILENT, Outcome
from prewarm.storage.ledger_items import Control
from warm.carriers import Carriers
from warm.circuit_breaker import SLOWED_RPS, CircuitBreakers
from warm.cursor import Cursor
from warm.dark_pops import NO_RESPONSE, DarkPops
from warm.judge import FIRST_PAUSE, Judged
from warm.limits import Invocation, Limits
from warm.proof import warm_outcome
from warm.rate_limiter import RateLimiter
from warm.recorder import Recorder
from warm.regional import judge_of
from warm.retries import TRIES, Retries, progress_of, tries_of
from warm.stop_rules import StopReason, StopRules
from warm.target import Target
from warm.tile import Tile
from warm.verification import Verification

# A fetch that took this share of a worker's whole time will not fit into the next worker's time either.
ENDLESS_SHARE = 0.9
COMPLETE = frozenset({Outcome.WARMED, Outcome.ALREADY_WARM})
EDGE_OR_ORIGIN = "by the edge or the origin"


@dataclass(frozen=True)
class WorkerResult:
    """The result of one part of a batch: `cursor` is None at its end, `separate_pops` are those newly found."""

    batch_result: BatchResult
    records: bytes
    cursor: Cursor | None
    separate_pops: frozenset[str] = frozenset()


class Worker:
    """Warms one tile, as far as the limits allow.

    `breakers` and `dark_pops` start with the hosts and POPs that other workers of the run have reported;
    `read_control` reads the run's control item. `stop.reason` is why it stopped before its tile was finished.
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
        dark_pops: DarkPops,
    ) -> None:
        self._tile, self._recorder, self._fetcher = tile, recorder, fetcher
        self._limits, self._invocation, self._breakers = limits, invocation, breakers
        shared = limits.shared and limits.shared(lambda: tile.unfinished - fetcher.active)
        self._rate_limiter = RateLimiter(limits.rps, SLOWED_RPS, shared)
        self._carriers = Carriers.of(tile, dark_pops.dark)
        self._verification = Verification(tile, self._carriers)
        began = time.monotonic() - limits.run_age
        self._judge = judge_of(
            tile, self._verification, self._carriers, recorder.plan.invalidate, lambda: time.monotonic() - began
        )
        breakers.pops = len(recorder.plan.groups[tile.batch.group].pops)
        self._dark_pops = dark_pops
        self.stop = StopRules(limits, invocation.redrives, read_control, self._on_control)
        self._retries = Retries(tile, limits, self.stop, dark_pops.dark)
        self._requeue: Callable[[Fetch], None] = fetcher.requeue
        self._progress: dict[int, int] = {}

    def run(self) -> WorkerResult:
        """Warm the unfinished targets of the tile, once; if the run has ended, return what was fetched by then."""
        unfinished = self._fetch_all()
        # The end of one verification may require another target's; nothing is fetched any more.
        self._requeue = unfinished.append
        while unfinished:
            self._leave_unfinished(unfinished.popleft())
        for fetch, response in self._verification.release_all():
            fetch.owner.first, fetch.started = response, 0.0
            self._leave_unfinished(fetch)
        part = self._invocation.part
        servers = self._verification.servers.packed()
        result = self._recorder.result(part, self._invocation.gb_milliseconds(), self._invocation.redrives, servers)
        cursor = None if result.finished else Cursor(part + 1, bytes(self._tile.done), self._progress)
        return WorkerResult(result, self._recorder.records(), cursor, self._verification.new_separate_pops())

    def _fetch_all(self) -> deque[Fetch]:
        """Fetch until the tile is finished or the worker has to stop; returns the unfinished fetches.

        At the run's deadline these are all that are left, because no other worker follows.
        """
        queues: list[PopQueue] = []
        for pop, queue in enumerate(self._tile.queues):
            if queue is not None:
                queue.feed = self._tile.feed(pop, queue)
                queues.append(queue)
                continue
            for target in self._tile.targets(pop):
                self._finish(target, Response(), Outcome.UNRESOLVED_POP, "the POP's name has no usable address")
        queues += [queue for area in self._tile.carriers for _, queue in area[1:]]
        samples: list[Fetch] = []
        while True:
            unfinished = deque(
                self._fetcher.run(
                    samples,
                    self._on_response,
                    queues=queues,
                    should_stop=self.stop.should_stop,
                    admit=self._admit,
                    max_bytes=self._limits.max_bytes,
                )
            )
            # Nothing is left to fetch: targets that are still held need proofs of their own URLs and POPs.
            if self.stop.reason or not (samples := self._verification.next_samples()):
                break
        if self.stop.reason is StopReason.DEADLINE:
            unfinished.extend(fetch for queue in queues for fetch in queue.remaining())
        return unfinished

    def _on_control(self, control: Control) -> None:
        self._breakers.open_all(control.open_hosts)
        if control.dark_pops:
            for pop in self._dark_pops.learn(dict(control.dark_pops)):
                self._leave_pop(pop)

    def _admit(self, fetch: Fetch) -> float | None:
        """Return how long a fetch has to wait; if its host's breaker is open, finish its target and return None."""
        target: Target = fetch.owner
        if self._breakers.open and self._tile.hosts[target.url] in self._breakers.open:
            self._give_up(target, Outcome.ORIGIN_OVERLOAD, "the origin failed too often")
            return None
        if self._dark_pops.dark and (outcome := self._dark_pops.dark.get(self._tile.pop_of(target))):
            self._leave(fetch, Outcome(outcome))
            return None
        return self._rate_limiter.acquire(time.monotonic(), slowed=self._breakers.slowed)

    def _leave(self, fetch: Fetch, outcome: Outcome) -> None:
        """Give a dark POP's fetch to the next POP of its area, or give up on its target."""
        target: Target = fetch.owner
        if self._carriers and self._carriers.move(fetch):
            self._requeue(fetch)
        else:
            outcome = self._carriers.outcome_of(target, outcome) if self._carriers else outcome
            self._give_up(target, outcome, "the POP is dark")

    def _give_up(self, target: Target, outcome: Outcome, why: str) -> None:
        """Finish a target that is not fetched (again): it is warm only where proofs of its URL and POP exist."""
        if target.first is None:
            self._finish(target, Response(), outcome, f"not fetched: {why}")
        elif self._verification.believes(target):
            self._finish(target, target.first, warm_outcome(target, target.first), "")
        else:
            self._finish(target, target.first, outcome, f"fetched, but not verified: {why}")

    def _leave_unfinished(self, fetch: Fetch) -> None:
        """Finish a target whose fetch was cut short by the worker's end, or leave it to the next worker."""
        target: Target = fetch.owner
        if self.stop.reason is StopReason.DEADLINE:
            self._give_up(target, Outcome.DEADLINE, "the run's deadline passed")
        else:
            elapsed = time.monotonic() - fetch.started if fetch.started else 0.0
            endless = ENDLESS_SHARE * self._limits.own_seconds
            if target.first is None and elapsed >= endless:
                self._finish(target, Response(), Outcome.TIMEOUT, f"still incomplete after {elapsed:.0f} s")
            elif target.first is not None and elapsed and elapsed + target.first.total_ms / 1000 >= endless:
                # Fetch and verification do not fit into one worker's time: the next worker would start both again.
                self._give_up(target, Outcome.UNPROVEN, "a second fetch does not fit into a worker's time")
            else:
                self._recorder.count_fetches(target)
                if progress := progress_of(target):
                    self._progress[target.number] = progress

    def _on_response(self, fetch: Fetch, response: Response) -> float | None:
        """Classify a response; returns None when its target is finished or held, or the seconds until a retry."""
        target: Target = fetch.owner
        fetch.started = 0.0
        target.tries += 1
        target.bytes += response.bytes
        outcome, detail = classify(response, self._tile.pop_of(target), self._tile.variant_of(target))
        if fetch.queue.suspected or outcome in NO_RESPONSE:
            self._watch_pop(fetch, response, outcome)
        error_page = outcome is Outcome.SERVER_ERROR and response.status in self._tile.error_pages
        if target.tries == 1 and not (response.hit or error_page):
            # Retries repeat what failed: they would make a few bad pages look like an overloaded origin.
            host = self._tile.hosts[target.url]
            self._breakers.record(host, target.url, target.pop, response, outcome, time.monotonic())
        if outcome in COMPLETE or outcome is Outcome.ERROR_PAGE:
            copy = outcome in COMPLETE
            judged = self._judge.copy(fetch, response, outcome) if copy else self._judge.error_page(target, response)
            if judged.outcome is not None:
                self._settle(target, judged, judged.outcome)
            return judged.pause
        target.broke_off |= response.answered and outcome is not Outcome.WRONG_POP
        if outcome is Outcome.BLOCKED:
            detail = f"{detail}; {self._tile.refusals.get(target.url) or EDGE_OR_ORIGIN}"
        pause, why_not = self._retries.pause(target, outcome, response)
        if self._carriers and outcome in SILENT:
            # A time-out may be the origin's fault, so it gets no more tries than other failures, whatever the POP.
            if (outcome is not Outcome.TIMEOUT or tries_of(target) < TRIES) and self._carriers.move(fetch):
                return FIRST_PAUSE
            if pause is None and (left := self._carriers.outcome_of(target, outcome)) is not outcome:
                response, outcome = target.first or response, left
        if pause is None:
            self._finish(target, response, outcome, "; ".join(filter(None, (detail, why_not))))
        else:
            fetch.address += 1
        return pause

    def _watch_pop(self, fetch: Fetch, response: Response, outcome: Outcome) -> None:
        """Fetch one target at a time from a POP that may have fallen silent, and give up on it once it is dark."""
        target: Target = fetch.owner
        name = self._tile.pop_of(target)
        dark = self._dark_pops.record(name, outcome, response, fresh=fetch.fresh)
        fetch.queue.suspected = self._dark_pops.is_suspected(name)
        # A retry gets a new connection: the old one may be dead although it looks open.
        fetch.fresh = fetch.queue.suspected
        if dark:
            self._leave_pop(name)

    def _leave_pop(self, name: str) -> None:
        """Finish all targets of a dark POP, or give them to the next one of its area."""
        queue, outcome = self._tile.queue_of(name), Outcome(self._dark_pops.dark[name])
        if queue is not None:
            for waiting in chain(self._fetcher.abandon(queue), queue.remaining()):
                self._leave(waiting, outcome)

    def _finish(self, target: Target, response: Response, outcome: Outcome, detail: str) -> None:
        self._settle(target, Judged(response, outcome, detail), outcome)

    def _settle(self, target: Target, judged: Judged, outcome: Outcome) -> None:
        """Finish a target, and the held targets that its verification decides."""
        self._record(target, judged, outcome)
        copy_found = judged.verified and not judged.response.x_cache.startswith("Error ")
        if self._tile.verify == "none" or not (target.verify or copy_found):
            return
        failed = outcome in {Outcome.UNPROVEN, Outcome.NOT_CACHEABLE, Outcome.STALE}
        proven = True if copy_found else False if failed else None
        believed, to_verify = self._verification.complete(target, proven=proven)
        for fetch, first in believed:
            self._record(fetch.owner, Judged(first), warm_outcome(fetch.owner, first))
        for fetch in to_verify:
            self._requeue(fetch)

    def _record(self, target: Target, judged: Judged, outcome: Outcome) -> None:
        self._tile.mark_done(target.number)
        self._recorder.record(
            target, judged.response, outcome, judged.detail, verified=judged.verified, named=judged.named
        )
