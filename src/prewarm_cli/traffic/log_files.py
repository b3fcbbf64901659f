"""Log files: found in folders, pruned by the hour in their names, and their formats recognised by content."""

from __future__ import annotations

import bisect
import contextlib
import functools
import itertools
import json
import os
import re
import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from prewarm.targets_csv import TRAFFIC
from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.traffic.log_fields import KNOWN, POP_FIELD, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
# How a CSV of targets begins that this command has written.
TARGETS = f"{TRAFFIC},"
# What is read of a file to recognise it, in bytes: a line of a log is at most 20 KB of headers and URL.
HEAD = 65_536
# What is looked at first of that: tens of thousands of small files are not decompressed twice.
FIRST_LOOK = 4_096
# A part of a path below a folder that is not a log: hidden, or a mark such as _SUCCESS.
HIDDEN = re.compile(r"[/\\][._]")
# Delimiters of standard logging v2 (PutDeliveryDestination, "fieldDelimiter"), the default first.
DELIMITERS = ("\t", ",", "|", ";", " ")
# A headerless line of a log has at least this many fields.
FEWEST_FIELDS = 3
# Lines of JSON from which the names are read; a record may lack some.
RECORDS_READ = 20
# The hour of `ID.2026-11-14-20.hash.gz`, of `2026/11/14/20/` and of `year=2026/month=11/day=14/hour=20/`; the last
# two may end with the day.
HOUR = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<gap>-|/(?:month=)?)(?P<month>\d\d)(?:-|/(?:day=)?)(?P<day>\d\d)"
    r"(?:(?:-|/(?:hour=)?)(?P<hour>\d\d)(?!\d))?"
)
# Logs are delivered up to 24 hours late ("Timing of standard log file delivery"), and partitions and Firehose's keys
# have the time of the delivery; one hour more, since a name has the hour in which a period begins.
LATE, EARLY = timedelta(hours=25), timedelta(hours=1)

Format = Literal["text", "json", "parquet"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How files are read: one scan reads all files of one shape.

    `fields`: canonical names in order; of JSON the names as they are spelled, of Parquet none; `skip`: lines before
    the first record; `headerless`: the fields are those of --fields; `packed`: gzip, whatever the file's name is.
    """

    format: Format
    fields: tuple[str, ...] = ()
    delimiter: str = "\t"
    skip: int = 0
    headerless: bool = False
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a joined one: the line where it begins, how many lines before that were dropped, its name."""

    start: int
    skip: int
    name: str


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file on this machine and the name by which messages call it; `parts` of a joined file, in order."""

    path: Path
    name: str
    parts: tuple[Part, ...] = ()

    def place(self, line: int) -> str:
        """Return a line as `name:line`, in a joined file with the name and the line of the file in it."""
        if not self.parts:
            return f"{self.name}:{line}"
        part = self.parts[bisect.bisect_right(self.parts, line, key=lambda each: each.start) - 1]
        return f"{part.name}:{line - part.start + 1 + part.skip}"


class NotALog(Exception):
    """A file's content is that of no known log; the message is the reason."""


def local_files(paths: Iterable[Path]) -> list[LogFile]:
    """Return the files of these paths, folders with all below them; each once, in order of their names.

    Raises:
        CommandFailed: a path does not exist or cannot be read.

    """
    found: dict[tuple[int, int], LogFile] = {}
    for path in paths:
        try:
            if path.is_dir():
                inner = sorted(str(each) for each in path.rglob("*") if each.is_file())
                for name in inner:
                    if not HIDDEN.search(name, len(str(path))):
                        found.setdefault(_identity(name), LogFile(Path(name), name))
            else:
                path.open("rb").close()
                found.setdefault(_identity(str(path)), LogFile(path, str(path)))
        except OSError as error:
            raise CommandFailed(f"{path}: {file_reason(error)}") from error
    return list(found.values())


def _identity(name: str) -> tuple[int, int]:
    """Return what is the same for all names of a file."""
    # Path.resolve takes ten times as long.
    status = os.stat(name)  # noqa: PTH116
    return status.st_dev, status.st_ino


def within(name: str, since: datetime | None, until: datetime | None) -> bool:
    """Return whether a file of this name may have requests of a period; one without an hour in its name may.

    `since` and `until` are in UTC without a zone.
    """
    if since is None and until is None:
        return True
    matches = list(HOUR.finditer(name))
    if not matches:
        return True
    found = matches[-1]
    hour = found["hour"]
    try:
        # UTC without a zone, as the period.
        begin = datetime.fromisoformat(f"{found['year']}-{found['month']}-{found['day']}T{hour or '00'}")
    except ValueError:
        return True
    end = begin + timedelta(hours=1 if hour else 24)
    return not ((since and end + EARLY <= since) or (until and begin - LATE >= until))


def shape_of(file: LogFile, given: Sequence[str]) -> Shape | None:
    """Return how a file is read, None for an empty one; `given`: the fields of --fields.

    Raises:
        NotALog: the content is not a log.
        CommandFailed: the file is a log without a header, and --fields is missing.

    """
    with file.path.open("rb") as opened:
        start = opened.read(HEAD)
    if start.startswith(PARQUET):
        return Shape("parquet")
    packed = start.startswith(GZIP)
    for size in (FIRST_LOOK, HEAD):
        content = unpacked(start, size) if packed else start[:size]
        lines = content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
        if _shows_its_shape(lines):
            break
    if not content:
        return None
    if b"\0" in content:
        raise NotALog("it is binary")
    shape = _text_shape(file.name, lines, tuple(given))
    return replace(shape, packed=packed) if shape else None


def unpacked(start: bytes, size: int) -> bytes:
    """Return at most so many bytes of the beginning of a gzip file's content."""
    reader = zlib.decompressobj(31)
    try:
        return reader.decompress(start, size)
    except zlib.error as error:
        raise NotALog(f"its gzip is damaged: {error}") from error


def _shows_its_shape(lines: list[str]) -> bool:
    """Return whether the lines, of which the last may be cut, have a record; of JSON one record is not enough."""
    record = next((line for line in lines[:-1] if line.strip() and not line.startswith("#")), "")
    return bool(record) and not record.lstrip().startswith("{")


def _text_shape(name: str, lines: list[str], given: tuple[str, ...]) -> Shape | None:
    if lines and lines[0].startswith(TARGETS):
        raise NotALog("it is a CSV of targets")
    comments = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    header = next((header_fields(line) for line in reversed(comments) if line.startswith("#Fields:")), ())
    skip = len(comments)
    record = next((line for line in lines[skip:] if line.strip()), "")
    if header:
        return Shape("text", header, _delimiter(record, len(header)), skip)
    if not record:
        return None
    if record.lstrip().startswith("{"):
        return Shape("json", _json_names(lines[skip:]), skip=skip)
    for delimiter in DELIMITERS:
        names = tuple(canonical(part) for part in record.split(delimiter))
        if POP_FIELD in names and len(KNOWN.intersection(names)) > 1:
            return Shape("text", names, delimiter, skip + 1)
    if not any(record.count(delimiter) >= FEWEST_FIELDS - 1 for delimiter in DELIMITERS[:-1]):
        raise NotALog("it is neither a log with a #Fields line nor JSON nor Parquet")
    if not given:
        raise CommandFailed(
            f"{name}: has no #Fields line, as real-time logs have none; pass --fields with the names in the order of "
            "the log's configuration, such as --fields timestamp,x-edge-location,cs-uri-stem"
        )
    return Shape("text", given, _delimiter(record, len(given)), skip, headerless=True)


def _json_names(lines: list[str]) -> tuple[str, ...]:
    """Return the names in the first objects of a file of JSON lines, sorted."""
    names: set[str] = set()
    for line in lines[:RECORDS_READ]:
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            names |= found.keys() if isinstance(found, dict) else set()
    if not names:
        raise NotALog("its JSON has no object in one line; each record must be a line")
    return tuple(sorted(names))


@functools.lru_cache(maxsize=64)
def header_fields(line: str) -> tuple[str, ...]:
    """Return the canonical names of a #Fields line."""
    text = line.partition(":")[2].strip()
    names = re.split(r"[ \t]+", text)
    # With another delimiter the names may have it too.
    return tuple(canonical(name) for name in (names if len(names) > 1 else re.split(r"[,|;]", text)) if name)


def _delimiter(record: str, fields: int) -> str:
    """Return the delimiter that divides a record into its fields, a tab if none does."""
    return next((each for each in DELIMITERS if record.count(each) == fields - 1), DELIMITERS[0])
