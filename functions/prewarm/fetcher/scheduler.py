"""One flight of the fetching engine: what flies, what waits for its queue, what waits for its time."""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pycurl

from prewarm.fetcher.transfer import (
    BROKEN_CONNECTION,
    CONNECTIONS_PER_LANE,
    SHARED_BREAK,
    Admit,
    Fetch,
    OnAnswer,
    PopQueue,
    read_answer,
)

if TYPE_CHECKING:
    from prewarm.fetcher.fetcher import Fetcher

# Lambda gives a function 1,024 file descriptors; each connection takes one (and about 90 KB), the rest is for AWS
# clients, DNS and files.
MOST_CONNECTIONS = 800
STREAMS_PER_CONNECTION = 50
MOST_IN_FLIGHT = 2_000
# A fetch whose connection broke this often while others shared it is made alone from then on: either it breaks
# connections, which is then seen, or it is rid of the one that does. Only what happens alone counts as its own.
BREAKS_IN_COMPANY = 2
PAUSE_AFTER_BREAK = 0.1
# How long the engine sleeps at the most before it looks at the clock and at `halt` again.
LONGEST_SLEEP_SECONDS = 0.25


class Flight:
    """One call of `Fetcher.run`."""

    def __init__(
        self,
        fetcher: "Fetcher",
        on_answer: OnAnswer,
        max_bytes: int | None,
        queues: dict[PopQueue, None],
        admit: Admit | None,
        again: deque[Fetch],
    ) -> None:
        self._fetcher, self._on_answer, self._max_bytes = fetcher, on_answer, max_bytes
        self._lanes, self._admit, self._again = queues, admit, again
        self._not_before = 0.0
        self._ready: deque[PopQueue] = deque(queues)
        self._queued: set[PopQueue] = set(queues)
        self._later: list[tuple[float, int, Fetch, bool]] = []
        self._order = itertools.count()
        self._flying: set[Any] = set()
        connections = max(1, min(CONNECTIONS_PER_LANE, MOST_CONNECTIONS // max(1, len(queues))))
        self._streams = max(connections, min(STREAMS_PER_CONNECTION, MOST_IN_FLIGHT // max(1, len(queues))))
        for queue in queues:
            queue.most_flying = self._streams if queue.multiplexed else connections

    def fly(self, halt: Callable[[], bool]) -> list[Fetch]:
        """Fetch until nothing is left or `halt` says stop; returns what was left."""
        while self._flying or self._ready or self._later or self._again:
            if halt():
                break
            self._wake()
            self._start_all()
            if not self._flying:
                # With no socket to watch, libcurl's select returns at once: a core would burn until a retry is due.
                if self._ready or self._later:
                    time.sleep(self._sleep())
                continue
            for curl, error, text in self._fetcher.step(self._sleep()):
                self._finish(curl, error, text)
        waiting = [fetch for queue in self._lanes for fetch in (*queue.waiting, *queue.parked)]
        return [curl.fetch for curl in self._flying] + waiting + [entry[2] for entry in self._later] + [*self._again]

    def land(self) -> None:
        """Let go of all handles, those of unfinished fetches too."""
        for curl in self._flying:
            self._fetcher.release(curl)
        self._flying.clear()

    def _sleep(self) -> float:
        now = time.monotonic()
        until_later = max(0.0, self._later[0][0] - now) if self._later else LONGEST_SLEEP_SECONDS
        return min(LONGEST_SLEEP_SECONDS, until_later, self._not_before - now if self._not_before > now else 1.0)

    def _wake(self) -> None:
        """Queue the fetches whose time has come, and those that were asked for meanwhile."""
        while self._again:
            fetch = self._again.popleft()
            fetch.queue.waiting.append(fetch)
            self._queue(fetch.queue)
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, _, fetch, drain = heapq.heappop(self._later)
            if drain and fetch.queue.flying:
                fetch.queue.parked.append(fetch)
            else:
                fetch.queue.waiting.append(fetch)
                self._queue(fetch.queue)

    def _queue(self, queue: PopQueue) -> None:
        if queue not in self._queued:
            self._queued.add(queue)
            self._ready.append(queue)

    def _start_all(self) -> None:
        """Start what may fly, one fetch per queue and round, so that all POPs get their share."""
        if self._not_before > time.monotonic():
            return
        while self._ready and len(self._flying) < MOST_IN_FLIGHT:
            queue = self._ready.popleft()
            if (
                queue.flying >= (1 if queue.alone else queue.most_flying)
                or queue.parked
                or not (fetch := queue.next())
            ):
                self._queued.discard(queue)
            elif fetch.breaks >= BREAKS_IN_COMPANY and queue.flying:
                # It may be the one that breaks connections: it waits until it can fly alone.
                queue.waiting.appendleft(fetch)
                self._queued.discard(queue)
            else:
                self._ready.append(queue)
                if not self._start(queue, fetch):
                    return

    def _start(self, queue: PopQueue, fetch: Fetch) -> bool:
        """Start a fetch if it is admitted; says False where nothing may start for now."""
        wait = self._admit(fetch) if self._admit else 0.0
        if wait is None:
            return True
        if wait > 0:
            queue.waiting.appendleft(fetch)
            self._not_before = time.monotonic() + wait
            return False
        queue.starts += 1
        queue.alone = fetch.breaks >= BREAKS_IN_COMPANY
        fetch.company = -1 if queue.flying else queue.starts
        queue.flying += 1
        self._flying.add(self._fetcher.start(fetch, self._max_bytes))
        return True

    def _finish(self, curl: Any, error: int, text: str) -> None:  # noqa: ANN401 - pycurl has no types
        fetch: Fetch = curl.fetch
        queue = fetch.queue
        response = read_answer(curl, fetch, error, text)
        if (
            not error
            and not queue.multiplexed
            and curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
        ):
            queue.multiplexed, queue.most_flying = True, self._streams
        self._flying.discard(curl)
        self._fetcher.release(curl)
        queue.flying -= 1
        queue.alone = queue.alone and queue.flying > 0
        if error in SHARED_BREAK and fetch.company != queue.starts and fetch.breaks < BREAKS_IN_COMPANY:
            # Another stream may have broken the connection: that is no response to this one.
            fetch.breaks += 1
            fetch.started = 0.0
            again: float | None = PAUSE_AFTER_BREAK
        else:
            again = self._on_answer(fetch, response)
        if again is not None:
            heapq.heappush(
                self._later, (time.monotonic() + again, next(self._order), fetch, error in BROKEN_CONNECTION)
            )
        if not queue.flying and queue.parked:
            queue.waiting.extend(queue.parked)
            queue.parked.clear()
        if queue.waiting or not queue.fed:
            self._queue(queue)
