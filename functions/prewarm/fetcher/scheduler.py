"""The scheduler of one run of the fetcher: which fetches are active, which wait for a slot, which for a time.

The number of active fetches is bounded, because libcurl counts time spent in its own queue as the request's
(measured, docs/architecture.md).
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pycurl

from prewarm.fetcher.curl import MAX_CONNECTIONS, CurlPool
from prewarm.fetcher.stalled import TIMED_OUT, drop_stalled_connection
from prewarm.fetcher.transfer import (
    BROKEN_CONNECTION,
    CONNECTIONS_PER_POP,
    SHARED_BREAK,
    Admit,
    Fetch,
    OnResponse,
    PopQueue,
    read_response,
)

STREAMS_PER_CONNECTION = 50
MAX_ACTIVE = 2_000
# A fetch whose connection broke this often while others shared it is made alone from then on: either it breaks
# connections, which then shows, or it is separated from the fetch that does. Only a break on an unshared connection
# counts as the fetch's own.
MAX_SHARED_BREAKS = 2
PAUSE_AFTER_BREAK = 0.1
# The longest sleep before the scheduler checks the clock and `should_stop` again.
MAX_SLEEP_SECONDS = 0.25


class Scheduler:
    """One run: starts fetches, one queue after the other, passes on responses, and retries."""

    def __init__(
        self,
        pool: CurlPool,
        on_response: OnResponse,
        max_bytes: int | None,
        queues: dict[PopQueue, None],
        admit: Admit | None,
    ) -> None:
        self._pool, self._on_response, self._max_bytes = pool, on_response, max_bytes
        self._queues, self._admit = queues, admit
        self._paused_until = 0.0
        self._ready: deque[PopQueue] = deque(queues)
        self._in_ready: set[PopQueue] = set(queues)
        self._delayed: list[tuple[float, int, Fetch, bool]] = []
        self._order = itertools.count()
        self._active: set[Any] = set()
        # When each connection last answered, by libcurl's number of the connection.
        self._answered: dict[int, float] = {}
        connections = max(1, min(CONNECTIONS_PER_POP, MAX_CONNECTIONS // max(1, len(queues))))
        self._streams = max(connections, min(STREAMS_PER_CONNECTION, MAX_ACTIVE // max(1, len(queues))))
        for queue in queues:
            queue.max_active = self._streams if queue.multiplexed else connections

    def run(self, should_stop: Callable[[], bool]) -> list[Fetch]:
        """Fetch until no fetch is left or `should_stop` returns True; returns the unfinished fetches."""
        while self._active or self._ready or self._delayed:
            if should_stop():
                break
            self._queue_due()
            self._start_ready()
            if not self._active:
                # With no socket to watch, libcurl's select returns at once: a core would spin until a retry is due.
                if self._ready or self._delayed:
                    time.sleep(self._sleep_seconds())
                continue
            for curl, error, text in self._pool.step(self._sleep_seconds()):
                # A callback may have abandoned it in the meantime.
                if curl in self._active:
                    self._finish(curl, error, text)
        waiting = [fetch for queue in self._queues for fetch in (*queue.waiting, *queue.draining)]
        return [curl.fetch for curl in self._active] + waiting + [entry[2] for entry in self._delayed]

    @property
    def active(self) -> int:
        """Return the number of active fetches."""
        return len(self._active)

    def close(self) -> None:
        """Release all handles, including those of unfinished fetches."""
        for curl in self._active:
            self._pool.release(curl)
        self._active.clear()

    def requeue(self, fetch: Fetch) -> None:
        """Append a fetch to its queue, which must be one of this run's."""
        fetch.queue.waiting.append(fetch)
        self._mark_ready(fetch.queue)

    def abandon(self, queue: PopQueue) -> list[Fetch]:
        """Drop a queue's active and delayed fetches, without a call of the callback; returns them."""
        dropped = [curl for curl in self._active if curl.fetch.queue is queue]
        fetches = [curl.fetch for curl in dropped]
        for curl in dropped:
            self._active.discard(curl)
            self._pool.release(curl)
            queue.active -= 1
        fetches += [entry[2] for entry in self._delayed if entry[2].queue is queue]
        self._delayed = [entry for entry in self._delayed if entry[2].queue is not queue]
        heapq.heapify(self._delayed)
        fetches += queue.draining
        queue.draining.clear()
        queue.exclusive = False
        return fetches

    def _sleep_seconds(self) -> float:
        now = time.monotonic()
        until_due = max(0.0, self._delayed[0][0] - now) if self._delayed else MAX_SLEEP_SECONDS
        return min(MAX_SLEEP_SECONDS, until_due, self._paused_until - now if self._paused_until > now else 1.0)

    def _queue_due(self) -> None:
        """Append the delayed fetches that are due to their queues."""
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, _, fetch, drain = heapq.heappop(self._delayed)
            if drain and fetch.queue.active:
                fetch.queue.draining.append(fetch)
            else:
                self.requeue(fetch)

    def _mark_ready(self, queue: PopQueue) -> None:
        if queue not in self._in_ready:
            self._in_ready.add(queue)
            self._ready.append(queue)

    def _start_ready(self) -> None:
        """Start all fetches that have a slot, one per queue and round, so that every POP gets its share."""
        if self._paused_until > time.monotonic():
            return
        while self._ready and len(self._active) < MAX_ACTIVE:
            queue = self._ready.popleft()
            if (
                queue.active >= (1 if queue.exclusive or queue.suspected else queue.max_active)
                or queue.draining
                or not (fetch := queue.next_fetch())
            ):
                self._in_ready.discard(queue)
            elif fetch.shared_breaks >= MAX_SHARED_BREAKS and queue.active:
                # It may be the fetch that breaks connections: it waits until it can be made alone.
                queue.waiting.appendleft(fetch)
                self._in_ready.discard(queue)
            else:
                self._ready.append(queue)
                if not self._start(queue, fetch):
                    return

    def _start(self, queue: PopQueue, fetch: Fetch) -> bool:
        """Start a fetch if it is admitted; returns False where no fetch may start for now."""
        wait = self._admit(fetch) if self._admit else 0.0
        if wait is None:
            return True
        if wait > 0:
            queue.waiting.appendleft(fetch)
            self._paused_until = time.monotonic() + wait
            return False
        queue.starts += 1
        queue.exclusive = fetch.shared_breaks >= MAX_SHARED_BREAKS
        fetch.alone_at_start = -1 if queue.active else queue.starts
        queue.active += 1
        self._active.add(self._pool.start(fetch, self._max_bytes))
        return True

    def _finish(self, curl: Any, error: int, text: str) -> None:  # noqa: ANN401 - pycurl has no types
        """Pass a finished fetch's response to the callback, and schedule the retry that it asks for."""
        fetch: Fetch = curl.fetch
        queue = fetch.queue
        response = read_response(curl, fetch, error, text)
        if (
            not error
            and not queue.multiplexed
            and curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
        ):
            queue.multiplexed, queue.max_active = True, self._streams
        self._active.discard(curl)
        if not error:
            self._answered[curl.getinfo(pycurl.CONN_ID)] = time.monotonic()
        elif error == TIMED_OUT and self._answered.get(curl.getinfo(pycurl.CONN_ID), 0.0) < fetch.started:
            # A connection that answered others in the meantime is not dead: only this response is slow.
            drop_stalled_connection(curl, self._active)
        self._pool.release(curl)
        queue.active -= 1
        queue.exclusive = queue.exclusive and queue.active > 0
        if error in SHARED_BREAK and fetch.alone_at_start != queue.starts and fetch.shared_breaks < MAX_SHARED_BREAKS:
            # Another stream may have broken the connection, so this is not a response to this fetch.
            fetch.shared_breaks += 1
            fetch.started = 0.0
            delay: float | None = PAUSE_AFTER_BREAK
        else:
            delay = self._on_response(fetch, response)
        if delay is not None:
            due = time.monotonic() + delay
            heapq.heappush(self._delayed, (due, next(self._order), fetch, error in BROKEN_CONNECTION))
        if not queue.active and queue.draining:
            queue.waiting.extend(queue.draining)
            queue.draining.clear()
        if queue.waiting or not queue.exhausted:
            self._mark_ready(queue)
