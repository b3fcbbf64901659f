"""Athena, for logs that are too large for one machine: one aggregated query, of which only the result is read.

The table has the columns of docs/traffic.md, which are those of the Athena User Guide. Values of options are string
literals with doubled quotes, names are checked and quoted, so that no option changes the statement.
"""

from __future__ import annotations

import csv
import re
import time
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from prewarm.catalogue import POP_PATTERN
from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_encoding import ENCODED, encode_as_logged, literal
from prewarm_cli.traffic.log_fields import is_https, whole_number
from prewarm_cli.traffic.records import DEMAND, STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection
    from mypy_boto3_athena import AthenaClient

    from prewarm_cli.traffic.selection import Selection

TABLE = re.compile(r"(?P<database>[A-Za-z0-9_]{1,255})\.(?P<table>[A-Za-z0-9_]{1,255})", re.ASCII)
WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# Queries end after 30 minutes unless the account's quota is raised ("Service Quotas", DML query timeout).
LONGEST_WAIT, PAUSE = 3_600.0, 1.0
COLUMNS = (
    "category", "site", "pop", "lines", "requests", "https", "bytes", "whole", "partial", "gone", "reach", "last_ok",
    "last_gone", "first_time", "last_time",
)  # fmt: skip


def table_of(text: str) -> tuple[str, str]:
    """Return database and table of DATABASE.TABLE.

    Raises:
        CommandFailed: the text is not in this form.

    """
    found = TABLE.fullmatch(text)
    if found is None:
        raise CommandFailed(f"--athena: {text!r} is not DATABASE.TABLE of letters, digits and underscores")
    return found["database"], found["table"]


def query(name: str, selection: Selection) -> str:
    """Return the aggregated query over a table of logs.

    Raises:
        CommandFailed: the name is not DATABASE.TABLE.

    """
    database, table = table_of(name)
    demand = f"category = '{DEMAND}'"
    site = "host || path"
    if selection.separate_protocols:
        site = f"(CASE WHEN https THEN 'https://' ELSE 'http://' END) || {site}"
    return f"""{judged(f'"{database}"."{table}"', _dates(selection), selection)}
SELECT
    category,
    CASE WHEN {demand} THEN {site} ELSE '' END AS site,
    CASE WHEN {demand} OR category = 'pop' THEN coalesce(pop, '-') ELSE '' END AS pop,
    count(*) AS lines,
    count_if(status <> '404') AS requests,
    count_if(https) AS https,
    coalesce(max(CASE WHEN status = '200' THEN bytes END), 0) AS bytes,
    count_if(status = '200') AS whole,
    count_if(status = '206') AS partial,
    count_if(status = '404') AS gone,
    coalesce(max(reach), 0) AS reach,
    max(CASE WHEN status <> '404' THEN moment END) AS last_ok,
    max(CASE WHEN status = '404' THEN moment END) AS last_gone,
    min(moment) AS first_time,
    max(moment) AS last_time
FROM judged
GROUP BY 1, 2, 3"""


def judged(table: str, where: str, selection: Selection, more: Sequence[tuple[str, str]] = ()) -> str:
    """Return the WITH clause whose table `judged` has each record with its category.

    `table` and `where` are SQL; `more` are further conditions, each with its category.
    """
    return f"""WITH records AS (
    SELECT
        x_edge_location AS pop,
        lower(split_part(coalesce(nullif(nullif(x_host_header, '-'), ''), cs_host), ':', 1)) AS host,
        {_path()} AS path,
        try_cast(CAST("date" AS varchar) || ' ' || CAST("time" AS varchar) AS timestamp) AS moment,
        CAST(sc_status AS varchar) AS status,
        {is_https("cs_protocol")} AS https,
        cs_method AS method,
        coalesce(cs_user_agent, '') AS agent,
        {whole_number("CAST(sc_bytes AS varchar)")} AS bytes,
        {whole_number("CAST(sc_range_end AS varchar)")} + 1 AS reach
    FROM {table}{where}
), judged AS (
    SELECT records.*, {_category(selection, more)} AS category
    FROM records
)"""


def _path() -> str:
    """Return the SQL of path and query, one layer of CloudFront's encoding undone."""
    path = (
        "CASE WHEN cs_uri_query IS NULL OR cs_uri_query IN ('-', '') THEN cs_uri_stem "
        "ELSE cs_uri_stem || '?' || cs_uri_query END"
    )
    for code, sign in ENCODED.items():
        path = f"replace({path}, {literal(code)}, {literal(sign)})"
    return path


def _dates(selection: Selection) -> str:
    """Return the condition on the days, by which a table with a partition or an ordered file reads less."""
    limits = []
    if selection.since:
        limits.append(f"CAST(\"date\" AS varchar) >= '{selection.since:%Y-%m-%d}'")
    if selection.until:
        limits.append(f"CAST(\"date\" AS varchar) <= '{selection.until:%Y-%m-%d}'")
    return "\n    WHERE " + " AND ".join(limits) if limits else ""


def _category(selection: Selection, more: Sequence[tuple[str, str]] = ()) -> str:
    cases = [
        (
            (
                "pop IS NULL OR pop IN ('-', '') OR host IS NULL OR path IS NULL OR moment IS NULL "
                "OR NOT regexp_like(status, '^[0-9]{3}$')"
            ),
            "damaged",
        )
    ]
    for sign, limit in (("<", selection.since), (">=", selection.until)):
        if limit:
            cases.append((f"moment {sign} TIMESTAMP '{limit:%Y-%m-%d %H:%M:%S}'", "period"))
    if selection.hosts:
        # A viewer may send the name with its final dot; the URL of both is the same.
        hosts = [*selection.hosts, *(f"{host}." for host in selection.hosts)]
        cases.append((f"host NOT IN ({', '.join(map(literal, hosts))})", "host"))
    cases += more
    agents = (literal(encode_as_logged(agent).lower()) for agent in selection.agents)
    cases.append((" OR ".join(f"strpos(lower(agent), {agent}) > 0" for agent in agents), "own"))
    cases.append(("method <> 'GET'", "method"))
    cases.append((f"status NOT IN ({', '.join(map(literal, STATUSES))})", "status"))
    cases.append(("strpos(path, '/') <> 1", "url"))
    cases.append((f"NOT regexp_like(pop, {literal('^' + POP_PATTERN.pattern.replace(chr(92) + 'd', '[0-9]') + '$')})",
                  "pop"))  # fmt: skip
    return "CASE " + " ".join(f"WHEN {test} THEN '{name}'" for test, name in cases) + f" ELSE '{DEMAND}' END"


def run(sql: str, database: str, workgroup: str, folder: Path) -> Path:
    """Run a query, wait for its end, and return its result as a CSV file in a folder.

    Raises:
        CommandFailed: Athena refuses the query or its result cannot be read.

    """
    if WORKGROUP.fullmatch(workgroup) is None:
        raise CommandFailed(f"--workgroup: {workgroup!r} is not the name of a workgroup")
    try:
        athena = boto3.client("athena")
        started = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )["QueryExecutionId"]
        deadline = time.monotonic() + LONGEST_WAIT
        try:
            while True:
                execution = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
                state = execution["Status"]["State"]
                if state not in {"QUEUED", "RUNNING"}:
                    break
                if time.monotonic() > deadline:
                    athena.stop_query_execution(QueryExecutionId=started)
                    raise CommandFailed(f"Athena has not ended query {started} within an hour; it was stopped")
                time.sleep(PAUSE)
        except KeyboardInterrupt:
            # Athena charges for what a query reads.
            athena.stop_query_execution(QueryExecutionId=started)
            raise
        if state != "SUCCEEDED":
            reason = execution["Status"].get("StateChangeReason", "no reason given")
            raise CommandFailed(f"Athena's query {started} ended as {state}: {reason}")
        # The first rows have the columns, before a large result is downloaded.
        first = athena.get_query_results(QueryExecutionId=started, MaxResults=2)["ResultSet"]
        _check_columns([column["Name"] for column in first["ResultSetMetadata"]["ColumnInfo"]])
        location = execution.get("ResultConfiguration", {}).get("OutputLocation", "")
        path = folder / "athena.csv"
        if location:
            bucket, _, key = location.removeprefix("s3://").partition("/")
            boto3.client("s3").download_file(bucket, key, str(path))
        else:
            _write_pages(athena, started, path)
    except (BotoCoreError, ClientError) as error:
        raise CommandFailed(
            f"Athena rejects it: {error}; check permissions, the workgroup and its result location"
        ) from error
    return path


def _write_pages(athena: AthenaClient, started: str, path: Path) -> None:
    """Write a result that Athena keeps itself (managed query results), page by page; the first row has the names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=started):
            for row in page["ResultSet"]["Rows"]:
                writer.writerow([cell.get("VarCharValue", "") for cell in row["Data"]])


def _check_columns(names: list[str]) -> None:
    if tuple(names) != COLUMNS:
        raise CommandFailed(f"Athena's result has the columns {', '.join(names)}; expected {', '.join(COLUMNS)}")


def load(connection: DuckDBPyConnection, path: Path) -> int:
    """Add a result to `seen`, and return the number of damaged lines, which are not part of it.

    A CSV of Athena has a header and quotes every value.

    Raises:
        CommandFailed: the file does not have the query's columns.

    """
    with path.open(encoding="utf-8", newline="") as file:
        _check_columns([name.strip('"') for name in file.readline().strip().split(",")])
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    texts = {"category", "site", "pop"}
    values = ", ".join(f"coalesce({name}, '')" if name in texts else f"nullif({name}, '')" for name in COLUMNS)
    connection.execute(
        f"INSERT INTO seen SELECT {values} FROM read_csv($path, header=true, auto_detect=false, delim=',', "
        f"quote='\"', escape='\"', nullstr='', max_line_size=4000000, columns={{{columns}}})",
        {"path": str(path)},
    )
    damaged = connection.execute("SELECT sum(lines) FROM seen WHERE category = 'damaged'").fetchall()[0][0]
    connection.execute("DELETE FROM seen WHERE category = 'damaged'")
    return int(damaged or 0)
