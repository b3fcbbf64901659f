"""Deterministic content: the bytes of an object follow from its ETag, so caches store descriptors, not bytes.

Byte i of an object is byte i mod 32 of SHA-256(ETag). An object of any size therefore streams in constant memory, at
the origin and at the edge, and the ETag is enough to check every byte. Documents that are parsed, such as sitemaps,
have fixed content, stored here by ETag.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_documents: dict[str, bytes] = {}


def etag_of_document(content: bytes) -> str:
    """Store a document's content, and return its ETag."""
    etag = '"' + hashlib.sha256(content).hexdigest()[:32] + '"'
    _documents[etag] = content
    return etag


def etag_of(target: str, size: int, encoding: str, revision: int) -> str:
    """Return the strong ETag of a variant of an object, including its quotes."""
    return '"' + hashlib.sha256(f"{target}|{size}|{encoding}|{revision}".encode()).hexdigest()[:32] + '"'


def seed_of(etag: str) -> bytes:
    """Return the bytes that an object's content repeats.

    These are 32 bytes, or a whole document.
    """
    return _documents.get(etag) or hashlib.sha256(etag.encode()).digest()


def pattern(seed: bytes, offset: int, length: int) -> bytes:
    """Return `length` bytes of the content, starting at `offset`."""
    start = offset % len(seed)
    return (seed * (length // len(seed) + 2))[start : start + length]


def expected_body(etag: str, size: int) -> bytes:
    """Return the whole content of an ETag, for checking downloads."""
    return pattern(seed_of(etag), 0, size)


class State(Enum):
    """The state of a body's transfer from upstream."""

    ARRIVING = "arriving"
    COMPLETE = "complete"
    BROKEN = "broken"


class Body:
    """A response body at the edge.

    It holds what has arrived, and the callbacks that wait for more.
    `size` is None while it is unknown (chunked); `announced`: it was known from Content-Length. Several viewers, and
    the caches of several POPs, share a Body, so that one fetch from the origin serves all requests for it.
    """

    __slots__ = ("_fixed", "_waiters", "announced", "available", "seed", "size", "state")

    def __init__(self, seed: bytes, size: int | None) -> None:
        """Create a body of which nothing has arrived."""
        self.seed = seed
        self.size = size
        self.announced = size is not None
        self.available = 0
        self.state = State.ARRIVING
        self._fixed: bytes | None = None
        self._waiters: dict[Callable[[], None], None] = {}

    @classmethod
    def fixed(cls, content: bytes) -> Body:
        """Return a complete body with fixed content, for the edge's own error pages."""
        body = cls(b"", len(content))
        body._fixed = content
        body.available = len(content)
        body.state = State.COMPLETE
        return body

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; the caller must stay within `available`."""
        if self._fixed is not None:
            return self._fixed[offset : offset + length]
        return pattern(self.seed, offset, length)

    def arrived(self, count: int) -> None:
        """Record that `count` more bytes have arrived from upstream."""
        self.available += count
        self._wake()

    def end(self, *, whole: bool) -> None:
        """Record the end of the transfer: the body is complete, or broken."""
        if self.state is State.ARRIVING:
            self.state = State.COMPLETE if whole else State.BROKEN
            if whole and self.size is None:
                self.size = self.available
            self._wake()

    def when_more(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next change.

        The same callback may be registered repeatedly.
        """
        self._waiters[callback] = None

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, {}
        for callback in waiters:
            callback()
