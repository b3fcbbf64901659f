"""What a POP answers a viewer: CloudFront's response headers around a cached entry, and its own error pages."""

from __future__ import annotations

import base64
import os
from email.utils import formatdate
from typing import TYPE_CHECKING

from prewarm_local.edge.content import Body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prewarm_local.edge.cache import Entry

Headers = list[tuple[bytes, bytes]]
"""Names in lower case: HTTP/2 wants them so, HTTP/1.1 does not mind."""

BODYLESS = frozenset({204, 304})


class Response:
    """One response to a viewer; `body` None: headers only.

    `reset`: break the TCP connection instead of answering. `last_after`: after so many requests on one connection
    say that it takes no more (GOAWAY, or `Connection: close`).
    """

    __slots__ = ("body", "headers", "last_after", "reset", "status")

    def __init__(self, status: int, headers: Headers, body: Body | None) -> None:
        """Response with a status, headers and a body."""
        self.status = status
        self.headers = headers
        self.body = body
        self.reset = False
        self.last_after: int | None = None


def request_id() -> bytes:
    """Return a value for X-Amz-Cf-Id: 56 characters of URL-safe base64 that mean nothing."""
    return base64.urlsafe_b64encode(os.urandom(40))


class Signature:
    """The headers by which a POP is known."""

    def __init__(self, pop: str) -> None:
        """Sign as the given POP."""
        self.pop = pop.encode()
        self._via = (b"via", b"1.1 " + os.urandom(16).hex().encode() + b".cloudfront.net (CloudFront)")
        self._pop = (b"x-amz-cf-pop", self.pop)

    def sign(self, x_cache: str) -> Headers:
        """Return X-Cache, Via, X-Amz-Cf-Pop and X-Amz-Cf-Id."""
        return [
            (b"x-cache", x_cache.encode() + b" from cloudfront"),
            self._via,
            self._pop,
            (b"x-amz-cf-id", request_id()),
        ]


def from_entry(entry: Entry, x_cache: str, signature: Signature, now: float, *, head: bool) -> Response:
    """Response with a cached or just fetched entry."""
    headers = entry.headers.copy()
    body: Body | None = entry.body
    if entry.body.size is not None and entry.status not in BODYLESS:
        headers.append((b"content-length", b"%d" % entry.body.size))
    headers += signature.sign(x_cache)
    if (age := int(now - entry.stored_at)) > 0 or x_cache != "Miss":
        headers.append((b"age", b"%d" % age))
    if head or entry.status in BODYLESS:
        body = None
    return Response(entry.status, headers, body)


def error_page(status: int, reason: str) -> tuple[Headers, Body]:
    """Return headers and body of an error that the edge makes itself."""
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
    signature: Signature,
    x_cache: str = "Error",
    extra: Sequence[tuple[bytes, bytes]] = (),
    *,
    head: bool = False,
) -> Response:
    """Response from the edge itself, without cache or origin."""
    headers, body = error_page(status, reason)
    headers += [*extra, (b"content-length", b"%d" % (body.size or 0)), *signature.sign(x_cache)]
    return Response(status, headers, None if head else body)
