"""libcurl's handles: one CurlMulti, easy handles that are used again, each connection pinned to an address.

The reasons were measured (docs/architecture.md). CONNECT_TO replaces RESOLVE, because libcurl keys its DNS cache by
host and would send most requests to the wrong POP. PIPEWAIT makes streams share a connection. multi.timeout bounds
the wait, because select alone sleeps through libcurl's timers. REQUEST_TARGET sends path and query unchanged: libcurl
from 8.20 on changes `%xx` in the path of CURLOPT_URL to upper case, which makes a different cache key.
"""

import functools
import time
from typing import Any

import certifi
import pycurl

from prewarm.fetcher.stalled import set_user_timeout
from prewarm.fetcher.transfer import CONNECTIONS_PER_POP, Fetch, PopQueue
from prewarm.settings import DEFAULT_STALL_SECONDS, Settings

# Lambda gives a function 1,024 file descriptors. Each connection needs one (and about 90 KB); the rest is for AWS
# clients, DNS and files.
MAX_CONNECTIONS = 800
READ_BUFFER_BYTES = 131_072
# TCP sends an idle peer a keep-alive probe after this many seconds, and again at this interval.
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS = 10, 5
# A POP that may have fallen silent is waited for during a third of the stall time: with the default of 95 s four
# fetches that time out together and two probes one after the other take 95 + 2 x 31 = 157 s, less than three minutes
# until the POP is dark (warm.dark_pops).
PROBE_SHARE = 3


class Handle:
    """An easy handle: the fetch that it makes, and what its options are set to, so that they are not set again.

    `place`: the site of its URL and the edge's address; `kind`: what `CurlPool._set_kind` sets; `lines` receives the
    header lines. pycurl keeps its handles' attributes in a dictionary that is slow to read.
    """

    __slots__ = ("address", "curl", "fetch", "getinfo", "headers", "kind", "lines", "place", "setopt", "stall")

    def __init__(self, curl: Any) -> None:  # noqa: ANN401 - pycurl has no types
        self.curl, self.setopt, self.getinfo = curl, curl.setopt, curl.getinfo
        self.fetch: Any = None
        self.address, self.stall = "", 0
        self.headers: list[str] | None = None
        self.kind: tuple[object, ...] = ()
        self.place = ("", "")
        self.lines: list[bytes] = []
        self.setopt(pycurl.HEADERFUNCTION, self.lines.append)


class CurlPool:
    """A CurlMulti with its idle easy handles; connections stay open from one run to the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ca_bundle = settings.ca_bundle or certifi.where()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_POP)
        self._template = self._configured()
        self._handles: dict[Any, Handle] = {}
        # Idle handles by their place; no list is empty.
        self._idle: dict[tuple[str, str], list[Handle]] = {}

    def start(self, fetch: Fetch, max_bytes: int | None) -> Handle:
        """Send a fetch's request; returns its handle."""
        queue = fetch.queue
        address = queue.addresses[fetch.address % len(queue.addresses)]
        site, target = request_parts(fetch.url)
        handle = self._take((site, address))
        fetch.started = time.monotonic()
        handle.setopt(pycurl.REQUEST_TARGET, target)
        if handle.headers is not fetch.headers:
            handle.setopt(pycurl.HTTPHEADER, fetch.headers)
            handle.headers = fetch.headers
        if queue.suspected:
            fetch.fresh = True
        kind = (fetch.head, fetch.body is None, max_bytes, fetch.fresh, queue.suspected, queue.stall_seconds)
        if handle.kind != kind or fetch.body is not None:
            # Nearly all fetches are of one kind, so a handle's options are set again only when the kind changes.
            self._set_kind(handle, fetch, max_bytes)
            handle.kind = kind
        handle.fetch = fetch
        self._multi.add_handle(handle.curl)
        return handle

    def release(self, handle: Handle) -> None:
        """Remove a handle from the multi and keep it for the next fetch."""
        self._multi.remove_handle(handle.curl)
        handle.fetch = None
        handle.lines.clear()
        idle = self._idle.get(handle.place)
        if idle is None:
            self._idle[handle.place] = [handle]
        else:
            idle.append(handle)

    def perform(self) -> None:
        """Let libcurl send and receive what it can without waiting."""
        self._multi.perform()

    def finished(self, max_wait: float) -> list[tuple[Handle, int, str]]:
        """Return the finished handles, each with its error number (0: none) and text.

        Where no handle has finished, waits for a socket or a timer of libcurl, for at most `max_wait` seconds.
        """
        handles = self._handles
        finished: list[tuple[Handle, int, str]] = []
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            finished += [(handles[curl], 0, "") for curl in succeeded]
            finished += [(handles[curl], code, text) for curl, code, text in failed]
        if not finished and max_wait > 0:
            due = self._multi.timeout()
            self._multi.select(max_wait if due < 0 else min(max_wait, due / 1000))
        return finished

    def _take(self, place: tuple[str, str]) -> Handle:
        """Return an idle handle of this place, any other one, or a new one."""
        of_place = place if place in self._idle else next(iter(self._idle), None)
        if of_place is None:
            # A copy has all the options at once, at a fifth of the time that setting them takes.
            curl = self._template.duphandle()
            handle = self._handles[curl] = Handle(curl)
        else:
            idle = self._idle[of_place]
            handle = idle.pop()
            if not idle:
                del self._idle[of_place]
        if handle.place != place:
            site, address = handle.place = place
            handle.address = address
            handle.setopt(pycurl.URL, site)
            # Only the TCP peer changes: SNI, Host and the certificate check follow the URL.
            port = self._settings.https_port if site.startswith("https:") else self._settings.http_port
            literal = f"[{address}]" if ":" in address else address
            handle.setopt(pycurl.CONNECT_TO, [f"::{literal}:{port}"])
        return handle

    def _stall_seconds(self, queue: PopQueue) -> int:
        """Return how many seconds of silence end a fetch: the distribution's own, unless the setting was changed.

        A POP that may have fallen silent gets less time.
        """
        stall = self._settings.stall_seconds
        if stall == DEFAULT_STALL_SECONDS:
            stall = max(stall, queue.stall_seconds)
        return max(1, stall // PROBE_SHARE) if queue.suspected else stall

    def _configured(self) -> Any:  # noqa: ANN401 - pycurl has no types
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
        return curl

    def _set_kind(self, handle: Handle, fetch: Fetch, max_bytes: int | None) -> None:
        """Set a handle's method, its limits, whether it keeps the body, and whether its connection is a new one."""
        setopt = handle.setopt
        setopt(pycurl.NOBODY, 1 if fetch.head else 0)
        if not fetch.head:
            setopt(pycurl.HTTPGET, 1)
        setopt(pycurl.MAXFILESIZE_LARGE, max_bytes or 0)
        setopt(pycurl.FRESH_CONNECT, 1 if fetch.fresh else 0)
        handle.stall = self._stall_seconds(fetch.queue)
        setopt(pycurl.LOW_SPEED_TIME, handle.stall)
        if fetch.body is None:
            # Discards each chunk: nothing is kept and nothing is decoded (ACCEPT_ENCODING stays unset).
            setopt(pycurl.WRITEFUNCTION, len)
        else:
            fetch.body.clear()
            setopt(pycurl.WRITEFUNCTION, fetch.body.extend)


# URLs of up to 8 KB: at most 8 MB.
@functools.lru_cache(maxsize=512)
def request_parts(url: str) -> tuple[str, str]:
    """Return `scheme://host/` and the request target: path and query as they are in the URL.

    `url` is in the form of `Url.fetch`, so it has a path and no fragment.
    """
    path = url.index("/", url.index("//") + 2)
    return url[: path + 1], url[path:]
