"""The CSV of targets: pairs of URL and POP with their demand, as `prewarm traffic` writes and the service reads it.

```
#traffic,requests=1000,from=2026-11-01T00:00:00Z,to=2026-11-02T00:00:00Z,curve=50:3;80:9;90:20;95:41;99:90
url,pop,requests,bytes
https://www.example.com/a,NRT57-P3,120,64000
#end,pairs=1,requests=120
```

The first and the last line are optional in a file and are checked where they are; a stream must have the last one,
so that a cut one is refused. Quoting follows RFC 4180. targets_reader.py reads it. Pure, and free of the parser of
URLs, so that the base command can import it.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TextIO

from prewarm.errors import truncate

COLUMNS = ("url", "pop", "requests", "bytes")
TRAFFIC, END = "#traffic", "#end"
# What spreadsheets write between cells where a comma is the decimal sign.
SEPARATORS = {";": "semicolons", "\t": "tabs"}
# Most pairs of one run: a hundred times what carries 95 % of the requests of a busy site.
PAIRS_AT_MOST = 2_000_000
# Counts are sums over log lines: beyond this a file is damaged, and JSON readers lose digits (2^53).
MOST_COUNT = 2**53
MOST_SUM = 10**24 - 1
COUNT = re.compile(r"\d{1,24}", re.ASCII)
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
        values = values_of(line, TRAFFIC, 1)
        curve: dict[float, int] = {}
        for entry in filter(None, values.get("curve", "").split(";")):
            if (found := CURVE.fullmatch(entry)) is None:
                raise error_at(1, "curve", f"{truncate(entry)!r} is not a percentage and a number such as 95:4129")
            curve[float(found["percent"])] = int(found["pairs"])
        return cls(
            count_of(values, "requests", 1, most=MOST_SUM), values.get("from", ""), values.get("to", ""), curve
        )


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


def values_of(line: str, name: str, number: int) -> dict[str, str]:
    """Return the named values of a line that begins with #; raises TargetsError."""
    values = {}
    for part in filter(None, line.strip().split(",")[1:]):
        key, equals, value = part.strip().partition("=")
        if not equals:
            raise error_at(number, "", f"{truncate(part)!r} of {name} is not a name=value")
        values[key] = value
    return values


def count_of(values: dict[str, str], name: str, number: int, most: int = MOST_COUNT) -> int:
    """Return a named value as a whole number of at most `most`; raises TargetsError for line `number`."""
    text = values.get(name, "")
    if COUNT.fullmatch(text) is None or int(text) > most:
        raise error_at(number, name, f"{truncate(text)!r} is not a whole number from 0 to {most:,}")
    return int(text)


def error_at(number: int, column: str, message: str) -> TargetsError:
    """Return an error of a line, and of a column of it unless that is empty."""
    return TargetsError(f"line {number}, column {column}: {message}" if column else f"line {number}: {message}")
