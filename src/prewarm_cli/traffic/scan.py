"""Read log files with DuckDB into the table `seen`: one row per category, URL and POP, with counts.

DuckDB fetches no extension: automatic loading and installing are off, and its wheel contains what JSON and Parquet
need. Texts of logs and options reach a statement as parameters only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from prewarm.catalogue import POP_PATTERN
from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic import damage
from prewarm_cli.traffic.log_fields import (
    POP_FIELD,
    Fields,
    canonical,
    decoded,
    encode_as_logged,
    fields_of,
    identifier,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prewarm_cli.traffic.damage import Damage
    from prewarm_cli.traffic.log_files import LogFile, Shape
    from prewarm_cli.traffic.selection import Selection

MEGABYTE = 1_000_000
# The part of the memory setting that DuckDB may plan with: the rest is Python, buffers of decompression and
# allocations that DuckDB does not count (measured by bench/traffic.py).
SHARE_OF_DUCKDB = 0.6
DEMAND = "demand"
# Statuses that show demand for a cacheable object, and 404, which shows that a URL is out of date.
STATUSES = ("200", "206", "304", "404")
# The columns of `seen`. `site`: host, path and query; `bytes`: the largest complete answer; `whole`, `partial`,
# `gone`: requests answered with 200, 206, 404; `reach`: the end of the furthest range.
SEEN = """
CREATE TABLE seen (
    category VARCHAR, site VARCHAR, pop VARCHAR, lines BIGINT, requests BIGINT, https BIGINT, bytes BIGINT,
    whole BIGINT, partial BIGINT, gone BIGINT, reach BIGINT, last_ok TIMESTAMP, last_gone TIMESTAMP,
    first_time TIMESTAMP, last_time TIMESTAMP
)"""


def connect(folder: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Return a connection to a new database in a folder, which keeps its memory below a limit by using the disk."""
    connection = duckdb.connect(
        str(folder / "traffic.duckdb"),
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
    """Scans files of one shape at a time; `damage` gathers what could not be read."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, selection: Selection, found: Damage, folder: Path
    ) -> None:
        self._connection, self._selection, self._damage, self._folder = connection, selection, found, folder
        self.missing: dict[str, int] = {}

    def scan(self, shape: Shape, files: Sequence[LogFile]) -> None:
        """Add the records of files to `seen`.

        Raises:
            CommandFailed: the logs lack a field that is needed, or DuckDB fails for another reason than damage.

        """
        by_path = {str(file.path): file for file in files}
        try:
            self._insert(shape, by_path)
        except duckdb.Error as error:
            kept = damage.repaired(by_path, shape, self._folder, self._damage, self._connection)
            if kept is None:
                raise CommandFailed(f"{files[0].name}: DuckDB cannot read it: {first_line(error)}") from error
            by_path = kept
            if by_path:
                try:
                    self._insert(shape, by_path)
                except duckdb.Error as again:
                    raise CommandFailed(f"{files[0].name}: DuckDB cannot read it: {first_line(again)}") from again
        if shape.format != "parquet":
            damage.read_rejects(self._connection, shape, by_path, self._damage)
        damage.name_values(self._connection, shape, by_path, self._damage)

    def _insert(self, shape: Shape, by_path: dict[str, LogFile]) -> None:
        for table in ("reject_errors", "reject_scans"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        parameters: dict[str, Any] = {"files": list(by_path)}
        relation, columns = self._relation(shape, parameters)
        fields = fields_of(columns, real_time=shape.headerless, source=first_name(by_path))
        for text in fields.missing():
            number = sum(len(file.parts) or 1 for file in by_path.values())
            self.missing[text] = self.missing.get(text, 0) + number
        statement = insert_statement(fields, self._selection, relation, parameters, weighted=shape.headerless)
        self._connection.execute(statement, parameters)

    def _relation(self, shape: Shape, parameters: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Return the FROM clause and the expression of each field."""
        if shape.format == "parquet":
            names = [row[0] for row in self._connection.execute(
                "SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet($files, union_by_name=true, "
                "hive_partitioning=false))", {"files": parameters["files"]}).fetchall()]  # fmt: skip
            relation = "read_parquet($files, union_by_name=true, hive_partitioning=false, filename='file_name')"
            return relation, {canonical(name, parquet=True): f"CAST({identifier(name)} AS VARCHAR)" for name in names}
        parameters["skip"] = shape.skip
        options = (
            "quote='', escape='', header=false, auto_detect=false, skip=$skip, store_rejects=true, rejects_limit=0, "
            f"filename='file_name', max_line_size=1000000, compression='{'gzip' if shape.packed else 'none'}'"
        )
        if shape.format == "json":
            parameters["paths"] = [f'$."{name}"' for name in shape.fields if '"' not in name]
            relation = (
                "(SELECT file_name, CASE WHEN json_valid(line) THEN json_extract_string(line, $paths) END AS c FROM "
                f"read_csv($files, delim='\x01', columns={{'line': 'VARCHAR'}}, {options}) WHERE line IS NOT NULL)"
            )
            names = [name for name in shape.fields if '"' not in name]
            return relation, {canonical(name): f"c[{number + 1}]" for number, name in enumerate(names)}
        parameters["delimiter"] = shape.delimiter
        columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(shape.fields)))
        relation = f"read_csv($files, delim=$delimiter, columns={{{columns}}}, {options})"
        return relation, {name: f"c{number}" for number, name in enumerate(shape.fields)}


def insert_statement(
    fields: Fields, selection: Selection, relation: str, parameters: dict[str, Any], *, weighted: bool
) -> str:
    """Return the statement that adds a relation's records to `seen`; it fills in the parameters."""
    host = fields.host
    if host is None:
        if len(selection.hosts) != 1:
            raise CommandFailed(
                "the logs lack the host (x-host-header or cs(Host)); pass it as --host www.example.com, once"
            )
        parameters["host"] = selection.hosts[0]
        host = "$host"
    time, status = fields.time or "CAST(NULL AS TIMESTAMP)", fields.status or "'200'"
    if fields.time is None and (selection.since or selection.until):
        raise CommandFailed("the logs have no date and time, which --since and --until need; leave those out")
    weight = 100.0 / selection.sampling_rate if weighted and selection.sampling_rate else 1.0
    counted = f"CAST(round(count(*) FILTER (status <> '404') * {weight!r}) AS BIGINT)"
    site = "host || path"
    if selection.separate_protocols:
        site = f"(CASE WHEN protocol = 'https' THEN 'https://' ELSE 'http://' END) || {site}"
    demand = f"category = '{DEMAND}'"
    return f"""
INSERT INTO seen
SELECT category, {decoded("raw")} AS site, place,
    count(*), {counted}, count(*) FILTER (protocol = 'https'),
    coalesce(max(bytes) FILTER (status = '200'), 0), count(*) FILTER (status = '200'),
    count(*) FILTER (status = '206'), count(*) FILTER (status = '404'), coalesce(max(reach), 0),
    max(moment) FILTER (status <> '404'), max(moment) FILTER (status = '404'), min(moment), max(moment)
FROM (
    SELECT *, CASE WHEN {demand} THEN {site} ELSE '' END AS raw,
        CASE WHEN {demand} OR category = 'pop' THEN coalesce(pop, '-')
            WHEN category = 'damaged' THEN file_name ELSE '' END AS place
    FROM (
    SELECT *, {_category(fields, selection, parameters)} AS category
    FROM (
        SELECT {fields.pop} AS pop, {host} AS host, {path_of(fields)} AS path, {time} AS moment, {status} AS status,
            {fields.protocol or "'https'"} AS protocol, {fields.method or "'GET'"} AS method,
            {fields.agent or "''"} AS agent, file_name,
            try_cast({fields.bytes or "NULL"} AS BIGINT) AS bytes,
            try_cast({fields.range_end or "NULL"} AS BIGINT) + 1 AS reach
        FROM {relation}
    )
    )
)
GROUP BY category, raw, place"""


def _category(fields: Fields, selection: Selection, parameters: dict[str, Any]) -> str:
    """Return the SQL of why a record is not demand, or `demand`."""
    # The usual statuses need no regular expression, which would take a tenth of the time.
    odd = f"CASE WHEN status IN ({', '.join(map(repr, STATUSES))}) THEN false ELSE "
    odd += "NOT coalesce(regexp_full_match(status, '[0-9]{3}'), false) END"
    damaged = ["pop IS NULL", "host IS NULL", "path IS NULL", odd]
    damaged += ["moment IS NULL"] if fields.time else []
    cases = [(f"pop = '{POP_FIELD}'", "header"), (" OR ".join(damaged), "damaged")]
    for name, sign, limit in (("since", "<", selection.since), ("until", ">=", selection.until)):
        if limit:
            parameters[name] = limit
            cases.append((f"moment {sign} ${name}", "period"))
    if selection.hosts:
        parameters["hosts"] = list(selection.hosts)
        cases.append(("NOT list_contains($hosts, host)", "host"))
    if fields.agent:
        agents = [encode_as_logged(agent).lower() for agent in selection.agents]
        parameters |= {f"agent{number}": agent for number, agent in enumerate(agents)}
        cases.append((" OR ".join(f"contains(lower(agent), $agent{number})" for number in range(len(agents))), "own"))
    cases.append(("method <> 'GET'", "method"))
    cases.append((f"status NOT IN ({', '.join(map(repr, STATUSES))})", "status"))
    cases.append(("NOT starts_with(path, '/')", "url"))
    cases.append((f"NOT regexp_full_match(pop, '{POP_PATTERN.pattern}')", "pop"))
    lines = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name in cases)
    return f"CASE {lines} ELSE '{DEMAND}' END"


def first_name(by_path: dict[str, LogFile]) -> str:
    """Return the name of the first file, of a joined one the first in it."""
    file = next(iter(by_path.values()))
    return file.parts[0].name if file.parts else file.name


def first_line(error: Exception) -> str:
    """Return the first line of DuckDB's message."""
    return str(error).partition("\n")[0]
