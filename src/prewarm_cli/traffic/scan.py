"""Read log files with DuckDB into the table `seen`: counts by category, URL and POP, in several rows each.

DuckDB fetches no extension: automatic loading and installing are off, and its wheel contains what JSON and Parquet
need. Texts of logs and options reach a statement as parameters only.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic import damage
from prewarm_cli.traffic.log_fields import KNOWN, canonical, fields_of, text_of
from prewarm_cli.traffic.records import damaged_statement, insert_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prewarm_cli.traffic.damage import Damage
    from prewarm_cli.traffic.log_files import LogFile, Shape
    from prewarm_cli.traffic.selection import Selection

MEGABYTE = 1_000_000
# The part of the memory setting that DuckDB may plan with: the rest is Python, buffers of decompression and
# allocations that DuckDB does not count (measured by bench/traffic.py).
SHARE_OF_DUCKDB = 0.6
# Lines of a file with damaged values that are judged at once, to name the damaged ones.
LINES_JUDGED = 2_000
# The columns of `seen`. `site`: host, path and query; `requests`: a fraction if a sample was logged; `bytes`: the
# largest complete answer; `whole`, `partial`, `gone`: requests answered with 200, 206, 404; `reach`: the end of the
# furthest range.
SEEN = """
CREATE TABLE seen (
    category VARCHAR, site VARCHAR, pop VARCHAR, lines BIGINT, requests DOUBLE, https BIGINT, bytes BIGINT,
    whole BIGINT, partial BIGINT, gone BIGINT, reach BIGINT, last_ok TIMESTAMP, last_gone TIMESTAMP,
    first_time TIMESTAMP, last_time TIMESTAMP
)"""


def connect(folder: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Return a connection to a new database, which moves to the folder what exceeds the memory.

    The database has no file of its own: tables in one are compressed when they are written, which takes a quarter of
    the time after the scan.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "memory_limit": f"{int(memory_mb * SHARE_OF_DUCKDB)}MB",
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": "false",
        },
    )
    # It would go to stdout, among the CSV.
    connection.execute("SET enable_progress_bar = false")
    connection.execute(SEEN)
    return connection


class Scanner:
    """Scans files of one shape at a time; `damage` gathers what could not be read.

    `has_samples`: a real-time log was read, to which --sampling-rate applies.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, selection: Selection, found: Damage, folder: Path
    ) -> None:
        self._connection, self._selection, self._damage, self._folder = connection, selection, found, folder
        self.missing: dict[str, int] = {}
        self.has_samples = False

    def scan(self, shape: Shape, files: Sequence[LogFile]) -> None:
        """Add the records of files to `seen`.

        Raises:
            CommandFailed: the logs lack a field that is needed, or DuckDB fails for another reason than damage.

        """
        by_path = {str(file.path): file for file in files}
        if shape.format != "parquet":
            self._scan(shape, by_path)
            return
        try:
            parts = self._by_columns(by_path)
        except duckdb.Error as error:
            parts = self._by_columns(self._repaired(shape, by_path, error))
        for part in parts:
            self._scan(shape, part)

    def _scan(self, shape: Shape, by_path: dict[str, LogFile]) -> None:
        given = by_path.keys()
        try:
            self._insert(shape, by_path)
        except duckdb.Error as error:
            by_path = self._repaired(shape, by_path, error)
            if by_path:
                try:
                    self._insert(shape, by_path)
                except duckdb.Error as again:
                    name = first_name(by_path)
                    raise CommandFailed(f"{name}: DuckDB cannot read it: {first_line(again)}") from again
        if shape.format != "parquet":
            damage.read_rejects(self._connection, shape, by_path, self._damage)
        damage.name_values(self._connection, shape, by_path, self._damage, self._damaged)
        for path in by_path.keys() - given:
            # A copy that was made to be read.
            Path(path).unlink()

    def _repaired(self, shape: Shape, by_path: dict[str, LogFile], error: duckdb.Error) -> dict[str, LogFile]:
        """Return what can be read of files that DuckDB has failed to read."""
        kept = damage.repaired(by_path, shape, self._folder, self._damage, self._connection)
        if kept is None:
            name = first_name(by_path)
            raise CommandFailed(f"{name}: DuckDB cannot read it: {first_line(error)}") from error
        return kept

    def _by_columns(self, by_path: dict[str, LogFile]) -> list[dict[str, LogFile]]:
        """Return files of Parquet by their columns, without those that are not logs.

        One scan of files with other columns would read a column that a file lacks as empty, so that the file's
        records would be damaged, or its lack of a field would not be mentioned.
        """
        parts: dict[tuple[str, ...], dict[str, LogFile]] = {}
        if not by_path:
            return []
        for path, names in self._connection.execute(
            "SELECT file_name, list(DISTINCT name) FROM parquet_schema($files) GROUP BY file_name ORDER BY file_name",
            {"files": list(by_path)},
        ).fetchall():
            known = KNOWN.intersection(canonical(name, parquet=True) for name in names)
            parts.setdefault(tuple(sorted(known)), {})[path] = by_path[path]
        for file in parts.pop((), {}).values():
            self._damage.files[file.name] = "not a log: its Parquet has no field of CloudFront's logs"
        return list(parts.values())

    def _insert(self, shape: Shape, by_path: dict[str, LogFile]) -> None:
        try:
            self._insert_once(shape, by_path)
        except duckdb.OutOfMemoryException:
            # Each thread has groups in memory that cannot be moved to the disk, so that one thread needs least. The
            # failed statement has added nothing.
            self._connection.execute("SET threads = 1")
            try:
                self._insert_once(shape, by_path)
            except duckdb.OutOfMemoryException as error:
                name = next(iter(by_path.values())).name
                raise CommandFailed(f"{name}: its records need more memory; pass a larger --memory") from error

    def _insert_once(self, shape: Shape, by_path: dict[str, LogFile]) -> None:
        for table in ("reject_errors", "reject_scans"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.has_samples |= shape.headerless
        parameters: dict[str, Any] = {"files": list(by_path)}
        relation, columns = self._relation(shape, parameters)
        fields = fields_of(columns, real_time=shape.headerless, source=first_name(by_path))
        statement = insert_statement(fields, self._selection, relation, parameters, weighted=shape.headerless)
        self._connection.execute(statement, parameters)
        for text in fields.missing():
            number = sum(len(file.parts) or 1 for file in by_path.values())
            self.missing[text] = self.missing.get(text, 0) + number

    def _damaged(self, shape: Shape, lines: Iterable[tuple[int, Mapping[str, str]]]) -> Iterator[int]:
        """Yield the numbers of damaged lines; `lines` are numbers with their values, by canonical names."""
        names = list(dict.fromkeys(map(canonical, shape.fields)))
        columns = {name: f"c{place}" for place, name in enumerate(names)}
        fields = fields_of(columns, real_time=shape.headerless, source="")
        left = iter(lines)
        while some := list(itertools.islice(left, LINES_JUDGED)):
            parameters: dict[str, Any] = {f"c{place}": [values.get(name) for _, values in some]
                                          for place, name in enumerate(names)}  # fmt: skip
            parameters["numbers"] = [number for number, _ in some]
            lists = "".join(f", unnest(CAST($c{place} AS VARCHAR[])) AS c{place}" for place in range(len(names)))
            relation = f"(SELECT unnest($numbers) AS file_name{lists})"
            statement = damaged_statement(fields, self._selection, relation, parameters)
            yield from (int(row[0]) for row in self._connection.execute(statement, parameters).fetchall())

    def _relation(self, shape: Shape, parameters: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Return the FROM clause and the expression of each field."""
        if shape.format == "parquet":
            read = "read_parquet($files, union_by_name=true, hive_partitioning=false"
            typed = self._connection.execute(
                f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {read}))",
                {"files": parameters["files"]},
            ).fetchall()
            # A column of the log may have the name that the scan gives to the file's.
            of_file = "file_name" + "_" * max(len(name) for name, _ in typed)
            relation = f"(SELECT {of_file} AS file_name, * FROM {read}, filename='{of_file}'))"
            return relation, {canonical(name, parquet=True): text_of(name, kind) for name, kind in typed}
        parameters["skip"] = shape.skip
        options = (
            "quote='', escape='', header=false, auto_detect=false, skip=$skip, store_rejects=true, rejects_limit=0, "
            f"filename='file_name', max_line_size=1000000, compression='{'gzip' if shape.packed else 'none'}'"
        )
        if shape.format == "json":
            parameters["paths"] = [f'$."{name}"' for name in shape.fields]
            relation = (
                "(SELECT file_name, CASE WHEN json_valid(line) THEN json_extract_string(line, $paths) END AS c FROM "
                f"read_csv($files, delim='\x01', columns={{'line': 'VARCHAR'}}, {options}) WHERE line IS NOT NULL)"
            )
            return relation, {canonical(name): f"c[{number + 1}]" for number, name in enumerate(shape.fields)}
        parameters["delimiter"] = shape.delimiter
        columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(shape.fields)))
        relation = f"read_csv($files, delim=$delimiter, columns={{{columns}}}, {options})"
        return relation, {name: f"c{number}" for number, name in enumerate(shape.fields)}


def first_name(by_path: dict[str, LogFile]) -> str:
    """Return the name of the first file, of a joined one the first in it."""
    file = next(iter(by_path.values()))
    return file.parts[0].name if file.parts else file.name


def first_line(error: Exception) -> str:
    """Return the first line of DuckDB's message."""
    return str(error).partition("\n")[0]
