"""Decompress gzip as the service and the command read it: piece by piece, so that a caller can end it. Pure."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

GZIP_MAGIC = b"\x1f\x8b"
# With the only compression method that there is (RFC 1952, section 2.3.1).
GZIP_BEGIN = GZIP_MAGIC + b"\x08"
# zlib: expect a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS
# What is decompressed at once, and what zlib is given at once: what follows a member's end is copied, so that many
# tiny members cost little only if it is short.
PIECE_BYTES, INPUT_BYTES = 65_536, 4_096


def unpacked(body: bytes | bytearray) -> Iterator[bytes]:
    """Yield a body in pieces of at most 64 kB, without its compression if it is gzip.

    A server may compress a file that is gzip already: that is undone too. Several members, as `cat a.gz b.gz` makes
    them, are joined; what follows the last one is ignored, as gzip itself does.

    Raises:
        ValueError: the gzip is broken; the message continues a sentence with the body's name.

    """
    if not body.startswith(GZIP_MAGIC):
        yield from _slices(body, PIECE_BYTES)
        return
    once = _gunzip(_slices(body, INPUT_BYTES))
    first = next((piece for piece in once if piece), b"")
    whole = chain((first,), once)
    if first.startswith(GZIP_BEGIN):
        yield from _gunzip(part for piece in whole for part in _slices(piece, INPUT_BYTES))
    else:
        yield from whole


def _slices(body: bytes | bytearray, size: int) -> Iterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(view), size):
        yield bytes(view[start : start + size])


def _gunzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what gzip members contain; zeros between them are padding."""
    member, is_first = None, True
    for part in parts:
        rest = part
        while rest:
            if member is None:
                rest = rest if is_first else rest.lstrip(b"\0")
                if not rest:
                    break
                if not is_first and not rest.startswith(GZIP_MAGIC[:1]):
                    return
                member, is_first = zlib.decompressobj(GZIP_WINDOW), False
            try:
                yield member.decompress(rest, PIECE_BYTES)
            except zlib.error as error:
                raise ValueError(f"is broken gzip: {error}") from error
            rest = member.unconsumed_tail
            if member.eof:
                rest, member = member.unused_data, None
    if member is not None:
        # With a whole input consumed, zlib may still hold output.
        yield member.flush()
        if not member.eof:
            raise ValueError("is broken gzip: it ends too early")
