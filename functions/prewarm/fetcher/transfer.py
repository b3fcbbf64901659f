"""One exchange with an edge: the fetch that is to be made, the queue it takes, and the response it brought."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pycurl

from prewarm.fetcher.response import Response

# Until an edge is known to speak HTTP/2, and at one that does not, a POP gets this many connections.
CONNECTIONS_PER_LANE = 4
# libcurl errors of a connection that broke under its streams. After an HTTP/2 GOAWAY, retries at once would land on
# the same dying connection: its queue is drained first.
# In curl/curl.h: HTTP2, GOT_NOTHING, SEND_ERROR, RECV_ERROR, HTTP2_STREAM.
BROKEN_CONNECTION = frozenset({16, 52, 55, 56, 92})
# Those that meet all streams of a connection; 92 is one stream's own end.
SHARED_BREAK = BROKEN_CONNECTION - {92}
_HEADERS = {
    b"x-cache": "x_cache",
    b"x-amz-cf-pop": "cf_pop",
    b"x-amz-cf-id": "cf_id",
    b"age": "age",
    b"etag": "etag",
    b"server": "server",
    b"content-length": "content_length",
    b"location": "location",
    b"content-encoding": "encoding",
    b"cache-control": "cache_control",
    b"server-timing": "server_timing",
}


@dataclass(slots=True, eq=False)
class PopQueue:
    """One POP's addresses (each reached by its own connections) and the fetches that wait for it.

    `feed` makes further fetches one by one, when there is room for them: a batch is never in memory as a whole.
    `starts` counts those begun; `alone`: the one that flies is given the queue for itself.
    """

    addresses: list[str]
    waiting: deque["Fetch"] = field(default_factory=deque)
    parked: list["Fetch"] = field(default_factory=list)
    feed: Iterator["Fetch"] = field(default_factory=lambda: iter(()))
    fed: bool = False
    flying: int = 0
    most_flying: int = CONNECTIONS_PER_LANE
    multiplexed: bool = False
    starts: int = 0
    alone: bool = False

    def next(self) -> "Fetch | None":
        """Take the next fetch, or None; `fed` says that no more will come of itself."""
        if self.waiting:
            return self.waiting.popleft()
        fetch = next(self.feed, None)
        self.fed = fetch is None
        return fetch

    def left(self) -> Iterator["Fetch"]:
        """Take all fetches that have not begun."""
        while (fetch := self.next()) is not None:
            yield fetch


@dataclass(slots=True, eq=False)
class Fetch:
    """One request to make: URL, header lines, its queue, which of the queue's addresses, and its owner's data.

    The response's body is discarded, or kept in `body` where that is given. `breaks`: how often its connection broke
    while others flew on it; `company`: the queue's count of starts when it began alone on it, or -1.
    """

    url: str
    headers: list[str]
    queue: PopQueue
    owner: Any = None
    address: int = 0
    head: bool = False
    started: float = 0.0
    lines: list[bytes] = field(default_factory=list)
    body: bytearray | None = None
    breaks: int = 0
    company: int = -1


# Gets a finished fetch and its response; returns None when done, or after how many seconds to fetch again.
OnAnswer = Callable[[Fetch, Response], float | None]
# Asked before a fetch begins: 0 lets it, a positive number holds everything up for so many seconds, None drops it.
Admit = Callable[[Fetch], float | None]


def read_answer(curl: Any, fetch: Fetch, error: int, text: str) -> Response:  # noqa: ANN401 - pycurl has no types
    """Read what a finished transfer brought: numbers from libcurl, and only the headers that are judged."""
    info = curl.getinfo
    connected = info(pycurl.PRETRANSFER_TIME) > 0
    response = Response(
        status=info(pycurl.RESPONSE_CODE),
        error=error,
        error_text=text,
        address=curl.address,
        connected=connected,
        bytes=int(info(pycurl.SIZE_DOWNLOAD_T)),
        ttfb_ms=max(0.0, (info(pycurl.STARTTRANSFER_TIME) - info(pycurl.PRETRANSFER_TIME)) * 1000),
        total_ms=info(pycurl.TOTAL_TIME) * 1000,
    )
    for line in fetch.lines:
        name, _, value = line.partition(b":")
        if attribute := _HEADERS.get(name.lower()):
            setattr(response, attribute, value.strip().decode("latin-1"))
    return response
