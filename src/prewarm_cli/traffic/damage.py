"""Damaged lines and files: counted, and the first of them named by file and line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_fields import canonical
from prewarm_cli.traffic.log_files import GZIP, HEAD, LogFile, header_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prewarm_cli.traffic.log_files import Shape

# Lines and files that a report names; all are counted.
NAMED = 20
# Which of the numbered records of a shape are damaged, by the rule of the scan.
Judge = Callable[["Shape", "Iterable[tuple[int, Mapping[str, str]]]"], "Iterator[int]"]


@dataclass
class Damage:
    """What could not be read: the number of lines, the first of them as `file:line`, and files with the reason."""

    lines: int = 0
    examples: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def name(self, place: str) -> None:
        """Add an example unless there are enough."""
        if len(self.examples) < NAMED and place not in self.examples:
            self.examples.append(place)

    def damaged_gzip(self, name: str, reason: str) -> None:
        """Record a gzip file of which only a part can be read."""
        self.files[name] = f"its gzip is damaged ({reason}); its readable part counts"


def repaired(
    by_path: dict[str, LogFile], shape: Shape, folder: Path, found: Damage, connection: duckdb.DuckDBPyConnection
) -> dict[str, LogFile] | None:
    """Return the files without the damaged ones, of which the readable part is kept; None if all Parquet is whole.

    A gzip file that ends early is read up to there, as a delivery that was cut has most of its lines. If all files of
    text are whole, they are returned in the form that DuckDB reads surely: one kind of line ends, and gzip without
    zeros after it.
    """
    changed = False
    kept: dict[str, LogFile] = {}
    copies: dict[str, LogFile] = {}
    for path, file in by_path.items():
        if shape.format == "parquet":
            try:
                connection.execute("SELECT count(*) FROM read_parquet($path)", {"path": path}).fetchall()
            except duckdb.Error as error:
                found.files[file.name] = f"its Parquet is damaged: {str(error).partition(chr(10))[0]}"
                changed = True
                continue
            kept[path] = file
            continue
        part = folder / f"part{len(copies)}.log"
        copies[str(part)] = LogFile(part, file.name, file.parts)
        if reason := _read_until_damage(Path(path), part, packed=shape.packed):
            found.damaged_gzip(file.name, reason)
            changed = True
    return kept if shape.format == "parquet" and changed else copies or None


def _read_until_damage(path: Path, part: Path, *, packed: bool) -> str:
    """Write the content of a file up to its damage, with one kind of line ends; return the damage, "" for none."""
    # Compressed again, since one scan reads all of its files in the same way.
    with (
        gzip.open(path) if packed else path.open("rb") as opened,
        gzip.open(part, "wb", compresslevel=1) if packed else part.open("wb") as copy,
    ):
        ended = b""
        try:
            while block := opened.read1(HEAD):
                block, ended = ended + block, b""
                if block.endswith(b"\r"):
                    block, ended = block[:-1], b"\r"
                # DuckDB reads no carriage return within a line. Another control character is as invalid in a URL.
                copy.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\2"))
        except (EOFError, zlib.error, OSError) as error:
            return str(error)
    return ""


def read_rejects(
    connection: duckdb.DuckDBPyConnection, shape: Shape, by_path: dict[str, LogFile], found: Damage
) -> None:
    """Count and name the lines that DuckDB rejected: the number of fields is wrong, or they are not UTF-8.

    Raises:
        CommandFailed: a file has a second #Fields line with other fields, as joined files have.

    """
    rejected = (
        "(SELECT DISTINCT s.file_path, e.line, ltrim(e.csv_line, E'\\r\\n') AS text FROM reject_errors e "
        "JOIN reject_scans s USING (scan_id, file_id))"
    )
    headers = connection.execute(
        f"SELECT file_path, line, text FROM {rejected} WHERE starts_with(text, '#Fields:')"
    ).fetchall()
    for path, line, text in headers:
        if shape.format == "text" and header_fields(text) != shape.fields:
            raise CommandFailed(
                f"{by_path[path].place(line)}: a second #Fields line names other fields; divide the file there"
            )
    damaged = f"FROM {rejected} WHERE NOT starts_with(text, '#')"
    found.lines += connection.execute(f"SELECT count(*) {damaged}").fetchall()[0][0]
    for path, line in connection.execute(
        f"SELECT file_path, line {damaged} ORDER BY file_path, line LIMIT {NAMED}"
    ).fetchall():
        found.name(by_path[path].place(line))


def name_values(
    connection: duckdb.DuckDBPyConnection, shape: Shape, by_path: dict[str, LogFile], found: Damage, judge: Judge
) -> None:
    """Count the records whose values are damaged, and name the lines of the first of them."""
    rows = connection.execute(
        "SELECT pop, sum(lines) FROM seen WHERE category = 'damaged' GROUP BY pop ORDER BY pop"
    ).fetchall()
    for path, lines in rows:
        found.lines += int(lines)
        file = by_path[path]
        if len(found.examples) >= NAMED:
            continue
        if shape.format == "parquet":
            found.name(file.name)
            continue
        for number in judge(shape, _records(Path(path), shape)):
            found.name(file.place(number))
            if len(found.examples) >= NAMED:
                break
    connection.execute("DELETE FROM seen WHERE category = 'damaged'")


def _records(path: Path, shape: Shape) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines that the scan reads as records: their numbers and values."""
    with path.open("rb") as opened:
        packed = opened.read(2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as opened:
        for number, raw in enumerate(opened, 1):
            if number <= shape.skip:
                continue
            values = _values(raw.decode("utf-8", "replace").rstrip("\r\n"), shape)
            if values is not None:
                yield number, values


def _values(line: str, shape: Shape) -> dict[str, str] | None:
    """Return a record's values, {} if it is not JSON, None for a line that the scan rejects or skips."""
    if shape.format == "json":
        try:
            document = json.loads(line)
        except ValueError:
            return {} if line.strip() else None
        if not isinstance(document, dict):
            return {}
        return {canonical(key): str(value) for key, value in document.items() if value is not None}
    parts = line.split(shape.delimiter)
    if len(parts) != len(shape.fields):
        return None
    # An empty value is NULL to the scan.
    return {name: part for name, part in zip(shape.fields, parts, strict=True) if part}
