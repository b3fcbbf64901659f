"""Tables of URLs: CSV and TSV. A row that can be read in two ways is refused: half of a URL is another URL. Pure."""

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import TextIO

from prewarm.errors import truncate

HEADER = "url"
# The rows that decide which character separates the columns if no header does.
ROWS_PEEKED = 20
SEPARATORS = "\t;,"
# `;name=value` belongs to a path (RFC 3986, section 3.3).
MATRIX_PARAMETER = re.compile(r";[\w.-]+=")
SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\s*")
SCHEME = re.compile(r"https?:", re.IGNORECASE)
SPACE = "\ufeff \t"


def read_table(text: TextIO, *, tabs: bool) -> Iterator[tuple[int, str]]:
    """Yield the URLs of the column with the header `url`, or of a table's only column, each with its line.

    `tabs`: whether only a tab separates columns, as in a `.tsv`. Without the header, columns behind the first one are
    accepted only where the separator cannot be part of a URL: a tab, or what a first line `sep=;` names. A row that
    begins with # is a comment, unless the URLs are in a later column.

    Raises:
        ValueError: the table is not CSV, or a row has more cells than the header, or a second URL; the message
            continues a sentence with the table's name.

    """
    first = list(islice(text, ROWS_PEEKED))
    skipped, separator = 0, "\t" if tabs else ""
    if first and (named := SEPARATOR_LINE.fullmatch(first[0])):
        # Excel's own way to name the separator.
        separator, skipped, first = named[1], 1, first[1:]
    separator = separator or _separator(first)
    table = _Table(is_certain=separator == "\t" or bool(skipped))
    rows = csv.reader(chain(first, text), delimiter=separator)
    try:
        for row in rows:
            url = table.url_of([cell.strip(SPACE) for cell in row], rows.line_num + skipped)
            if url is not None:
                yield rows.line_num + skipped, url
    except csv.Error as error:
        raise ValueError(f"is not CSV: line {rows.line_num + skipped}: {error}") from error


class _Table:
    """The columns of a table; `is_certain`: its separator cannot be part of a URL."""

    def __init__(self, *, is_certain: bool) -> None:
        self._is_certain = is_certain
        self._column = 0
        # The header's cells; 0 for a table without one, None before the first row.
        self._width: int | None = None

    def url_of(self, cells: list[str], line: int) -> str | None:
        """Return a row's URL, None for the header, a comment or a blank row."""
        if not any(cells):
            return None
        if self._width is None and HEADER in (names := [cell.lower() for cell in cells]):
            if names.count(HEADER) > 1:
                raise _unclear(f"line {line} names the column {HEADER} twice")
            self._column, self._width = names.index(HEADER), len(cells)
            return None
        if self._column == 0 and cells[0].startswith("#"):
            return None
        if self._width is None:
            self._width = 0
            if not re.search("[./:]", cells[0]):
                raise _unclear(f"line {line} begins with {truncate(cells[0])!r}; name the URLs' column {HEADER}")
        self._check_cells(cells, line)
        return cells[self._column] if self._column < len(cells) else ""

    def _check_cells(self, cells: list[str], line: int) -> None:
        """Refuse a row with more cells than one URL and what the header names.

        Raises:
            ValueError: it has.

        """
        if self._width:
            if len(cells) > self._width:
                raise _unclear(f"line {line} has {len(cells)} cells, the header has {self._width}; quote the URL")
        elif len(cells) > 1 and not self._is_certain:
            fix = f"name the URLs' column {HEADER}, or quote the URL"
            raise _unclear(f"line {line} has {len(cells)} cells, and there is no header {HEADER}; {fix}")
        elif any(SCHEME.match(cell) for cell in cells[1:]):
            raise _unclear(f"line {line} has more than one URL, and there is no header {HEADER}; write one per line")


def _unclear(reason: str) -> ValueError:
    return ValueError(f"is not a table of URLs: {reason}")


def _separator(lines: list[str]) -> str:
    """Return the character that separates a table's columns.

    A header with `url` decides; else the first of tab and semicolon that each of the first rows has equally often, a
    semicolon not as a parameter in a path; else it is the comma.
    """
    for separator in SEPARATORS:
        if _has_header(lines, separator):
            return separator
    lines = [line for line in lines if line.strip("\ufeff \t\r\n") and not line.startswith("#")]
    for separator in "\t;":
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            in_paths = separator == ";" and any(MATRIX_PARAMETER.search(line) for line in lines)
            if not in_paths:
                return separator
    return ","


def _has_header(lines: list[str], separator: str) -> bool:
    """Return whether the first row, or a comment before it, has several columns and one with the header `url`."""
    try:
        for row in csv.reader(lines, delimiter=separator):
            cells = [cell.strip(SPACE).lower() for cell in row]
            if len(cells) > 1 and HEADER in cells:
                return True
            if any(cells) and not cells[0].startswith("#"):
                return False
    except csv.Error:
        pass
    return False
