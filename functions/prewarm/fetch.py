"""The fetching engine: one CurlMulti, many edges, each connection pinned to an address.

It knows nothing of outcomes: a callback gets each answer and says whether, and when, the fetch is made again. Why it
is as it is (measured, docs/architecture.md): CONNECT_TO and not RESOLVE, because libcurl keys its DNS cache by host
and would send most requests to the wrong POP; PIPEWAIT, so that streams share a connection; bounded flight, because
libcurl counts time spent in its own queue as the request's; multi.timeout, because select alone sleeps through
libcurl's timers.
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import certifi
import pycurl

from prewarm.exchange import BROKEN_CONNECTION, CONNECTIONS_PER_LANE, Fetch, Lane, OnAnswer, read_answer
from prewarm.settings import Settings

# Lambda gives a function 1,024 file descriptors; each connection takes one (and about 90 KB), the rest is for AWS
# clients, DNS and files.
MOST_CONNECTIONS = 800
STREAMS_PER_CONNECTION = 50
MOST_IN_FLIGHT = 2_000
READ_BUFFER_BYTES = 131_072
# How long the engine sleeps at the most before it looks at the clock and at `halt` again.
LONGEST_SLEEP_SECONDS = 0.25

__all__ = ["Fetch", "Fetcher", "Lane", "OnAnswer"]


class Fetcher:
    """An engine with its connections, kept between invocations so that a warm worker reuses them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ca_bundle = settings.ca_bundle or certifi.where()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, MOST_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MOST_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_LANE)
        self._idle: list[Any] = []

    def run(
        self,
        fetches: Iterable[Fetch],
        on_answer: OnAnswer,
        *,
        halt: Callable[[], bool] = lambda: False,
        max_bytes: int | None = None,
    ) -> list[Fetch]:
        """Make all fetches; returns those in flight or waiting when `halt` said stop, without an answer."""
        lanes: dict[Lane, None] = {}
        for fetch in fetches:
            fetch.lane.waiting.append(fetch)
            lanes[fetch.lane] = None
        flight = _Flight(self, on_answer, max_bytes, lanes)
        try:
            return flight.fly(halt)
        finally:
            flight.land()

    def handle(self) -> Any:  # noqa: ANN401 - pycurl has no types
        """Return an easy handle with all that never changes set."""
        if self._idle:
            return self._idle.pop()
        curl = pycurl.Curl()
        for option, value in (
            (pycurl.CAINFO, self._ca_bundle),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.PIPEWAIT, 1),
            (pycurl.CONNECTTIMEOUT_MS, self._settings.connect_timeout_ms),
            # Silence before the first byte or in the middle of a body; there is no total limit, bodies may be huge.
            (pycurl.LOW_SPEED_LIMIT, 1),
            (pycurl.LOW_SPEED_TIME, self._settings.stall_seconds),
            (pycurl.BUFFERSIZE, READ_BUFFER_BYTES),
        ):
            curl.setopt(option, value)
        return curl

    def start(self, fetch: Fetch, max_bytes: int | None) -> Any:  # noqa: ANN401 - pycurl has no types
        """Put a fetch on the wire."""
        curl = self.handle()
        address = fetch.lane.addresses[fetch.address % len(fetch.lane.addresses)]
        port = self._settings.https_port if fetch.url.startswith("https:") else self._settings.http_port
        literal = f"[{address}]" if ":" in address else address
        fetch.lines = []
        fetch.started = time.monotonic()
        curl.setopt(pycurl.URL, fetch.url)
        # Only the TCP peer changes: SNI, Host and the certificate check follow the URL.
        curl.setopt(pycurl.CONNECT_TO, [f"::{literal}:{port}"])
        curl.setopt(pycurl.HTTPHEADER, fetch.headers)
        curl.setopt(pycurl.HEADERFUNCTION, fetch.lines.append)
        curl.setopt(pycurl.NOBODY, 1 if fetch.head else 0)
        if not fetch.head:
            curl.setopt(pycurl.HTTPGET, 1)
        curl.setopt(pycurl.MAXFILESIZE_LARGE, max_bytes or 0)
        if fetch.body is None:
            # Discards each chunk: nothing is kept, nothing is decoded (ACCEPT_ENCODING stays unset).
            curl.setopt(pycurl.WRITEFUNCTION, len)
        else:
            fetch.body.clear()
            curl.setopt(pycurl.WRITEFUNCTION, fetch.body.extend)
        curl.fetch, curl.address = fetch, address
        self._multi.add_handle(curl)
        return curl

    def release(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        """Take a handle out of the multi, and keep it for the next fetch."""
        self._multi.remove_handle(curl)
        curl.fetch = None
        self._idle.append(curl)

    def step(self, sleep: float) -> list[tuple[Any, int, str]]:
        """Let libcurl work for a moment; returns the handles that are done with their errors (0: none)."""
        self._multi.perform()
        done: list[tuple[Any, int, str]] = []
        more = 1
        while more:
            more, well, badly = self._multi.info_read()
            done += [(curl, 0, "") for curl in well]
            done += [(curl, code, text) for curl, code, text in badly]
        if not done:
            due = self._multi.timeout()
            self._multi.select(sleep if due < 0 else min(sleep, due / 1000))
        return done


class _Flight:
    """One call of `Fetcher.run`: what flies, what waits for its lane, what waits for its time."""

    def __init__(self, fetcher: Fetcher, on_answer: OnAnswer, max_bytes: int | None, lanes: dict[Lane, None]) -> None:
        self._fetcher, self._on_answer, self._max_bytes = fetcher, on_answer, max_bytes
        self._lanes = lanes
        self._ready: deque[Lane] = deque(lanes)
        self._queued: set[Lane] = set(lanes)
        self._later: list[tuple[float, int, Fetch, bool]] = []
        self._order = itertools.count()
        self._flying: set[Any] = set()
        connections = max(1, min(CONNECTIONS_PER_LANE, MOST_CONNECTIONS // max(1, len(lanes))))
        self._streams = max(connections, min(STREAMS_PER_CONNECTION, MOST_IN_FLIGHT // max(1, len(lanes))))
        for lane in lanes:
            lane.most_flying = self._streams if lane.multiplexed else connections

    def fly(self, halt: Callable[[], bool]) -> list[Fetch]:
        """Fetch until nothing is left or `halt` says stop; returns what was left."""
        while self._flying or self._ready or self._later:
            if halt():
                break
            self._wake()
            self._start_all()
            if not self._flying:
                # With no socket to watch, libcurl's select returns at once: a core would burn until a retry is due.
                time.sleep(self._sleep())
                continue
            for curl, error, text in self._fetcher.step(self._sleep()):
                self._finish(curl, error, text)
        waiting = [fetch for lane in self._lanes for fetch in (*lane.waiting, *lane.parked)]
        return [curl.fetch for curl in self._flying] + waiting + [entry[2] for entry in self._later]

    def land(self) -> None:
        """Let go of all handles, those of unfinished fetches too."""
        for curl in self._flying:
            self._fetcher.release(curl)
        self._flying.clear()

    def _sleep(self) -> float:
        if not self._later:
            return LONGEST_SLEEP_SECONDS
        return max(0.0, min(LONGEST_SLEEP_SECONDS, self._later[0][0] - time.monotonic()))

    def _wake(self) -> None:
        """Queue the fetches whose time has come."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, _, fetch, drain = heapq.heappop(self._later)
            if drain and fetch.lane.flying:
                fetch.lane.parked.append(fetch)
            else:
                fetch.lane.waiting.append(fetch)
                self._queue(fetch.lane)

    def _queue(self, lane: Lane) -> None:
        if lane not in self._queued:
            self._queued.add(lane)
            self._ready.append(lane)

    def _start_all(self) -> None:
        """Start what may fly, one fetch per lane and round, so that all POPs get their share."""
        while self._ready and len(self._flying) < MOST_IN_FLIGHT:
            lane = self._ready.popleft()
            if lane.waiting and lane.flying < lane.most_flying and not lane.parked:
                lane.flying += 1
                self._flying.add(self._fetcher.start(lane.waiting.popleft(), self._max_bytes))
                self._ready.append(lane)
            else:
                self._queued.discard(lane)

    def _finish(self, curl: Any, error: int, text: str) -> None:  # noqa: ANN401 - pycurl has no types
        fetch: Fetch = curl.fetch
        lane = fetch.lane
        answer = read_answer(curl, fetch, error, text)
        if (
            not error
            and not lane.multiplexed
            and curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
        ):
            lane.multiplexed, lane.most_flying = True, self._streams
        self._flying.discard(curl)
        self._fetcher.release(curl)
        lane.flying -= 1
        again = self._on_answer(fetch, answer)
        if again is not None:
            entry = (time.monotonic() + again, next(self._order), fetch, error in BROKEN_CONNECTION)
            heapq.heappush(self._later, entry)
        if not lane.flying and lane.parked:
            lane.waiting.extend(lane.parked)
            lane.parked.clear()
        if lane.waiting:
            self._queue(lane)
