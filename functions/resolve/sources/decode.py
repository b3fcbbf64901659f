"""Decode documents piece by piece: gzip up to a size limit, and text in the encoding that a document declares."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from prewarm.unpacking import GZIP_MAGIC, unpacked
from resolve.sources.boundary import Unreadable
from resolve.sources.budget import Budget

# The bytes in which an XML declaration names its encoding (XML 1.0, appendix F).
HEAD_BYTES = 1_024
# Twice the longest URL that the service accepts (8,192 bytes), in characters of four bytes.
LONGEST_LINE = 65_536
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# The encodings of text that documents may declare; Python has others, such as zlib and unicode_escape.
TEXT_ENCODING = re.compile(r"(?:ascii|utf-8|iso8859-\d+|cp\d+|koi8-[rtu]|gb2312|gbk|gb18030|big5|euc_\w+|shift_jis)")


def decompressed(body: bytes, most_bytes: int) -> bytes:
    """Return a body, decompressed if it is gzip; several members, as `cat a.gz b.gz` makes them, are joined.

    Raises:
        Unreadable: the gzip is broken, or larger than `most_bytes` decompressed.

    """
    return body if not body.startswith(GZIP_MAGIC) else b"".join(pieces(body, most_bytes))


def pieces(body: bytes | bytearray, most_bytes: int, budget: Budget | None = None) -> Iterator[bytes]:
    """Yield a body in pieces of at most 64 kB, decompressed if it is gzip, also if it is gzip of a gzip file.

    Raises:
        Unreadable: the gzip is broken, or larger than `most_bytes` decompressed; or the budget is spent.

    """
    count = 0
    source = unpacked(body)
    while True:
        try:
            piece = next(source, None)
        except ValueError as error:
            raise Unreadable(str(error)) from error
        if piece is None:
            return
        count += len(piece)
        if count > most_bytes:
            raise Unreadable(f"is larger than {most_bytes:,} bytes decompressed")
        if budget:
            budget.add_bytes(len(piece))
        yield piece


def encoding_of(head: bytes) -> str:
    """Return the encoding of a document that begins with `head`: by its mark, zeros or declaration; else UTF-8."""
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if head[:4].count(0) and len(head) > 1:
        # XML 1.0, appendix F: the zeros around the first character.
        if head[:4].count(0) >= 3:  # noqa: PLR2004 - of four bytes
            return "utf-32-be" if head[0] == 0 else "utf-32-le"
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    if declared := DECLARED.match(head):
        try:
            name = codecs.lookup(declared[1].decode("ascii")).name
        except LookupError:
            return "utf-8"
        return name if TEXT_ENCODING.fullmatch(name) else "utf-8"
    return "utf-8"


def text_pieces(source: Iterable[bytes]) -> Iterator[str]:
    """Yield a document's pieces as text; bytes that its encoding does not allow become U+FFFD."""
    head = b""
    decoder: codecs.IncrementalDecoder | None = None
    for piece in source:
        if decoder is None:
            head += piece
            if len(head) < HEAD_BYTES:
                continue
            decoder = codecs.getincrementaldecoder(encoding_of(head))("replace")
            yield decoder.decode(head)
        else:
            yield decoder.decode(piece)
    if decoder is None:
        decoder = codecs.getincrementaldecoder(encoding_of(head))("replace")
        yield decoder.decode(head)
    yield decoder.decode(b"", final=True)


def strict_text_pieces(source: Iterator[bytes]) -> Iterator[str]:
    """Yield a document's pieces as text, and what comes before a byte that its encoding does not allow.

    Raises:
        ValueError: there is such a byte; the message says after which line.

    """
    first = next(source, b"")
    decoder = codecs.getincrementaldecoder(encoding_of(first[:HEAD_BYTES]))("strict")
    lines, last = 0, ""
    for piece, is_last in chain(((piece, False) for piece in chain((first,), source)), ((b"", True),)):
        before = decoder.getstate()
        failed: UnicodeDecodeError | None = None
        try:
            text = decoder.decode(piece, is_last)
        except UnicodeDecodeError as error:
            failed = error
            decoder.setstate(before)
            text = decoder.decode(piece[: max(0, error.start - len(before[0]))])
        lines += text.count("\n")
        if "\r" in text or last == "\r":
            # A carriage return ends a line, too; with its line feed, which may be in the next piece, only once.
            lines += text.count("\r") - text.count("\r\n") - (last == "\r" and text.startswith("\n"))
        last = text[-1:] or last
        yield text
        if failed is not None:
            reason = f"{failed.reason}, after line {lines}; save it as UTF-8"
            raise ValueError(f"is not text in {failed.encoding.upper()}: {reason}") from failed


def lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield a document's lines, without their ends; of a line that is too long to be an address, its begin.

    A carriage return ends a line too, alone or with the line feed after it.
    """
    held = ""
    for piece in texts:
        text = held + piece
        # A carriage return at a piece's end may have its line feed in the next one.
        ending = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        *whole, last = text.split("\n")
        held = last[:LONGEST_LINE] + ending
        for line in whole:
            yield line[:LONGEST_LINE]
    yield held.removesuffix("\r")
