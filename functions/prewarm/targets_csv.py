"""The CSV of targets: pairs of URL and POP with their demand, as `prewarm traffic` writes and the service reads it.

```
#traffic,requests=1000,from=2026-11-01T00:00:00Z,to=2026-11-02T00:00:00Z,curve=50:3;80:9;90:20;95:41;99:90
url,pop,requests,bytes
https://www.example.com/a,NRT57-P3,120,64000
#end,pairs=1,requests=120
```

The first and the last line are optional in a file and are checked where they are; a stream must have the last one,
so that a cut one is refused. Quoting follows RFC 4180. Pure, and free of the parser of URLs, so that the base command
can import it.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple, TextIO

from prewarm.catalogue import POP_PATTERN
from prewarm.errors import truncate

COLUMNS = ("url", "pop", "requests", "bytes")
NEEDED = ("url", "pop")
TRAFFIC, END = "#traffic", "#end"
# What spreadsheets write between cells where a comma is the decimal sign.
SEPARATORS = {";": "semicolons", "\t": "tabs"}
# Most pairs of one run: a hundred times what carries 95 % of the requests of a busy site.
PAIRS_AT_MOST = 2_000_000
# Counts are sums over log lines: beyond this a file is damaged, and JSON readers lose digits (2^53).
MOST_COUNT = 2**53
MOST_SUM = 10**24 - 1
COUNT = re.compile(r"\d{1,24}", re.ASCII)
# The columns of a file as `write_targets` and Athena write it, with their places, and a usual row of it: any cell may
# be quoted, and a quoted URL may have commas. This takes half of the time of the CSV reader; a reader for each row,
# which other rows need, takes twice as long as the one. Counts of so many digits are below MOST_COUNT.
USUAL_COLUMNS = [(name, place) for place, name in enumerate(COLUMNS)]
_SIGNS = "!$-+\\--~\xa1-\u167f\u3001-\U0010ffff"  # no comma, quote, # or white space; # may follow
USUAL_ROW = re.compile(
    rf'(")?([{_SIGNS}](?(1)[#,{_SIGNS}]*+"|[#{_SIGNS}]*+)),'
    r'(")?([A-Z]{3}[0-9]{1,3}-[A-Z][0-9]{1,3})(?(3)"),(")?([0-9]{1,15})(?(5)"),(")?([0-9]{1,15})(?(7)")(?:\r?\n)?'
)
# Written at once: a call for each row takes twice as long.
ROWS_WRITTEN = 1_000
CURVE = re.compile(r"(?P<percent>\d{1,2}(?:\.\d+)?|100):(?P<pairs>\d{1,16})", re.ASCII)


class TargetsError(ValueError):
    """The text is not a CSV of targets; the message names line and column and continues a sentence with its name."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The first line: all requests counted in the logs, their period, and the pairs needed for each percentage.

    `since` and `until` are ISO 8601 times, empty if unknown; `curve` has by percentage the smallest number of pairs
    that carries it.
    """

    requests: int
    since: str = ""
    until: str = ""
    curve: dict[float, int] = field(default_factory=dict)

    def line(self) -> str:
        """Return the line without its end."""
        curve = ";".join(f"{percent:g}:{pairs}" for percent, pairs in self.curve.items())
        return f"{TRAFFIC},requests={self.requests},from={self.since},to={self.until},curve={curve}"

    @classmethod
    def from_line(cls, line: str) -> "Traffic":
        """Read the line.

        Raises:
            TargetsError: a value is missing or wrong.

        """
        values = _values(line, TRAFFIC, 1)
        curve: dict[float, int] = {}
        for entry in filter(None, values.get("curve", "").split(";")):
            if (found := CURVE.fullmatch(entry)) is None:
                raise _error(1, "curve", f"{truncate(entry)!r} is not a percentage and a number such as 95:4129")
            curve[float(found["percent"])] = int(found["pairs"])
        return cls(_count(values, "requests", 1, most=MOST_SUM), values.get("from", ""), values.get("to", ""), curve)


class Pair(NamedTuple):
    """One line: a URL as it was asked for, the POP's id, its requests and the bytes of one complete answer."""

    url: str
    pop: str
    requests: int = 1
    bytes: int = 0


def write_targets(pairs: Iterable[tuple[str, str, int, int]], file: TextIO, traffic: Traffic | None = None) -> int:
    """Write pairs with the header, the first line if `traffic` is given, and the last line; return their number."""
    write_head(file, traffic)
    writer = csv.writer(file, lineterminator="\n")
    count = requests = 0
    rows = iter(pairs)
    while some := list(islice(rows, ROWS_WRITTEN)):
        writer.writerows(some)
        count, requests = count + len(some), requests + sum(row[2] for row in some)
    write_end(file, count, requests)
    return count


def write_head(file: TextIO, traffic: Traffic | None = None) -> None:
    """Write what comes before the pairs."""
    if traffic is not None:
        file.write(traffic.line() + "\n")
    file.write(",".join(COLUMNS) + "\n")


def write_end(file: TextIO, pairs: int, requests: int) -> None:
    """Write the last line: the number of pairs before it and their requests."""
    file.write(f"{END},pairs={pairs},requests={requests}\n")


class TargetsReader:
    """Reads a CSV of targets line by line; iterate over it once for (line, Pair).

    `lines`: the text's lines with their ends; `needs_end`: refuse a text without the last line, as a stream may be
    cut. `traffic` is known after the first pair, or at the end; `pairs` and `requests` count what was read.
    """

    def __init__(self, lines: Iterable[str], *, needs_end: bool = False) -> None:
        self._lines, self._needs_end = iter(lines), needs_end
        self.traffic: Traffic | None = None
        self.pairs = self.requests = 0
        self.ended = False

    def __iter__(self) -> Iterator[tuple[int, Pair]]:
        """Yield each pair with the line on which it begins, counted from 1.

        Raises:
            TargetsError: the text is not in the format; the message names line and column.

        """
        lines, usual = self._without_mark(), False
        columns: dict[str, int] | None = None
        number = width = 0
        try:
            for text in lines:
                number += 1
                if usual and (found := USUAL_ROW.fullmatch(text)):
                    quote, url, _, pop, _, requests, _, size = found.groups()
                    pair = Pair(url[:-1] if quote else url, pop, int(requests), int(size))
                    self.pairs += 1
                    self.requests += pair[2]
                    yield number, pair
                    continue
                # A quoted cell may continue in the next lines.
                rows, first = csv.reader(chain((text,), lines), strict=True), number
                number = first - 1
                row = next(rows)
                number += rows.line_num
                if not row or (not row[0].strip() and not any(cell.strip() for cell in row)):
                    continue
                if self.ended:
                    raise _error(first, "", f"has a line after {END}")
                if row[0].startswith("#"):
                    self._mark(",".join(row), first, first=columns is None)
                    usual = usual and not self.ended
                elif columns is None:
                    columns, width = _columns(row, first), len(row)
                    usual = [*columns.items()] == USUAL_COLUMNS
                else:
                    pair = _pair(row, columns, first, width)
                    self.pairs += 1
                    self.requests += pair.requests
                    yield first, pair
        except csv.Error as error:
            raise _error(number + rows.line_num, "", f"is not CSV: {error}") from error
        if columns is None:
            raise TargetsError(f"is empty; it needs the header {','.join(COLUMNS)}")
        if self._needs_end and not self.ended:
            raise TargetsError(f"ends after line {number} without {END}, so it was cut off; create it again")

    def _without_mark(self) -> Iterator[str]:
        """Return the lines without a byte order mark before the first one."""
        first = next(self._lines, "")
        return chain((first.removeprefix("\ufeff"),), self._lines) if first else self._lines

    def _mark(self, text: str, number: int, *, first: bool) -> None:
        """Read a line that begins with #."""
        name = text.split(",", 1)[0].strip()
        if other := next((sign for sign in SEPARATORS if name.startswith(TRAFFIC + sign)), None):
            raise _error(number, "", f"{SEPARATORS[other]} separate the cells; save the list with commas")
        if name == TRAFFIC and first and self.traffic is None:
            self.traffic = Traffic.from_line(text)
        elif name == END and not first:
            values = _values(text, END, number)
            for column, counted in (("pairs", self.pairs), ("requests", self.requests)):
                if (named := _count(values, column, number, most=MOST_SUM)) != counted:
                    raise _error(
                        number,
                        column,
                        f"{END} says {named:,}, but there are {counted:,}: the file was cut, or edited; "
                        "make it again, or remove the line if you edited it",
                    )
            self.ended = True
        else:
            expected = f"only {TRAFFIC} on the first line and {END} on the last one may begin with #"
            raise _error(number, "", f"{truncate(name)!r} has no meaning here; {expected}")


def _columns(row: list[str], number: int) -> dict[str, int]:
    names = [cell.strip().lower() for cell in row]
    if len(row) == 1 and (other := next((sign for sign in SEPARATORS if NEEDED[0] in names[0].split(sign)), None)):
        raise _error(number, "", f"{SEPARATORS[other]} separate the cells; save the list with commas")
    if missing := [name for name in NEEDED if name not in names]:
        header = f"expected the header {','.join(COLUMNS)}, got {truncate(','.join(row))!r}"
        raise _error(number, missing[0], f"is missing; {header}")
    if len(set(names)) < len(names):
        raise _error(number, "", "the header names a column twice")
    return {name: names.index(name) for name in COLUMNS if name in names}


def _pair(row: list[str], columns: dict[str, int], number: int, width: int) -> Pair:
    """Return the pair in a row; `width`: the header's cells."""
    if len(row) > width:
        # A URL with a comma that is not quoted: its part before the comma is another URL.
        raise _error(number, "", f"has {len(row)} cells, the header has {width}; quote the URL")
    values = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
    if not values.get("url"):
        raise _error(number, "url", "is empty")
    pop = values.get("pop", "").upper()
    if POP_PATTERN.fullmatch(pop) is None:
        raise _error(number, "pop", f"{truncate(pop)!r} is not a POP id (expected a value such as NRT57-P3)")
    counts = {name: _count(values, name, number) for name in ("requests", "bytes") if name in columns}
    return Pair(values["url"], pop, **counts)


def _values(line: str, name: str, number: int) -> dict[str, str]:
    """Return the named values of a line that begins with #."""
    values = {}
    for part in filter(None, line.strip().split(",")[1:]):
        key, equals, value = part.strip().partition("=")
        if not equals:
            raise _error(number, "", f"{truncate(part)!r} of {name} is not a name=value")
        values[key] = value
    return values


def _count(values: dict[str, str], name: str, number: int, most: int = MOST_COUNT) -> int:
    text = values.get(name, "")
    if COUNT.fullmatch(text) is None or int(text) > most:
        raise _error(number, name, f"{truncate(text)!r} is not a whole number from 0 to {most:,}")
    return int(text)


def _error(number: int, column: str, message: str) -> TargetsError:
    return TargetsError(f"line {number}, column {column}: {message}" if column else f"line {number}: {message}")
