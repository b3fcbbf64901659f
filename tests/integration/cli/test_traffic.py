"""`prewarm traffic` as a command: its outputs, and options that it refuses."""

import csv
import json
from pathlib import Path

import pytest

from prewarm.targets_reader import TargetsReader
from tests.support.access_logs import w3c
from tests.support.traffic import TWENTY_URLS, traffic


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    w3c(tmp_path / "logs/E1.2026-11-01-12.a.gz", TWENTY_URLS)
    return tmp_path / "logs"


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
