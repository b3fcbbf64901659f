"""Deterministic content: the bytes of an object follow from its ETag, so caches keep descriptors, not bytes.

Byte i of an object is byte i mod 32 of SHA-256(ETag). An object of any size therefore streams in constant memory,
at the origin and at the edge alike, and anyone who knows the ETag can check every byte. Documents that are read, such
as sitemaps, have bytes of their own, kept here by ETag.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_documents: dict[str, bytes] = {}


def etag_of_document(content: bytes) -> str:
    """Return the ETag of a document with bytes of its own, and keep them."""
    etag = '"' + hashlib.sha256(content).hexdigest()[:32] + '"'
    _documents[etag] = content
    return etag


def etag_of(target: str, size: int, encoding: str, revision: int) -> str:
    """Return the strong ETag of one variant of one object, quotes included."""
    return '"' + hashlib.sha256(f"{target}|{size}|{encoding}|{revision}".encode()).hexdigest()[:32] + '"'


def seed_of(etag: str) -> bytes:
    """Return the bytes that an object's content repeats: 32, or all of a document."""
    return _documents.get(etag) or hashlib.sha256(etag.encode()).digest()


def pattern(seed: bytes, offset: int, length: int) -> bytes:
    """Return `length` bytes of the content from `offset` on."""
    start = offset % len(seed)
    return (seed * (length // len(seed) + 2))[start : start + length]


def expected_body(etag: str, size: int) -> bytes:
    """Return the whole content that an ETag stands for, for whoever wants to check a download."""
    return pattern(seed_of(etag), 0, size)


class State(Enum):
    """How far a body has come from upstream."""

    ARRIVING = "arriving"
    COMPLETE = "complete"
    BROKEN = "broken"


class Body:
    """A response body at the edge: what has arrived of it so far, and who waits for more.

    `size` is None while the origin has not said it (chunked). Several viewers, and the caches of several POPs,
    share one Body: it is how one fetch from the origin feeds all who asked for it.
    """

    __slots__ = ("_fixed", "_waiters", "available", "seed", "size", "state")

    def __init__(self, seed: bytes, size: int | None) -> None:
        """Begin with nothing arrived."""
        self.seed = seed
        self.size = size
        self.available = 0
        self.state = State.ARRIVING
        self._fixed: bytes | None = None
        self._waiters: dict[Callable[[], None], None] = {}

    @classmethod
    def fixed(cls, content: bytes) -> Body:
        """Return a complete body with the given bytes: the edge's own error pages."""
        body = cls(b"", len(content))
        body._fixed = content
        body.available = len(content)
        body.state = State.COMPLETE
        return body

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; the caller asks for no more than is available."""
        if self._fixed is not None:
            return self._fixed[offset : offset + length]
        return pattern(self.seed, offset, length)

    def arrived(self, count: int) -> None:
        """Note that `count` more bytes came from upstream."""
        self.available += count
        self._wake()

    def end(self, *, whole: bool) -> None:
        """Note that nothing more will come: the body is whole, or broke off."""
        if self.state is State.ARRIVING:
            self.state = State.COMPLETE if whole else State.BROKEN
            if whole and self.size is None:
                self.size = self.available
            self._wake()

    def when_more(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next change, however often the same callback was given."""
        self._waiters[callback] = None

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, {}
        for callback in waiters:
            callback()
