"""`prewarm traffic` as a command: its outputs, logs in S3, and Athena; AWS is moto."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlglot
from moto import mock_aws
from moto.athena.models import QueryResults, athena_backends
from typer.testing import CliRunner

from prewarm.targets_reader import TargetsReader
from prewarm_cli.main import app
from prewarm_cli.traffic import athena, s3_logs
from prewarm_cli.traffic.log_files import LogFile
from prewarm_cli.traffic.scan import connect
from prewarm_cli.traffic.selection import Selection
from tests.support.access_logs import create_log_table, record, w3c
from tests.support.traffic import analyser, pairs

BUCKET, REGION, ACCOUNT = "cdn-logs", "us-east-1", "123456789012"
RECORDS = [record(stem=f"/{number}", pop=pop) for number in range(20) for pop in ["NRT57-P3"] * (20 - number)]


def traffic(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["traffic", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    w3c(tmp_path / "logs/E1.2026-11-01-12.a.gz", RECORDS)
    return tmp_path / "logs"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield


def test_a_pipe_receives_the_csv_and_stderr_the_tables(logs: Path) -> None:
    result = traffic(logs, "--cover", "50")
    reader = TargetsReader(result.stdout.splitlines(keepends=True), needs_end=True)
    read = [pair for _, pair in reader]
    assert reader.traffic is not None
    assert (reader.traffic.requests, reader.traffic.since) == (210, "2026-11-01T12:00:00Z")
    assert reader.traffic.curve[50.0] == len(read) == 6
    assert [pair.requests for pair in read] == [20, 19, 18, 17, 16, 15]
    assert "TOP POPS" in result.stderr
    assert "TOP POPS" not in result.stdout


def test_an_output_file_is_whole_and_stdout_has_the_tables(logs: Path, tmp_path: Path) -> None:
    target = tmp_path / "targets.csv"
    result = traffic(logs, "--output", target, "--cover", "100")
    assert "20 pairs" in result.stdout
    with target.open(encoding="utf-8") as file:
        reader = TargetsReader(file, needs_end=True)
        assert sum(pair.requests for _, pair in reader) == 210
    assert [path.name for path in tmp_path.iterdir()] == ["logs", "targets.csv"] or not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["the log", "a log in the folder", "a link to a log", "a hard link to a log"])
def test_output_that_is_one_of_the_logs_is_refused_before_reading(logs: Path, tmp_path: Path, name: str) -> None:
    log = next(logs.iterdir())
    content, output, paths = log.read_bytes(), log, [logs]
    if name == "the log":
        paths = [log]
    elif name == "a link to a log":
        output = tmp_path / "targets.csv"
        output.symlink_to(log)
    elif name == "a hard link to a log":
        output = tmp_path / "targets.csv"
        output.hardlink_to(log)
    result = traffic(*paths, "--output", output, code=2)
    assert f"--output: {output} is one of the logs; name another file" in result.stderr
    assert log.read_bytes() == content


def test_output_in_the_folder_of_logs_is_replaced_by_the_next_call(logs: Path) -> None:
    target = logs / "targets.csv"
    first = traffic(logs, "--output", target)
    written = target.read_bytes()
    second = traffic(logs, "--output", target)
    assert ("CSV of targets" in first.stdout, "CSV of targets" in second.stdout) == (False, True)
    assert target.read_bytes() == written


def test_output_that_is_the_file_of_urls_is_refused(logs: Path, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text("https://www.example.com/1\n")
    result = traffic(logs, "--urls", urls, "--output", urls, code=2)
    assert f"--output: {urls} is the file of --urls; name another file" in result.stderr
    assert urls.read_text() == "https://www.example.com/1\n"


def test_output_that_cannot_be_written_is_refused_before_reading(logs: Path, tmp_path: Path) -> None:
    (logs / "broken.gz").write_bytes(b"\x1f\x8bdamaged")
    assert "there is no directory" in traffic(logs, "-o", tmp_path / "none/targets.csv", code=2).stderr
    assert "is a directory" in traffic(logs, "-o", tmp_path, code=2).stderr


def test_json_has_the_figures(logs: Path) -> None:
    document = json.loads(traffic(logs, "--json").stdout)
    cover = document["cover"]
    assert {"lines": 210, "requests": 210, "urls": 20, "pops": 1, "pairs": 20}.items() <= document.items()
    assert (cover["percent"], cover["pairs"], cover["urls"], cover["pops"]) == (95.0, 16, 16, 1)
    assert document["ownRequests"] == 0
    assert document["unknownPops"] == []
    assert document["estimatedDollars"] > 0
    assert [each["percent"] for each in document["curve"]] == [50, 80, 90, 95, 99]


def test_pops_prints_ids_only(logs: Path) -> None:
    assert traffic(logs, "--pops").stdout == "NRT57-P3\n"


def test_most_pairs_limits_the_list(logs: Path) -> None:
    assert traffic(logs, "--most-pairs", "3").stdout.endswith("#end,pairs=3,requests=57\n")


def test_a_list_of_new_urls_may_begin_with_a_byte_order_mark(logs: Path, tmp_path: Path) -> None:
    listed = tmp_path / "new.txt"
    listed.write_bytes(b"\xef\xbb\xbfhttps://www.example.com/0\r\n")
    assert "https://www.example.com/0,NRT57-P3,20" in traffic(logs, "--urls", listed).stdout


def test_new_urls_take_the_demand(logs: Path, tmp_path: Path) -> None:
    listed = tmp_path / "new.txt"
    listed.write_text("https://www.example.com/0\nhttps://www.example.com/page/1\n")
    result = traffic(logs, "--urls", listed, "--cover", "100")
    rows = [row for row in csv.reader(result.stdout.splitlines()) if not row[0].startswith("#")][1:]
    assert [row[0] for row in rows] == [f"https://www.example.com/{path}" for path in ("0", "page/1")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no logs"),
        (["nowhere.gz"], "nowhere.gz: no such file"),
        (["x", "--cover", "0"], "--cover"),
        (["x", "--since", "yesterday"], "--since"),
        (["x", "--since", "0001-01-01T00:00+02:00"], "--since"),
        (["x", "--json", "--output", "-"], "--json and --output -: both write to stdout"),
        (["x", "--since", "2026-11-02", "--until", "2026-11-01"], "--until"),
        (["x", "--memory", "1MB"], "--memory"),
        (["x", "--disk", "much"], "--disk"),
        (["x", "--sampling-rate", "0.5"], "--sampling-rate"),
        (["x", "--fields", "a,b"], "--fields"),
        (["x", "--exclude-agent", " "], "--exclude-agent"),
        (["x", "--print-sql"], "--print-sql"),
        (["x", "--athena", "a.b"], "--athena"),
        (["s3://UPPER/x"], "s3://UPPER/x"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str) -> None:
    assert message in traffic(*arguments, code=2).stderr


def test_logs_in_s3_are_pruned_and_downloaded_in_parts(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    sizes = []
    for day in (1, 2, 20):
        for number in range(3):
            file = w3c(tmp_path / "up.gz", [record(date=f"2026-11-{day:02}", stem=f"/{day}")])
            sizes.append(file.stat().st_size)
            s3.upload_file(str(file), BUCKET, f"cdn/E1.2026-11-{day:02}-12.{number}.gz")
    s3.put_object(Bucket=BUCKET, Key="cdn/", Body=b"")
    result = analyser(tmp_path)(
        addresses=(f"s3://{BUCKET}/cdn/",),
        until=datetime(2026, 11, 3),  # noqa: DTZ001 - UTC without a zone
        disk=max(sizes) * 2,
    )
    assert {url: count for (url, _), (count, _) in pairs(result).items()} == {
        "https://www.example.com/1": 3,
        "https://www.example.com/2": 3,
    }
    assert (result.files, result.pruned) == (6, 3)
    assert not list(tmp_path.glob("work*/object*"))


def test_a_part_that_another_program_is_writing_to_s3_is_not_a_log(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    for key in ("cdn/_temporary/0/a.gz", "cdn/.a.gz.crc", "cdn/_a.gz", "cdn/2026/a.gz"):
        s3.upload_file(str(w3c(tmp_path / "up.gz", [record()])), BUCKET, key)
    listed, _ = s3_logs.objects(f"s3://{BUCKET}/cdn", None, None)
    assert [each.key for each in listed] == ["cdn/2026/a.gz"]
    # A name that the user has written is meant.
    assert len(s3_logs.objects(f"s3://{BUCKET}/cdn/_temporary/", None, None)[0]) == 1
    assert len(s3_logs.objects(f"s3://{BUCKET}/cdn/_a", None, None)[0]) == 1


def test_the_disk_holds_no_more_than_its_limit(aws: None, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"a/{number}", Body=b"x" * 100)
    listed, _ = s3_logs.objects(f"s3://{BUCKET}/a/", None, None)
    held = []
    for batch in s3_logs.batches(listed, tmp_path, 250):
        assert all(isinstance(file, LogFile) for file in batch)
        held.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
    assert held == [200, 200, 200, 100]
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_is_named(aws: None) -> None:
    assert "s3://no-such-bucket-here/x: S3 refuses access" in traffic("s3://no-such-bucket-here/x", code=2).stderr


# ---- Athena ----

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
        *RECORDS,
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
