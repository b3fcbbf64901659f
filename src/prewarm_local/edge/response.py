"""A POP's responses to viewers: cached entries with CloudFront's headers, and the edge's own error pages."""

from __future__ import annotations

import base64
import os
from email.utils import formatdate
from typing import TYPE_CHECKING

from prewarm_local.edge.content import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prewarm_local.edge.cache import Entry, Watch

Headers = list[tuple[bytes, bytes]]
"""Names in lower case: HTTP/2 requires it, HTTP/1.1 ignores case."""

BODYLESS = frozenset({204, 304})


class Response:
    """A response to a viewer; `body` None: headers only.

    `reset`: reset the TCP connection instead of responding. `last_after`: number of requests on one connection after
    which the edge announces that it accepts no more (GOAWAY, or `Connection: close`). `watch`: the copy's viewers, if
    none has received it wholly yet. `on_end`: called with whether all was sent, and how many bytes of the body if
    that is known.
    """

    __slots__ = ("body", "headers", "last_after", "on_end", "reset", "status", "watch")

    def __init__(self, status: int, headers: Headers, body: Body | None) -> None:
        """Create a response."""
        self.status = status
        self.headers = headers
        self.body = body
        self.reset = False
        self.last_after: int | None = None
        self.watch: Watch | None = None
        self.on_end: Callable[[bool, int | None], None] | None = None

    def ended(self, *, whole: bool, sent: int | None = None) -> None:
        """Record, once, that the viewer has received the whole response, or has left before."""
        if self.watch is not None:
            self.watch.end(whole=whole)
            self.watch = None
        if self.on_end is not None:
            self.on_end(whole, sent)
            self.on_end = None


def request_id() -> bytes:
    """Return a value for X-Amz-Cf-Id: 56 random characters of URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(40))


class Signature:
    """The headers that identify a POP."""

    def __init__(self, pop: str) -> None:
        """Create the headers of the given POP."""
        self.pop = pop.encode()
        self._via = (b"via", b"1.1 " + os.urandom(16).hex().encode() + b".cloudfront.net (CloudFront)")
        self._pop = (b"x-amz-cf-pop", self.pop)

    def sign(self, x_cache: str) -> Headers:
        """Return X-Cache (unless empty), Via, X-Amz-Cf-Pop and X-Amz-Cf-Id."""
        cache = [(b"x-cache", x_cache.encode() + b" from cloudfront")] if x_cache else []
        return [
            *cache,
            self._via,
            self._pop,
            (b"x-amz-cf-id", request_id()),
        ]


def from_entry(entry: Entry, x_cache: str, signature: Signature, now: float, *, head: bool) -> Response:
    """Return the response for a cached or just fetched entry."""
    headers = entry.headers.copy()
    body: Body | None = entry.body
    if entry.body.size is not None and not entry.length_hidden and entry.status not in BODYLESS:
        headers.append((b"content-length", b"%d" % entry.body.size))
    headers += signature.sign(x_cache)
    if (age := int(now - entry.stored_at)) > 0 or x_cache != "Miss":
        headers.append((b"age", b"%d" % age))
    if head or entry.status in BODYLESS:
        body = None
    return Response(entry.status, headers, body)


def error_page(status: int, reason: str) -> tuple[Headers, Body]:
    """Return headers and body of an error page of the edge."""
    page = (
        f"<!DOCTYPE html><title>ERROR: The request could not be satisfied</title><h1>{status} ERROR</h1><p>{reason}"
    )
    headers = [
        (b"server", b"CloudFront"),
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-type", b"text/html"),
    ]
    return headers, Body.fixed(page.encode())


def by_edge(
    status: int,
    reason: str,
    signature: Signature | None,
    x_cache: str = "Error",
    extra: Sequence[tuple[bytes, bytes]] = (),
    *,
    head: bool = False,
) -> Response:
    """Return a response of the edge itself, without cache or origin; no signature: without the POP's headers."""
    headers, body = error_page(status, reason)
    headers += [*extra, (b"content-length", b"%d" % (body.size or 0))]
    if signature is not None:
        headers += signature.sign(x_cache)
    return Response(status, headers, None if head else body)
