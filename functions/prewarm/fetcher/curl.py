"""libcurl's handles: one CurlMulti, easy handles that are used again, each connection pinned to an address.

The reasons were measured (docs/architecture.md). CONNECT_TO replaces RESOLVE, because libcurl keys its DNS cache by
host and would send most requests to the wrong POP. PIPEWAIT makes streams share a connection. multi.timeout bounds
the wait, because select alone sleeps through libcurl's timers. REQUEST_TARGET sends path and query as they are:
libcurl from 8.20 on changes `%xx` in the path of CURLOPT_URL to upper case, which is another cache key.
"""

import time
from typing import Any

import certifi
import pycurl

from prewarm.fetcher.stalled import set_user_timeout
from prewarm.fetcher.transfer import CONNECTIONS_PER_POP, Fetch
from prewarm.settings import DEFAULT_STALL_SECONDS, Settings

# Lambda gives a function 1,024 file descriptors. Each connection needs one (and about 90 KB); the rest is for AWS
# clients, DNS and files.
MAX_CONNECTIONS = 800
READ_BUFFER_BYTES = 131_072
# TCP asks an idle peer for a sign of life after so many seconds, and again at this interval.
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS = 10, 5
# A POP that may have fallen silent is waited for during a third of the stall time: with the default of 95 s four
# fetches that time out together and two probes one after the other take 95 + 2 x 31 = 157 s, less than three minutes
# until the POP is dark (warm.dark_pops).
PROBE_SHARE = 3


class CurlPool:
    """A CurlMulti with its idle easy handles; connections stay open from one run to the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ca_bundle = settings.ca_bundle or certifi.where()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_POP)
        self._idle: list[Any] = []

    def start(self, fetch: Fetch, max_bytes: int | None) -> Any:  # noqa: ANN401 - pycurl has no types
        """Send a fetch's request; returns its handle, with the fetch as `handle.fetch`."""
        curl = self._idle.pop() if self._idle else self._new_handle()
        address = fetch.queue.addresses[fetch.address % len(fetch.queue.addresses)]
        port = self._settings.https_port if fetch.url.startswith("https:") else self._settings.http_port
        literal = f"[{address}]" if ":" in address else address
        fetch.header_lines = []
        fetch.started = time.monotonic()
        site, target = request_parts(fetch.url)
        # A handle keeps its options, so those that its last fetch had are not set again.
        if curl.site != site:
            curl.setopt(pycurl.URL, site)
            curl.site = site
        curl.setopt(pycurl.REQUEST_TARGET, target)
        # Only the TCP peer changes: SNI, Host and the certificate check follow the URL.
        curl.setopt(pycurl.CONNECT_TO, [f"::{literal}:{port}"])
        if curl.headers != fetch.headers:
            curl.setopt(pycurl.HTTPHEADER, fetch.headers)
            curl.headers = fetch.headers
        curl.setopt(pycurl.HEADERFUNCTION, fetch.header_lines.append)
        fetch.fresh = fetch.fresh or fetch.queue.suspected
        kind = (fetch.head, fetch.body is None, max_bytes, fetch.fresh)
        stall = self._stall_seconds(fetch)
        if curl.stall != stall:
            curl.setopt(pycurl.LOW_SPEED_TIME, stall)
            curl.stall = stall
        if curl.kind != kind or fetch.body is not None:
            # Nearly all fetches are of one kind, so a handle's options are set again only when the kind changes.
            self._set_kind(curl, fetch, max_bytes)
            curl.kind = kind
        curl.fetch, curl.address = fetch, address
        self._multi.add_handle(curl)
        return curl

    def release(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        """Remove a handle from the multi and keep it for the next fetch."""
        self._multi.remove_handle(curl)
        curl.fetch = None
        self._idle.append(curl)

    def step(self, max_wait: float) -> list[tuple[Any, int, str]]:
        """Run libcurl once; returns the finished handles, each with its error number (0: none) and text.

        Where no handle has finished, waits for a socket or a timer of libcurl, for at most `max_wait` seconds.
        """
        self._multi.perform()
        finished: list[tuple[Any, int, str]] = []
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            finished += [(curl, 0, "") for curl in succeeded]
            finished += [(curl, code, text) for curl, code, text in failed]
        if not finished:
            due = self._multi.timeout()
            self._multi.select(max_wait if due < 0 else min(max_wait, due / 1000))
        return finished

    def _stall_seconds(self, fetch: Fetch) -> int:
        """Return how many seconds of silence end a fetch: the distribution's own, unless the setting was changed.

        A POP that may have fallen silent gets less time.
        """
        stall = self._settings.stall_seconds
        if stall == DEFAULT_STALL_SECONDS:
            stall = max(stall, fetch.queue.stall_seconds)
        return max(1, stall // PROBE_SHARE) if fetch.queue.suspected else stall

    def _new_handle(self) -> Any:  # noqa: ANN401 - pycurl has no types
        """Return an easy handle with all options set that never change."""
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
            # Silence before the first byte or within a body (LOW_SPEED_TIME is set for each fetch); there is no total
            # limit, since bodies may be huge.
            (pycurl.LOW_SPEED_LIMIT, 1),
            (pycurl.BUFFERSIZE, READ_BUFFER_BYTES),
            (pycurl.TCP_KEEPALIVE, 1),
            (pycurl.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS),
            (pycurl.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS),
            (pycurl.SOCKOPTFUNCTION, set_user_timeout),
        ):
            curl.setopt(option, value)
        curl.kind = curl.site = curl.headers = None
        curl.stall = 0
        return curl

    def _set_kind(self, curl: Any, fetch: Fetch, max_bytes: int | None) -> None:  # noqa: ANN401 - pycurl has no types
        """Set a handle's method, its size limit, whether it keeps the body, and its connection."""
        curl.setopt(pycurl.NOBODY, 1 if fetch.head else 0)
        if not fetch.head:
            curl.setopt(pycurl.HTTPGET, 1)
        curl.setopt(pycurl.MAXFILESIZE_LARGE, max_bytes or 0)
        curl.setopt(pycurl.FRESH_CONNECT, 1 if fetch.fresh else 0)
        if fetch.body is None:
            # Discards each chunk: nothing is kept and nothing is decoded (ACCEPT_ENCODING stays unset).
            curl.setopt(pycurl.WRITEFUNCTION, len)
        else:
            fetch.body.clear()
            curl.setopt(pycurl.WRITEFUNCTION, fetch.body.extend)


def request_parts(url: str) -> tuple[str, str]:
    """Return `scheme://host/` and the request target: path and query as they are in the URL.

    `url` is in the form of `Url.fetch`, so it has a path and no fragment.
    """
    path = url.index("/", url.index("//") + 2)
    return url[: path + 1], url[path:]
