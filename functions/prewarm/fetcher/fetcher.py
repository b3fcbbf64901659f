"""The fetching engine: one CurlMulti, many edges, each connection pinned to an address.

It knows nothing of outcomes: a callback gets each response and returns whether, and when, to fetch again. Why it
is as it is (measured, docs/architecture.md): CONNECT_TO and not RESOLVE, because libcurl keys its DNS cache by host
and would send most requests to the wrong POP; PIPEWAIT, so that streams share a connection; bounded flight, because
libcurl counts time spent in its own queue as the request's; multi.timeout, because select alone sleeps through
libcurl's timers.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import certifi
import pycurl

from prewarm.fetcher.scheduler import MOST_CONNECTIONS, Flight
from prewarm.fetcher.transfer import CONNECTIONS_PER_LANE, Admit, Fetch, OnAnswer, PopQueue
from prewarm.settings import Settings

READ_BUFFER_BYTES = 131_072
__all__ = ["Fetch", "Fetcher", "OnAnswer", "PopQueue"]


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
        queues: Iterable[PopQueue] = (),
        halt: Callable[[], bool] = lambda: False,
        admit: Admit | None = None,
        again: deque[Fetch] | None = None,
        max_bytes: int | None = None,
    ) -> list[Fetch]:
        """Make all fetches, and those that the queues feed.

        `admit` is asked before each one begins; what is put into `again` while it runs, for a queue it knows, is
        fetched too. Returns those in flight or waiting when `halt` said stop, without a response; not
        what was never fed.
        """
        known: dict[PopQueue, None] = dict.fromkeys(queues)
        for fetch in fetches:
            fetch.queue.waiting.append(fetch)
            known[fetch.queue] = None
        flight = Flight(self, on_answer, max_bytes, known, admit, deque() if again is None else again)
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
        curl.kind = None
        return curl

    def start(self, fetch: Fetch, max_bytes: int | None) -> Any:  # noqa: ANN401 - pycurl has no types
        """Put a fetch on the wire."""
        curl = self.handle()
        address = fetch.queue.addresses[fetch.address % len(fetch.queue.addresses)]
        port = self._settings.https_port if fetch.url.startswith("https:") else self._settings.http_port
        literal = f"[{address}]" if ":" in address else address
        fetch.lines = []
        fetch.started = time.monotonic()
        curl.setopt(pycurl.URL, fetch.url)
        # Only the TCP peer changes: SNI, Host and the certificate check follow the URL.
        curl.setopt(pycurl.CONNECT_TO, [f"::{literal}:{port}"])
        curl.setopt(pycurl.HTTPHEADER, fetch.headers)
        curl.setopt(pycurl.HEADERFUNCTION, fetch.lines.append)
        kind = (fetch.head, fetch.body is None, max_bytes)
        if curl.kind != kind or fetch.body is not None:
            # Nearly all fetches are of one kind: options that a handle has already are not set again.
            self._set_kind(curl, fetch, max_bytes)
            curl.kind = kind
        curl.fetch, curl.address = fetch, address
        self._multi.add_handle(curl)
        return curl

    def _set_kind(self, curl: Any, fetch: Fetch, max_bytes: int | None) -> None:  # noqa: ANN401 - pycurl has no types
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
