"""The types of one transfer: the fetch to make, the queue that it waits in, and how its response is read."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pycurl import PRETRANSFER_TIME, RESPONSE_CODE, SIZE_DOWNLOAD_T, STARTTRANSFER_TIME, TOTAL_TIME

from prewarm.fetcher.header_lines import header_fields
from prewarm.fetcher.response import STREAM_RESET, Response

# The number of connections to a POP until its edge has answered over HTTP/2, and to an edge without HTTP/2.
CONNECTIONS_PER_POP = 4
# libcurl errors of a connection that broke under its streams. After an HTTP/2 GOAWAY an immediate retry would use
# the same dying connection, so its queue is drained first.
# In curl/curl.h: HTTP2, GOT_NOTHING, SEND_ERROR, RECV_ERROR, HTTP2_STREAM.
BROKEN_CONNECTION = frozenset({16, 52, 55, 56, STREAM_RESET})
# Those that end all streams of a connection.
SHARED_BREAK = BROKEN_CONNECTION - {STREAM_RESET}


@dataclass(slots=True, eq=False)
class PopQueue:
    """One POP's addresses (each reached by its own connections) and the fetches that wait for it.

    `feed` makes further fetches one by one, when there is room for them: a batch is never in memory as a whole;
    `exhausted`: it has no more. `draining` are retries that wait until the POP has no active fetch. `active` counts
    the started fetches without a response, `starts` all started ones; `exclusive`: the active fetch is made alone.
    `suspected`: the POP may have fallen silent, so it is asked one fetch at a time, each on a new connection and with
    less patience (curl.PROBE_SHARE).
    `stall_seconds`: how long the edge may be silent before its first byte; 0: as long as the setting says.
    """

    addresses: list[str]
    waiting: deque["Fetch"] = field(default_factory=deque)
    draining: list["Fetch"] = field(default_factory=list)
    feed: Iterator["Fetch"] = field(default_factory=lambda: iter(()))
    exhausted: bool = False
    active: int = 0
    max_active: int = CONNECTIONS_PER_POP
    multiplexed: bool = False
    starts: int = 0
    exclusive: bool = False
    suspected: bool = False
    stall_seconds: int = 0

    def next_fetch(self) -> "Fetch | None":
        """Remove and return the next fetch, or return None."""
        if self.waiting:
            return self.waiting.popleft()
        fetch = next(self.feed, None)
        self.exhausted = fetch is None
        return fetch

    def remaining(self) -> Iterator["Fetch"]:
        """Remove and yield all fetches that have not started."""
        while (fetch := self.next_fetch()) is not None:
            yield fetch


@dataclass(slots=True, eq=False)
class Fetch:
    """One request to make: URL, header lines, its queue, which of the queue's addresses, and its owner's data.

    The response's body is discarded unless `body` is set, which then receives it. `shared_breaks` counts how often
    its connection broke while other fetches used it; `alone_at_start` is the queue's count of starts when it started
    as the only active fetch, or -1. `started` is in monotonic seconds, 0 while it is not active. `fresh`: it must not
    use a connection that is already open.
    """

    url: str
    headers: list[str]
    queue: PopQueue
    owner: Any = None
    address: int = 0
    head: bool = False
    started: float = 0.0
    body: bytearray | None = None
    shared_breaks: int = 0
    alone_at_start: int = -1
    fresh: bool = False


# Receives a finished fetch and its response; returns None when done, or the seconds until it is fetched again.
OnResponse = Callable[[Fetch, Response], float | None]
# Called before a fetch starts: 0 starts it, a positive number pauses all starts for so many seconds, None drops it.
Admit = Callable[[Fetch], float | None]


def read_response(handle: Any, error: int, text: str) -> Response:  # noqa: ANN401 - curl.Handle, which imports this
    """Return a finished transfer's response: libcurl's figures, and the headers that are classified or recorded."""
    info = handle.getinfo
    sent = info(PRETRANSFER_TIME)
    return Response(
        info(RESPONSE_CODE),
        error,
        text,
        handle.address,
        sent > 0,
        int(info(SIZE_DOWNLOAD_T)),
        max(0.0, (info(STARTTRANSFER_TIME) - sent) * 1000),
        info(TOTAL_TIME) * 1000,
        *header_fields(handle.lines),
    )
