"""A stateless header encoder for HTTP/2: every field is a literal, without indexing and Huffman coding.

RFC 7541 §6.2.2. It sends more bytes over the loopback interface to save CPU: hpack's own encoder, with Huffman coding
in pure Python, costs more than the rest of a small response.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import hpack

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVEN_BITS = 127


def _length(value: bytes) -> bytes:
    """Encode a string length as an integer with a 7-bit prefix (RFC 7541 §5.1)."""
    rest = len(value) - SEVEN_BITS
    if rest < 0:
        return bytes((len(value),))
    encoded = bytearray((SEVEN_BITS,))
    while rest > SEVEN_BITS:
        encoded.append(rest & SEVEN_BITS | ~SEVEN_BITS & 0xFF)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


@lru_cache(maxsize=256)
def _name(name: bytes) -> bytes:
    """Return the part of a literal field before its value."""
    return b"\0" + _length(name) + name


class PlainEncoder(hpack.Encoder):
    """Replaces h2's encoder; the peer's decoder needs no table for its output."""

    def encode(self, headers: Iterable[Any] | dict[Any, Any], huffman: bool = False) -> bytes:  # noqa: ARG002, FBT001, FBT002
        """Return the header block of (name, value) pairs of bytes, pseudo-headers first."""
        parts = []
        if self.header_table.resized:
            parts.append(self._encode_table_size_change())
            self.header_table.resized = False
        for name, value in headers:
            parts += (_name(name), _length(value), value)
        return b"".join(parts)
