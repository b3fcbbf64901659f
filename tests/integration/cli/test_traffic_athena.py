"""`prewarm traffic --athena`: its query, and the result that moto's Athena returns."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlglot
from moto.athena.models import QueryResults, athena_backends

from prewarm_cli.traffic import athena
from prewarm_cli.traffic.scan import connect
from prewarm_cli.traffic.selection import Selection
from tests.support.access_logs import create_log_table, record, w3c
from tests.support.traffic import BUCKET, REGION, TWENTY_URLS, analyser, pairs, traffic

ACCOUNT = "123456789012"
SELECTION = Selection(
    since=datetime(2026, 11, 1, 6),  # noqa: DTZ001
    until=datetime(2026, 11, 8, 12),  # noqa: DTZ001
    hosts=("www.example.com",),
)


@pytest.mark.parametrize("dialect", ["athena", "trino"])
@pytest.mark.parametrize("selection", [Selection(), SELECTION, Selection(separate_protocols=True)])
def test_the_query_is_parsed_by_an_independent_parser(selection: Selection, dialect: str) -> None:
    (statement,) = sqlglot.parse(athena.query("logs.cloudfront", selection), dialect=dialect)
    assert isinstance(statement, sqlglot.exp.Select)
    assert tuple(statement.named_selects) == athena.COLUMNS


def test_the_query_counts_as_the_scan_does(tmp_path: Path) -> None:
    """Athena's query, translated by sqlglot, gives in DuckDB what the scan of the same records gives."""
    records = [
        *TWENTY_URLS,
        record(stem="/a%2520b", query="v=%2525"),
        record(agent="CloudFront-Prewarm/0.1.0"),
        record(method="POST"),
        record(status="404", stem="/gone"),
        record(status="500"),
        record(host="other.example.com"),
        record(time="05:59:59"),
        record(pop="DFW3"),
        record(status="x"),
    ]
    own = tmp_path / "own"
    own.mkdir()
    file = w3c(tmp_path / "log", records)
    expected = analyser(tmp_path)(file, hosts=SELECTION.hosts, since=SELECTION.since, until=SELECTION.until)
    connection = connect(own, 600)
    create_log_table(connection, records)
    (sql,) = sqlglot.transpile(athena.query("logs.cloudfront", SELECTION), read="athena", write="duckdb")
    rows = connection.execute(sql).fetchall()
    counted = {(row[1], row[2]): row[4] for row in rows if row[0] == "demand" and row[4]}
    assert {(f"https://{site}", pop): n for (site, pop), n in counted.items()} == {
        pair: count for pair, (count, _) in pairs(expected).items()
    }
    lines = {row[0]: 0 for row in rows}
    for row in rows:
        lines[row[0]] += row[3]
    assert lines.pop("damaged") == expected.damage.lines == 1
    assert lines == expected.demand.categories


def test_print_sql_prints_the_query_and_runs_nothing() -> None:
    result = traffic("--athena", "logs.cloudfront", "--since", "2026-11-01T06:00", "--print-sql")
    assert result.stdout.strip() == athena.query("logs.cloudfront", Selection(since=SELECTION.since))


def _result_of_athena(rows: list[dict[str, str]]) -> None:
    """Give moto the result of the next query: a header, then the rows."""
    names = [{"VarCharValue": name} for name in athena.COLUMNS]
    values = [[{"VarCharValue": row[name]} if row.get(name) else {} for name in athena.COLUMNS] for row in rows]
    athena_backends[ACCOUNT][REGION].query_results_queue.append(
        QueryResults(
            rows=[{"Data": names}, *({"Data": each} for each in values)],
            column_info=[{"Name": name, "Type": "varchar"} for name in athena.COLUMNS],
        )
    )


@pytest.mark.parametrize("managed", [False, True])
def test_the_result_of_athena_is_read(
    aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, managed: bool
) -> None:
    """From the bucket, as a workgroup names it, or page by page where Athena keeps the result."""
    boto3.client("athena").create_work_group(
        Name="logs",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}},
    )
    if not managed:
        # moto, unlike Athena, does not apply the workgroup's location to its queries.
        start = athena_backends[ACCOUNT][REGION].start_query_execution

        def with_location(*arguments: Any, **named: Any) -> Any:
            config = {"OutputLocation": f"s3://{BUCKET}/results/"}
            return start(*arguments, **named | {"config": config})

        monkeypatch.setattr(athena_backends[ACCOUNT][REGION], "start_query_execution", with_location)
    common = {"category": "demand", "lines": "5", "requests": "5", "https": "5", "bytes": "4096", "whole": "5",
              "partial": "0", "gone": "0", "reach": "0", "last_ok": "2026-11-01 12:00:00.000",
              "first_time": "2026-11-01 11:00:00.000", "last_time": "2026-11-01 12:00:00.000"}  # fmt: skip
    _result_of_athena(
        [
            common | {"site": "www.example.com/a,b", "pop": "NRT57-P3"},
            common | {"site": "www.example.com/c", "pop": "FRA56-P5", "lines": "15", "requests": "15"},
            {"category": "own", "lines": "7", "requests": "7", "first_time": "2026-11-01 11:00:00.000"},
            {"category": "damaged", "lines": "3", "requests": "3"},
        ]
    )
    result = traffic("--athena", "db.logs", "--workgroup", "logs", "--json")
    document = json.loads(result.stdout)
    assert document["damaged"] == {"lines": 3, "examples": [], "files": {}}
    assert {"lines": 30, "requests": 20, "urls": 2, "pops": 2, "ownRequests": 7}.items() <= document.items()
    assert document["from"] == "2026-11-01T11:00:00Z"
