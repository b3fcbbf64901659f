"""Read the CSV of targets (targets_csv.py): many rows at once where they are plain, the others one by one. Pure."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prewarm.catalogue import POP_PATTERN
from prewarm.errors import truncate
from prewarm.targets_blocks import blocks, has_line_of, lines_of
from prewarm.targets_columns import columns_of, counts_of
from prewarm.targets_csv import (
    COLUMNS,
    END,
    MOST_SUM,
    SEPARATORS,
    TRAFFIC,
    Pair,
    TargetsError,
    Traffic,
    count_of,
    error_at,
    values_of,
)

NEEDED = ("url", "pop")
# What a row without these columns has.
DEFAULTS = {"requests": 1, "bytes": 0}


class Rows(NamedTuple):
    """Pairs as columns of the same length; `lines`: those on which they begin, counted from 1."""

    lines: Sequence[int]
    urls: Sequence[str]
    pops: Sequence[str]
    requests: Sequence[int]
    bytes: Sequence[int]


class TargetsReader:
    """Reads a CSV of targets; iterate once, over it for (line, Pair) or over `rows()`, which takes half of the time.

    `texts`: the text in pieces of any length; `needs_end`: refuse a text without the last line, as a stream may be
    cut; `longest_line`: refuse a line of so many characters. `traffic` is known after the first pair, or at the end;
    `pairs` and `requests` count what was read.
    """

    def __init__(self, texts: Iterable[str], *, needs_end: bool = False, longest_line: int | None = None) -> None:
        self._needs_end, self._longest_line = needs_end, longest_line
        self._blocks = blocks(texts, longest_line)
        # The lines of the blocks that are read one by one, and how many lines were read.
        self._waiting: deque[str] = deque()
        self._number = 0
        # The places of the known columns, and the number of all.
        self._columns: dict[str, int] = {}
        self._width = 0
        # By text as listed.
        self._pops: dict[str, str] = {}
        self.traffic: Traffic | None = None
        self.pairs = self.requests = 0
        self.ended = False

    def __iter__(self) -> Iterator[tuple[int, Pair]]:
        """Yield each pair with the line on which it begins, counted from 1; raises TargetsError as `rows` does."""
        for rows in self.rows():
            yield from zip(rows.lines, map(Pair, *rows[1:]), strict=True)

    def rows(self) -> Iterator[Rows]:
        """Yield all pairs, some hundred at once.

        Raises:
            TargetsError: the text is not in the format; the message names line and column. The pairs of the lines
                before were yielded.

        """
        for block in self._blocks:
            if rows := self._plain(block):
                yield rows
            else:
                self._waiting.extend(lines_of(block))
                yield from self._one_by_one()
        if not self._columns:
            raise TargetsError(f"is empty; it needs the header {','.join(COLUMNS)}")
        if self._needs_end and not self.ended:
            raise TargetsError(f"ends after line {self._number} without {END}, so it was cut off; create it again")

    def _plain(self, text: str) -> Rows | None:
        """Return the rows of whole lines; None if they have to be read one by one, as for any fault."""
        if not text or not self._columns or self.ended or has_line_of(text, self._longest_line):
            return None
        if (cells := columns_of(text, self._width)) is None:
            return None
        urls = list(map(str.strip, cells[self._columns["url"]]))
        pops = list(map(self._pops.get, pop_cells := cells[self._columns["pop"]]))
        if None in pops:
            self._pops |= {cell: pop for cell in set(pop_cells) if POP_PATTERN.fullmatch(pop := cell.strip().upper())}
            pops = list(map(self._pops.get, pop_cells))
        counts = [
            counts_of(cells[self._columns[name]]) if name in self._columns else [default] * len(urls)
            for name, default in DEFAULTS.items()
        ]
        if not all(urls) or None in pops or None in counts:
            return None
        first, self._number = self._number + 1, self._number + len(urls)
        return self._counted(Rows(range(first, self._number + 1), urls, pops, *counts))  # type: ignore[arg-type]

    def _counted(self, rows: Rows) -> Rows:
        self.pairs += len(rows.urls)
        self.requests += sum(rows.requests)
        return rows

    def _one_by_one(self) -> Iterator[Rows]:
        """Yield the rows of the waiting lines; raise what is wrong in one of them after the rows before it."""
        taken: list[tuple[int, Pair]] = []
        try:
            rest = self._take_waiting(taken)
        except ValueError:
            if taken:
                yield _rows_of(taken)
            raise
        if taken:
            yield _rows_of(taken)
        if rest:
            yield rest

    def _take_waiting(self, taken: list[tuple[int, Pair]]) -> Rows | None:
        """Add the pairs of the waiting lines to `taken`; return those that follow the header, if they are plain."""
        rows = csv.reader(self._following(), strict=True)
        try:
            while self._waiting:
                first = self._number + 1
                row = next(rows)
                if not row or (not row[0].strip() and not any(cell.strip() for cell in row)):
                    continue
                if self.ended:
                    raise error_at(first, "", f"has a line after {END}")
                if row[0].startswith("#"):
                    self._mark(",".join(row), first)
                elif self._columns:
                    pair = _pair(row, self._columns, first, self._width)
                    self.pairs += 1
                    self.requests += pair.requests
                    taken.append((first, pair))
                else:
                    self._columns, self._width = _columns(row, first), len(row)
                    if plain := self._plain("".join(self._waiting)):
                        self._waiting.clear()
                        return plain
        except csv.Error as error:
            raise error_at(self._number, "", f"is not CSV: {error}") from error
        return None

    def _following(self) -> Iterator[str]:
        """Yield the waiting lines, and those after them, as a quoted cell may continue there."""
        while True:
            if not self._waiting:
                self._waiting.extend(lines_of(next(self._blocks, "")))
            if not self._waiting:
                return
            line = self._waiting.popleft()
            self._number += 1
            if self._longest_line and len(line) >= self._longest_line:
                limit = f"has more than {self._longest_line:,} characters; is it a list of targets?"
                raise TargetsError(f"line {self._number} {limit}")
            yield line

    def _mark(self, text: str, number: int) -> None:
        """Read a line that begins with #."""
        name, is_first = text.split(",", 1)[0].strip(), not self._columns
        if other := next((sign for sign in SEPARATORS if name.startswith(TRAFFIC + sign)), None):
            raise error_at(number, "", f"{SEPARATORS[other]} separate the cells; save the list with commas")
        if name == TRAFFIC and is_first and self.traffic is None:
            self.traffic = Traffic.from_line(text)
        elif name == END and not is_first:
            values = values_of(text, END, number)
            for column, counted in (("pairs", self.pairs), ("requests", self.requests)):
                if (named := count_of(values, column, number, most=MOST_SUM)) != counted:
                    raise error_at(
                        number,
                        column,
                        f"{END} says {named:,}, but there are {counted:,}: the file was cut, or edited; "
                        "make it again, or remove the line if you edited it",
                    )
            self.ended = True
        else:
            expected = f"only {TRAFFIC} on the first line and {END} on the last one may begin with #"
            raise error_at(number, "", f"{truncate(name)!r} has no meaning here; {expected}")


def _columns(row: list[str], number: int) -> dict[str, int]:
    names = [cell.strip().lower() for cell in row]
    if len(row) == 1 and (other := next((sign for sign in SEPARATORS if NEEDED[0] in names[0].split(sign)), None)):
        raise error_at(number, "", f"{SEPARATORS[other]} separate the cells; save the list with commas")
    if missing := [name for name in NEEDED if name not in names]:
        header = f"expected the header {','.join(COLUMNS)}, got {truncate(','.join(row))!r}"
        raise error_at(number, missing[0], f"is missing; {header}")
    if len(set(names)) < len(names):
        raise error_at(number, "", "the header names a column twice")
    return {name: names.index(name) for name in COLUMNS if name in names}


def _pair(row: list[str], columns: dict[str, int], number: int, width: int) -> Pair:
    """Return the pair in a row; `width`: the header's cells."""
    if len(row) > width:
        # A URL with a comma that is not quoted: its part before the comma is another URL.
        raise error_at(number, "", f"has {len(row)} cells, the header has {width}; quote the URL")
    values = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
    if not values.get("url"):
        raise error_at(number, "url", "is empty")
    pop = values.get("pop", "").upper()
    if POP_PATTERN.fullmatch(pop) is None:
        raise error_at(number, "pop", f"{truncate(pop)!r} is not a POP id (expected a value such as NRT57-P3)")
    counts = {name: count_of(values, name, number) for name in DEFAULTS if name in columns}
    return Pair(values["url"], pop, **counts)


def _rows_of(pairs: Sequence[tuple[int, Pair]]) -> Rows:
    """Return pairs with their lines as columns; there is at least one."""
    lines, of_line = zip(*pairs, strict=True)
    return Rows(lines, *zip(*of_line, strict=True))
