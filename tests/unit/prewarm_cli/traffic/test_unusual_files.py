"""Files that a folder of logs may have: none is lost without a message, and one that is odd stops no other."""

import bz2
import errno
import gzip
import json
import os
from pathlib import Path

import duckdb
import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_files import LogFile, shape_of
from prewarm_cli.traffic.log_search import local_files
from tests.support.access_logs import LEGACY_FIELDS, line, parquet, record, w3c, written
from tests.support.traffic import Analyse, pairs

URL = "https://www.example.com/index.html"
RECORDS = [record(), record(pop="FRA56-P5")]
ONE_EACH = {(URL, "NRT57-P3"): (1, 4096), (URL, "FRA56-P5"): (1, 4096)}


def text_of_log(end: str = "\n") -> bytes:
    lines = [f"#Fields: {' '.join(LEGACY_FIELDS)}", *(line(LEGACY_FIELDS, each) for each in RECORDS)]
    return "".join(each + end for each in lines).encode()


def json_of_log(**more: object) -> bytes:
    return "".join(json.dumps(each | more) + "\n" for each in RECORDS).encode()


# ---- Where the files are ----


def test_logs_behind_a_link_count_once_and_a_link_into_itself_ends(tmp_path: Path, analysed: Analyse) -> None:
    w3c(tmp_path / "far/b.gz", [record(pop="FRA56-P5")])
    w3c(tmp_path / "logs/a.gz", [record()])
    for name, leads_to in {"linked": "far", "again": "far", "loop": "logs", "broken": "nothing"}.items():
        (tmp_path / "logs" / name).symlink_to(tmp_path / leads_to)
    assert pairs(analysed(tmp_path / "logs")) == ONE_EACH


def test_hidden_files_of_the_current_folder_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.gz", ".a.gz.tmp", "_SUCCESS", "_temporary/b.gz", ".hidden/c.gz", "in/.d.gz"):
        written(tmp_path / name, "x")
    monkeypatch.chdir(tmp_path)
    assert [file.name for file in local_files([Path()])] == ["a.gz"]


def test_a_folder_or_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    w3c(tmp_path / "logs/inner/a.gz", RECORDS)
    refused = PermissionError(13, "Permission denied", str(tmp_path / "logs/inner"))

    def walk(_folder: Path, *, onerror: object, **_options: object) -> list[object]:
        assert callable(onerror)
        onerror(refused)
        return []

    def refuse(_file: LogFile, _given: object) -> None:
        raise refused

    with monkeypatch.context() as patch:
        patch.setattr("prewarm_cli.traffic.log_search.os.walk", walk)
        with pytest.raises(CommandFailed, match="logs/inner: permission denied"):
            analysed(tmp_path / "logs")
    monkeypatch.setattr("prewarm_cli.traffic.analysis.shape_of", refuse)
    with pytest.raises(CommandFailed, match=r"logs/inner/a.gz: permission denied"):
        analysed(tmp_path / "logs")


# ---- What the files contain ----


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"") + gzip.compress(text_of_log()),
        gzip.compress(text_of_log()[:40]) + gzip.compress(text_of_log()[40:]),
        gzip.compress(text_of_log()) + bytes(512),
        gzip.compress(text_of_log("\r\n")) + bytes(512),
    ],
    ids=["empty first member", "header in two members", "zeros at the end", "zeros and CRLF"],
)
def test_each_form_of_gzip_is_read(tmp_path: Path, analysed: Analyse, content: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    result = analysed(tmp_path / "a.gz")
    assert pairs(result) == ONE_EACH
    assert (result.damage.lines, result.damage.files) == (0, {})
    assert not list(tmp_path.glob("work*/part*"))


def test_joined_files_may_have_other_line_ends_and_a_byte_order_mark(
    tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prewarm_cli.traffic.joining.FEW", 1)
    for number, content in enumerate([text_of_log(), text_of_log("\r\n"), b"\xef\xbb\xbf" + text_of_log()]):
        written(tmp_path / f"logs/{number}", content)
        written(tmp_path / f"logs/{number}.json", b"\xef\xbb\xbf" + json_of_log())
    result = analysed(tmp_path / "logs")
    assert {pop: count for (_, pop), (count, _) in pairs(result).items()} == {"NRT57-P3": 6, "FRA56-P5": 6}
    assert result.damage.lines == 0


def test_both_kinds_of_line_ends_in_one_file_are_read(tmp_path: Path, analysed: Analyse) -> None:
    file = written(tmp_path / "a.log", text_of_log() + text_of_log("\r\n"))
    assert {pop: count for (_, pop), (count, _) in pairs(analysed(file)).items()} == {"NRT57-P3": 2, "FRA56-P5": 2}


@pytest.mark.parametrize("first", ["Mozilla/5.0%20(KHTML,%20like%20Gecko)", None])
def test_the_delimiter_is_not_that_of_a_first_line_alone(
    tmp_path: Path, analysed: Analyse, first: str | None
) -> None:
    fields = ["date", "time", "x-host-header", "cs(User-Agent)", "cs-uri-stem", "sc-status", "x-edge-location"]
    begin = line(fields, record(agent=first), ",") if first else "2026-11-01,12:0"
    lines = [f"#Fields: {' '.join(fields)}", begin, *(line(fields, record(agent="x"), ",") for _ in range(3))]
    file = written(tmp_path / "a.log", "\n".join(lines) + "\n")
    result = analysed(file)
    assert pairs(result) == {(URL, "NRT57-P3"): (3, 0)}
    assert result.damage.examples == [f"{file}:2"]


def test_other_names_in_json_are_ignored_whatever_they_contain(tmp_path: Path, analysed: Analyse) -> None:
    more = {"": 5, "a\\b": 1, 'x"y': {"z": [1]}, "$": None, "*": 3, "\u00fc.x[0]": "\u2028"}
    assert pairs(analysed(written(tmp_path / "a.json", json_of_log(**more)))) == ONE_EACH


def test_json_and_parquet_of_other_programs_are_named_and_the_logs_count(tmp_path: Path, analysed: Analyse) -> None:
    w3c(tmp_path / "logs/a.gz", RECORDS)
    written(tmp_path / "logs/package.json", '{"name": "site", "version": 1}\n')
    duckdb.connect().execute(f"COPY (SELECT 1 AS x) TO '{tmp_path}/logs/other.parquet' (FORMAT parquet)")
    result = analysed(tmp_path / "logs")
    assert pairs(result) == ONE_EACH
    assert sorted(result.damage.files.values()) == [
        "not a log: its JSON has no field of CloudFront's logs",
        "not a log: its Parquet has no field of CloudFront's logs",
    ]


def test_parquet_of_before_a_field_was_chosen_counts_and_says_what_it_lacks(
    tmp_path: Path, analysed: Analyse
) -> None:
    parquet(tmp_path / "logs/new.parquet", RECORDS)
    old = [name for name in LEGACY_FIELDS if name not in {"sc-status", "cs(User-Agent)"}]
    parquet(tmp_path / "logs/old.parquet", RECORDS, old)
    result = analysed(tmp_path / "logs")
    assert {pop: count for (_, pop), (count, _) in pairs(result).items()} == {"NRT57-P3": 2, "FRA56-P5": 2}
    assert sorted(text.partition(",")[0] for text in result.missing) == [
        "the User-Agent (cs(User-Agent))",
        "the status (sc-status)",
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd"),
        (bz2.compress(text_of_log()), "bzip2"),
        (b"\xfd7zXZ\0" + bytes(20), "xz"),
        (b"PK\x03\x04" + bytes(20), "ZIP"),
    ],
)
def test_another_compression_is_named(tmp_path: Path, analysed: Analyse, content: bytes, kind: str) -> None:
    odd = written(tmp_path / "odd", content)
    result = analysed(w3c(tmp_path / "a.gz", RECORDS), odd)
    assert pairs(result) == ONE_EACH
    assert kind in result.damage.files[str(odd)]


def test_an_empty_gzip_file_is_an_empty_log(tmp_path: Path) -> None:
    file = written(tmp_path / "a.gz", b"")
    assert shape_of(LogFile(file, "a"), ()) is None


def test_a_full_disk_is_named_with_what_to_do(
    tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("prewarm_cli.traffic.analysis.scans", refuse)
    with pytest.raises(CommandFailed, match="no space left on device; pass a smaller --disk, or set TMPDIR"):
        analysed(w3c(tmp_path / "a.gz", RECORDS))


def test_a_pipe_is_refused_because_logs_are_read_more_than_once(tmp_path: Path, analysed: Analyse) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CommandFailed, match="pipe: is not a file"):
        analysed(tmp_path / "pipe")


@pytest.mark.parametrize("header", ["url,pop\n", '"url","pop","requests","bytes"\n', "#traffic,requests=5\n"])
def test_each_list_of_targets_is_known(tmp_path: Path, analysed: Analyse, header: str) -> None:
    listed = written(tmp_path / "targets.csv", header + "https://www.example.com/,NRT57-P3\n")
    result = analysed(w3c(tmp_path / "a.gz", RECORDS), listed)
    assert pairs(result) == ONE_EACH
    assert result.damage.files == {str(listed): "not a log: it is a CSV of targets"}


@pytest.mark.parametrize("name", ["a*.gz", "a?1.gz", "a[x]1.gz", "a{x,y}1.gz"])
def test_a_name_that_looks_like_a_pattern_is_that_file_alone(tmp_path: Path, analysed: Analyse, name: str) -> None:
    damaged = "\t".join(["2026-11-01"] * 3)
    odd = w3c(tmp_path / "logs" / name, [record()], extra=[damaged])
    w3c(tmp_path / "logs/ax1.gz", [record(pop="FRA56-P5")])
    result = analysed(tmp_path / "logs")
    assert pairs(result) == ONE_EACH
    assert result.damage.examples == [f"{odd}:4"]


def test_a_carriage_return_in_a_value_damages_no_other_line(tmp_path: Path, analysed: Analyse) -> None:
    lines = [line(LEGACY_FIELDS, each) for each in (*RECORDS, record(stem="/in\rside"))]
    content = "\n".join([f"#Fields: {' '.join(LEGACY_FIELDS)}", *lines]) + "\n"
    result = analysed(written(tmp_path / "a.gz", content))
    assert pairs(result) == ONE_EACH
    assert result.demand.left_out["refused"].urls + result.damage.lines == 1


def test_an_array_of_json_is_named(tmp_path: Path, analysed: Analyse) -> None:
    array = written(tmp_path / "a.json", json.dumps(RECORDS))
    result = analysed(w3c(tmp_path / "a.gz", RECORDS), array)
    assert result.damage.files == {str(array): "not a log: it is an array of JSON; each record must be a line"}
