"""Divide a text that comes piece by piece into blocks of whole lines, and those into lines. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator

# Characters of a block: some hundred rows of a list of targets, so that their cells stay in the processor's cache.
BLOCK = 65_536


def blocks(texts: Iterable[str], longest_line: int | None) -> Iterator[str]:
    """Yield a text in blocks of whole lines, without its byte order mark; a line that is too long, as far as read.

    If the text raises a ValueError, the lines before it are yielded first.
    """
    pieces: list[str] = []
    size, mark = 0, "\ufeff"
    try:
        for text in texts:
            pieces.append(text)
            size += len(text)
            if size < BLOCK:
                continue
            whole, rest = _cut("".join(pieces))
            if longest_line and len(rest) >= longest_line:
                whole, rest = whole + rest, ""
            if whole:
                yield whole.removeprefix(mark)
                mark = ""
            pieces, size = [rest], len(rest)
    except ValueError:
        if whole := _cut("".join(pieces))[0]:
            yield whole.removeprefix(mark)
        raise
    if last := "".join(pieces).removeprefix(mark):
        yield last


def _cut(text: str) -> tuple[str, str]:
    """Return a text's whole lines, and the rest."""
    end = text.rfind("\n") + 1
    if "\r" in text:
        # A carriage return ends a line, too; after the last character there may be its line feed.
        end = max(end, text.rfind("\r", 0, len(text) - 1) + 1)
    return text[:end], text[end:]


def lines_of(text: str) -> list[str]:
    """Return a text's lines with their ends."""
    return io.StringIO(text, newline="").readlines()


def has_line_of(text: str, characters: int | None) -> bool:
    """Return whether a text may have a line of so many characters; without a limit, one that csv may refuse."""
    most, start = characters or csv.field_size_limit(), 0
    while start + most <= len(text):
        end = text.rfind("\n", start, start + most - 1) + 1
        if not end:
            return True
        start = end
    return False
