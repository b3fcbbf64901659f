"""Each format of CloudFront's logs gives the same demand; files are written as AWS documents them."""

import gzip
from pathlib import Path

import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.results import Result, as_json, text_lines
from tests.support.access_logs import (
    LEGACY_FIELDS,
    REAL_TIME_FIELDS,
    json_lines,
    parquet,
    real_time,
    record,
    w3c,
    written,
)
from tests.support.traffic import Analyse, pairs

RECORDS = [
    record(),
    record(pop="FRA56-P5", status="304"),
    record(stem="/a%2520b.js", query="v=1%2526x", size="9000"),
    record(stem="/a%2520b.js", query="v=1%2526x", size="100"),
    record(agent="CloudFront-Prewarm/0.1.0"),
    record(method="POST"),
    record(status="403"),
]
EXPECTED = {
    ("https://www.example.com/index.html", "NRT57-P3"): (1, 4096),
    ("https://www.example.com/index.html", "FRA56-P5"): (1, 4096),
    ("https://www.example.com/a%20b.js?v=1%26x", "NRT57-P3"): (2, 9000),
}


def check(result: Result) -> None:
    assert pairs(result) == EXPECTED
    assert result.demand.lines == len(RECORDS)
    assert result.demand.not_kept == {"own": 1, "method": 1, "status": 1}
    assert result.damage.lines == 0


def test_legacy_logs_give_the_demand(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(w3c(tmp_path / "EXAMPLE.2026-11-01-12.a.gz", RECORDS))
    check(result)
    assert result.missing == {}
    assert str(result.demand.since) == "2026-11-01 12:00:00"


def test_fields_in_another_order_give_the_same_demand(tmp_path: Path, analysed: Analyse) -> None:
    check(analysed(w3c(tmp_path / "a.gz", RECORDS, LEGACY_FIELDS[::-1])))


def test_v2_w3c_without_a_version_line_gives_the_same_demand(tmp_path: Path, analysed: Analyse) -> None:
    fields = ["x-host-header", "cs-method", "sc-status", "x-edge-location", "cs-uri-stem", "cs-uri-query", "sc-bytes"]
    check(analysed(w3c(tmp_path / "a.gz", RECORDS, [*fields, "cs(User-Agent)", "asn", "cs-protocol"], version=False)))


@pytest.mark.parametrize("delimiter", [",", "|", ";"])
def test_v2_with_another_field_delimiter_gives_the_same_demand(
    tmp_path: Path, analysed: Analyse, delimiter: str
) -> None:
    fields = ["date", "time", *(name for name in LEGACY_FIELDS[2:] if name != "cs(User-Agent)")]
    records = [each for each in RECORDS if not each["cs(User-Agent)"].startswith("CloudFront")]
    assert pairs(analysed(w3c(tmp_path / "a.gz", records, fields, delimiter=delimiter))) == EXPECTED


def test_v2_plain_with_a_row_of_names_gives_the_same_demand(tmp_path: Path, analysed: Analyse) -> None:
    rows = ["\t".join(LEGACY_FIELDS), *("\t".join(each.get(name, "-") for name in LEGACY_FIELDS) for each in RECORDS)]
    check(analysed(written(tmp_path / "plain.gz", "\n".join(rows) + "\n")))


def test_v2_json_gives_the_same_demand(tmp_path: Path, analysed: Analyse) -> None:
    check(analysed(json_lines(tmp_path / "a.json.gz", RECORDS)))


def test_v2_parquet_gives_the_same_demand(tmp_path: Path, analysed: Analyse) -> None:
    check(analysed(parquet(tmp_path / "year=2026/month=11/a.parquet", RECORDS)))


def test_real_time_logs_give_the_same_demand_with_their_fields(tmp_path: Path, analysed: Analyse) -> None:
    """The stem of real-time logs contains the query."""
    records = [
        {
            **each,
            "cs-uri-stem": each["cs-uri-stem"] + ("" if each["cs-uri-query"] == "-" else "?" + each["cs-uri-query"]),
        }
        for each in RECORDS
    ]
    file = real_time(tmp_path / "stream-1-2026-11-01-12-00-00-x", records)
    result = analysed(file, fields=tuple(REAL_TIME_FIELDS), sampling_rate=100.0)
    check(result)
    sampled = analysed(file, fields=tuple(REAL_TIME_FIELDS), sampling_rate=5.0)
    assert pairs(sampled) == {pair: (20 * count, size) for pair, (count, size) in EXPECTED.items()}
    assert str(result.demand.since) == "2026-11-01 12:00:00.250000"
    assert "  estimated from a sample of 5 % of the requests" in text_lines(sampled)


def test_a_sampling_rate_without_real_time_logs_is_not_said_to_apply(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(json_lines(tmp_path / "a.json", RECORDS), sampling_rate=5.0)
    text = "\n".join(text_lines(result))
    assert pairs(result) == EXPECTED
    assert "estimated from a sample" not in text
    assert "--sampling-rate has no effect" in text
    assert "samplingRate" not in as_json(result, pops=False)


def test_headerless_logs_without_fields_or_rate_are_refused(tmp_path: Path, analysed: Analyse) -> None:
    file = real_time(tmp_path / "stream", RECORDS)
    with pytest.raises(CommandFailed, match="pass --fields"):
        analysed(file)
    with pytest.raises(CommandFailed, match="pass --sampling-rate"):
        analysed(file, fields=tuple(REAL_TIME_FIELDS))


def test_all_formats_in_one_folder_are_added_up(tmp_path: Path, analysed: Analyse) -> None:
    logs = tmp_path / "logs"
    w3c(logs / "2026/11/01/12/a.gz", RECORDS)
    w3c(logs / "b", RECORDS, LEGACY_FIELDS[::-1])
    json_lines(logs / "c", RECORDS)
    parquet(logs / "d", RECORDS)
    written(logs / "notes.md", "# Logs\n")
    written(logs / "empty.gz", "")
    written(logs / "_SUCCESS", "1\t2\t3")
    result = analysed(logs)
    assert pairs(result) == {pair: (4 * count, size) for pair, (count, size) in EXPECTED.items()}
    assert result.demand.lines == 4 * len(RECORDS)


def test_missing_fields_are_said(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(w3c(tmp_path / "a", RECORDS, ["x-edge-location", "cs-uri-stem", "cs(Host)"]))
    text = "\n".join(result.missing)
    for name in ("User-Agent", "cs-method", "sc-status", "sc-bytes", "cs-protocol", "date and time", "cs-uri-query"):
        assert name in text
    assert result.ranking.requests == len(RECORDS)
    assert {url for url, _ in pairs(result)} == {
        "https://d111111abcdef8.cloudfront.net/index.html",
        "https://d111111abcdef8.cloudfront.net/a%20b.js",
    }


@pytest.mark.parametrize("lacking", ["x-edge-location", "cs-uri-stem"])
def test_logs_without_a_needed_field_are_refused_by_its_name(tmp_path: Path, analysed: Analyse, lacking: str) -> None:
    fields = [name for name in LEGACY_FIELDS if name != lacking]
    with pytest.raises(CommandFailed, match=lacking):
        analysed(w3c(tmp_path / "a", RECORDS, fields))


def test_logs_without_a_host_take_it_from_the_option(tmp_path: Path, analysed: Analyse) -> None:
    fields = [name for name in LEGACY_FIELDS if name not in {"cs(Host)", "x-host-header"}]
    file = w3c(tmp_path / "a", RECORDS, fields)
    with pytest.raises(CommandFailed, match="--host"):
        analysed(file)
    assert pairs(analysed(file, hosts=("www.example.com",))) == EXPECTED


def test_damaged_lines_are_counted_and_named(tmp_path: Path, analysed: Analyse) -> None:
    whole = "\t".join(record().get(name, "-") for name in LEGACY_FIELDS)
    extra = [
        whole[:150],
        whole.replace("\t200\t", "\t2xx\t"),
        "",
        whole + "\textra",
        whole.replace("12:00:00", "12:"),
        whole.replace("NRT57-P3", "-"),
    ]
    file = w3c(tmp_path / "a.gz", RECORDS, extra=extra)
    result = analysed(file)
    assert pairs(result) == EXPECTED
    first = 2 + len(RECORDS) + 1
    named = {first, first + 1, first + 3, first + 4, first + 5}
    assert set(result.damage.examples) == {f"{file}:{number}" for number in named}
    assert result.damage.lines == len(named)


def test_bytes_that_are_not_utf8_damage_their_line_only(tmp_path: Path, analysed: Analyse) -> None:
    text = b"\n".join(gzip.decompress(w3c(tmp_path / "b.gz", RECORDS).read_bytes()).splitlines())
    file = written(tmp_path / "a.gz", text + b"\n" + text.splitlines()[2].replace(b"Mozilla", b"\xff\xfe") + b"\n")
    result = analysed(file)
    assert pairs(result) == EXPECTED
    assert result.damage.examples == [f"{file}:{3 + len(RECORDS)}"]


def test_damaged_json_lines_are_named(tmp_path: Path, analysed: Analyse) -> None:
    text = gzip.decompress(json_lines(tmp_path / "b.gz", RECORDS).read_bytes()).decode()
    file = written(tmp_path / "a.json", text + '{"date": "2026\n\n[1]\n')
    result = analysed(file)
    assert pairs(result) == EXPECTED
    assert result.damage.examples == [f"{file}:{len(RECORDS) + 1}", f"{file}:{len(RECORDS) + 3}"]
    assert result.damage.lines == 2


def test_a_gzip_file_that_was_cut_counts_up_to_there(tmp_path: Path, analysed: Analyse) -> None:
    many = [record(stem=f"/{number * 7919}") for number in range(3000)]
    whole = w3c(tmp_path / "a.gz", many).read_bytes()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "cut.gz").write_bytes(whole[: len(whole) // 2])
    w3c(logs / "whole.gz", RECORDS)
    result = analysed(logs)
    assert EXPECTED.items() <= pairs(result).items()
    assert 100 < len(pairs(result)) < 3000
    assert list(result.damage.files) == [str(logs / "cut.gz")]
    assert all(place.startswith(str(logs / "cut.gz")) for place in result.damage.examples)


def test_a_damaged_parquet_file_is_named_and_the_others_count(tmp_path: Path, analysed: Analyse) -> None:
    parquet(tmp_path / "logs/a.parquet", RECORDS)
    data = parquet(tmp_path / "logs/b.parquet", RECORDS).read_bytes()
    (tmp_path / "logs/b.parquet").write_bytes(data[:-40])
    result = analysed(tmp_path / "logs")
    assert pairs(result) == EXPECTED
    assert list(result.damage.files) == [str(tmp_path / "logs/b.parquet")]


def test_joined_files_count_and_other_fields_in_the_middle_are_refused(tmp_path: Path, analysed: Analyse) -> None:
    one = w3c(tmp_path / "a.gz", RECORDS).read_bytes()
    other = w3c(tmp_path / "b.gz", RECORDS, LEGACY_FIELDS[::-1]).read_bytes()
    (tmp_path / "joined.gz").write_bytes(one + one)
    assert pairs(analysed(tmp_path / "joined.gz")) == {pair: (2 * n, size) for pair, (n, size) in EXPECTED.items()}
    (tmp_path / "mixed.gz").write_bytes(one + other)
    with pytest.raises(CommandFailed, match=r"mixed\.gz:11: a second #Fields line"):
        analysed(tmp_path / "mixed.gz")


def test_urls_of_8_kilobytes_and_ipv6_viewers_are_read(tmp_path: Path, analysed: Analyse) -> None:
    long = "/" + "a" * (8192 - len("https://www.example.com/"))
    result = analysed(w3c(tmp_path / "a.gz", [record(stem=long), record(stem=long + "a")]))
    assert [url for url, _ in pairs(result)] == [f"https://www.example.com{long}"]
    assert result.demand.left_out["refused"].urls == 1


def test_lines_with_carriage_returns_are_read(tmp_path: Path, analysed: Analyse) -> None:
    text = gzip.decompress(w3c(tmp_path / "b.gz", RECORDS).read_bytes())
    check(analysed(written(tmp_path / "a", text.replace(b"\n", b"\r\n"))))


def test_quotes_in_values_are_characters(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(w3c(tmp_path / "a", [record(agent='"x'), record(agent='y"'), record(agent="'")]))
    assert result.ranking.requests == 3


def test_exactly_one_layer_of_encoding_is_undone(tmp_path: Path, analysed: Analyse) -> None:
    stems = {
        "/a%252520b": "/a%2520b",
        "/%7Euser/%257B": "/~user/%7B",
        "/caf%C3%A9": "/caf%C3%A9",
        "/caf%25C3%25A9": "/caf%C3%A9",
        "/x%2523y": "/x%23y",
        "/x%23y": "/x%23y",
        "/it%27s": "/it's",
    }
    result = analysed(w3c(tmp_path / "a", [record(stem=stem) for stem in stems]))
    assert {url for url, _ in pairs(result)} == {f"https://www.example.com{path}" for path in stems.values()}
    assert pairs(result)["https://www.example.com/x%23y", "NRT57-P3"][0] == 2


def test_many_small_files_name_their_own_lines(
    tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prewarm_cli.traffic.joining.FEW", 1)
    logs = tmp_path / "logs"
    w3c(logs / "1.gz", RECORDS)
    w3c(logs / "2.gz", [record(stem="/two")], extra=["cut\toff", "2026"])
    written(logs / "3.gz", "#Version: 1.0\n#Fields: " + " ".join(LEGACY_FIELDS))
    w3c(logs / "4", [record(stem="/four"), record(status="2x")])
    whole = w3c(tmp_path / "a.gz", [record(stem=f"/{number * 7919}") for number in range(3000)]).read_bytes()
    (logs / "5.gz").write_bytes(whole[: len(whole) // 2])
    result = analysed(logs)
    assert EXPECTED.items() <= pairs(result).items()
    named = {f"{logs}/2.gz:4", f"{logs}/2.gz:5", f"{logs}/4:4"}
    assert named <= set(result.damage.examples)
    assert all(place.startswith(f"{logs}/5.gz:") for place in {*result.damage.examples} - named)
    assert list(result.damage.files) == [f"{logs}/5.gz"]
    assert 100 < len(pairs(result)) < 3000


def test_compression_is_recognised_by_content(tmp_path: Path, analysed: Analyse) -> None:
    logs = tmp_path / "logs"
    w3c(logs / "a.gz", RECORDS).rename(logs / "a.log")
    w3c(logs / "b.log", RECORDS).rename(logs / "b.gz")
    json_lines(logs / "c.gz", RECORDS).rename(logs / "c")
    assert pairs(analysed(logs)) == {pair: (3 * n, size) for pair, (n, size) in EXPECTED.items()}
