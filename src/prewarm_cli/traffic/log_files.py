"""Log files, and their formats, which are recognised by content."""

from __future__ import annotations

import bisect
import contextlib
import functools
import itertools
import json
import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from prewarm.targets_csv import TRAFFIC
from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_fields import KNOWN, POP_FIELD, canonical

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
# How files begin that have been compressed by another program than CloudFront.
COMPRESSED = {
    b"\x28\xb5\x2f\xfd": "compressed by zstd", b"BZh": "compressed by bzip2", b"\xfd7zXZ": "compressed by xz",
    b"PK\x03\x04": "a ZIP archive",
}  # fmt: skip
# Lines from which the delimiter of a log is found; the first may be damaged, or contain the delimiter.
LINES_COMPARED = 50
# How a CSV of targets begins that this command has written.
TARGETS = f"{TRAFFIC},"
# What is read of a file to recognise it, in bytes: a line of a log is at most 20 KB of headers and URL.
HEAD = 65_536
# What is looked at first of that: tens of thousands of small files are not decompressed twice.
FIRST_LOOK = 4_096
# Delimiters of standard logging v2 (PutDeliveryDestination, "fieldDelimiter"), the default first.
DELIMITERS = ("\t", ",", "|", ";", " ")
# A headerless line of a log has at least this many fields.
FEWEST_FIELDS = 3
# Lines of JSON from which the names are read; a record may lack some.
RECORDS_READ = 20
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
    """A file on this machine and the name by which messages call it.

    `parts` of a joined file, in order; `given`: the length of the part of the name that the user named, a folder.
    """

    path: Path
    name: str
    parts: tuple[Part, ...] = ()
    given: int = 0

    def place(self, line: int) -> str:
        """Return a line as `name:line`, in a joined file with the name and the line of the file in it."""
        if not self.parts:
            return f"{self.name}:{line}"
        part = self.parts[bisect.bisect_right(self.parts, line, key=lambda each: each.start) - 1]
        return f"{part.name}:{line - part.start + 1 + part.skip}"


class NotALog(Exception):
    """A file's content is that of no known log; the message is the reason."""


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
    if kind := next((kind for magic, kind in COMPRESSED.items() if start.startswith(magic)), None):
        raise NotALog(f"it is {kind}, which is not read; unpack it")
    if b"\0" in content:
        raise NotALog("it is binary")
    shape = _text_shape(file.name, lines, tuple(given))
    return replace(shape, packed=packed) if shape else None


def unpacked(start: bytes, size: int) -> bytes:
    """Return at most so many bytes of the beginning of a gzip file's content."""
    content = b""
    # The first of several members may be empty, or have only the header.
    while start.startswith(GZIP) and len(content) < size:
        reader = zlib.decompressobj(31)
        try:
            content += reader.decompress(start, size - len(content))
        except zlib.error as error:
            if content:
                break
            raise NotALog(f"its gzip is damaged: {error}") from error
        start = reader.unused_data
    return content


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
        return Shape("text", header, _delimiter(lines[skip:], len(header)), skip)
    if not record:
        return None
    if record.lstrip().startswith("{"):
        return Shape("json", _json_names(lines[skip:]), skip=skip)
    _check_record(record)
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
    return Shape("text", given, _delimiter(lines[skip:], len(given)), skip, headerless=True)


def _check_record(record: str) -> None:
    """Refuse the first line of files that are sometimes among logs."""
    if record.lstrip().startswith("["):
        raise NotALog("it is an array of JSON; each record must be a line")
    if {"url", "pop"} <= {name.strip('" ').lower() for name in record.split(",")}:
        raise NotALog("it is a CSV of targets")


def _json_names(lines: list[str]) -> tuple[str, ...]:
    """Return the names of fields in the first objects of a file of JSON lines, sorted."""
    names: set[str] = set()
    for line in lines[:RECORDS_READ]:
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            names |= found.keys() if isinstance(found, dict) else set()
    if not names:
        raise NotALog("its JSON has no object in one line; each record must be a line")
    # Other names may contain what a path of JSON cannot.
    if not (fields := sorted(name for name in names if canonical(name) in KNOWN)):
        raise NotALog("its JSON has no field of CloudFront's logs")
    return tuple(fields)


@functools.lru_cache(maxsize=64)
def header_fields(line: str) -> tuple[str, ...]:
    """Return the canonical names of a #Fields line."""
    text = line.partition(":")[2].strip()
    names = re.split(r"[ \t]+", text)
    # With another delimiter the names may have it too.
    return tuple(canonical(name) for name in (names if len(names) > 1 else re.split(r"[,|;]", text)) if name)


def _delimiter(lines: list[str], fields: int) -> str:
    """Return the delimiter that divides most of the lines into the fields, a tab if none does."""
    record = next((line for line in lines if line.strip()), "")
    if record.count(DELIMITERS[0]) == fields - 1:
        return DELIMITERS[0]
    some = lines[:LINES_COMPARED]
    return max(DELIMITERS, key=lambda each: sum(line.count(each) == fields - 1 for line in some))
