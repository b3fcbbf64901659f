"""The scheduler of one run of the fetcher: which fetches are active, which wait for a slot, which for a time.

The number of active fetches is bounded, because libcurl counts time spent in its own queue as the request's
(measured, docs/architecture.md).
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pycurl import CONN_ID, CURL_HTTP_VERSION_2_0, INFO_HTTP_VERSION

from prewarm.fetcher.curl import MAX_CONNECTIONS, CurlPool, Handle
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

if TYPE_CHECKING:
    from prewarm.fetcher.response import Response

OK = 200
STREAMS_PER_CONNECTION = 50
MAX_ACTIVE = 2_000
# Until the first response, requests are sent after this many starts: while the edge works on them, the next ones are
# prepared. Later it would cost more than it gains, because each call of libcurl looks at all active fetches.
FIRST_STARTS = 250
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
        self._active: set[Handle] = set()
        # Complete responses that the callback has not received yet.
        self._unjudged: list[tuple[Fetch, Response]] = []
        # When each connection last answered, by libcurl's number of the connection.
        self._answered: dict[int, float] = {}
        self._began: float | None = None
        connections = max(1, min(CONNECTIONS_PER_POP, MAX_CONNECTIONS // max(1, len(queues))))
        self._streams = max(connections, min(STREAMS_PER_CONNECTION, MAX_ACTIVE // max(1, len(queues))))
        for queue in queues:
            queue.max_active = self._streams if queue.multiplexed else connections

    def run(self, should_stop: Callable[[], bool]) -> list[Fetch]:
        """Fetch until no fetch is left or `should_stop` returns True; returns the unfinished fetches."""
        while self._active or self._ready or self._delayed or self._unjudged:
            if should_stop():
                break
            self._queue_due()
            more = self._start_ready()
            if not self._active and not self._unjudged:
                # With no socket to watch, libcurl's select returns at once: a core would spin until a retry is due.
                if self._ready or self._delayed:
                    time.sleep(self._sleep_seconds())
                continue
            if self._began is None:
                self._began = time.monotonic()
            self._pool.perform()
            # The requests that have just started are on their way while the last responses are judged.
            judged = self._judge()
            for handle, error, text in self._pool.finished(0.0 if judged or more else self._sleep_seconds()):
                # A callback may have abandoned it in the meantime.
                if handle in self._active:
                    self._finish(handle, error, text)
        self._judge()
        waiting = [fetch for queue in self._queues for fetch in (*queue.waiting, *queue.draining)]
        return [handle.fetch for handle in self._active] + waiting + [entry[2] for entry in self._delayed]

    def span(self) -> tuple[float, float] | None:
        """Return when the first fetch started and the last complete response came, in monotonic seconds, if any."""
        return None if self._began is None or not self._answered else (self._began, max(self._answered.values()))

    @property
    def active(self) -> int:
        """Return the number of active fetches."""
        return len(self._active)

    def close(self) -> None:
        """Release all handles, including those of unfinished fetches."""
        for handle in self._active:
            self._pool.release(handle)
        self._active.clear()

    def requeue(self, fetch: Fetch) -> None:
        """Append a fetch to its queue, which must be one of this run's."""
        fetch.queue.waiting.append(fetch)
        self._mark_ready(fetch.queue)

    def abandon(self, queue: PopQueue) -> list[Fetch]:
        """Drop a queue's active and delayed fetches, without a call of the callback; returns them."""
        dropped = [handle for handle in self._active if handle.fetch.queue is queue]
        fetches = [handle.fetch for handle in dropped]
        for handle in dropped:
            self._active.discard(handle)
            self._pool.release(handle)
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

    def _start_ready(self) -> bool:
        """Start fetches that have a slot, one per queue and round, so that every POP gets its share.

        Returns whether it stopped at FIRST_STARTS, so that more can start at once.
        """
        if self._paused_until > time.monotonic():
            return False
        most = MAX_ACTIVE if self._answered else min(MAX_ACTIVE, len(self._active) + FIRST_STARTS)
        while self._ready and len(self._active) < most:
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
                    return False
        return bool(self._ready) and most < MAX_ACTIVE

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

    def _finish(self, handle: Handle, error: int, text: str) -> None:
        """Read a finished fetch's response, free its slot, and judge it now or once others have started."""
        fetch: Fetch = handle.fetch
        queue = fetch.queue
        response = read_response(handle, error, text)
        if error:
            if error == TIMED_OUT and self._answered.get(handle.getinfo(CONN_ID), 0.0) < fetch.started:
                # A connection that answered others in the meantime is not dead: only this response is slow.
                self._active.discard(handle)
                drop_stalled_connection(handle, self._active)
        else:
            if not queue.multiplexed and handle.getinfo(INFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0:
                queue.multiplexed, queue.max_active = True, self._streams
            self._answered[handle.getinfo(CONN_ID)] = time.monotonic()
        self._active.discard(handle)
        self._pool.release(handle)
        queue.active -= 1
        if queue.exclusive:
            queue.exclusive = queue.active > 0
        if error or response.status != OK or queue.suspected:
            # What stops or slows further fetches is judged before any of them starts.
            if (
                error in SHARED_BREAK
                and fetch.alone_at_start != queue.starts
                and fetch.shared_breaks < MAX_SHARED_BREAKS
            ):
                # Another stream may have broken the connection, so this is not a response to this fetch.
                fetch.shared_breaks += 1
                fetch.started = 0.0
                self._delay(fetch, PAUSE_AFTER_BREAK, drain=True)
            elif (pause := self._on_response(fetch, response)) is not None:
                self._delay(fetch, pause, drain=error in BROKEN_CONNECTION)
        else:
            self._unjudged.append((fetch, response))
        if queue.draining and not queue.active:
            queue.waiting.extend(queue.draining)
            queue.draining.clear()
        if queue.waiting or not queue.exhausted:
            self._mark_ready(queue)

    def _judge(self) -> bool:
        """Pass complete responses to the callback; returns False where there were none."""
        if not self._unjudged:
            return False
        responses, self._unjudged = self._unjudged, []
        for fetch, response in responses:
            pause = self._on_response(fetch, response)
            if pause is not None:
                self._delay(fetch, pause, drain=False)
        return True

    def _delay(self, fetch: Fetch, pause: float, *, drain: bool) -> None:
        """Fetch again after a pause, in seconds; `drain`: only once its queue has no active fetch."""
        heapq.heappush(self._delayed, (time.monotonic() + pause, next(self._order), fetch, drain))
