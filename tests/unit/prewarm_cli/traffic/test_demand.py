"""What counts as demand, what is left out, and why."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_search import within
from prewarm_cli.traffic.results import as_json, covering_pops, printable, text_lines
from tests.support.access_logs import LEGACY_FIELDS, record, w3c
from tests.support.traffic import Analyse, pairs

HOME = "https://www.example.com"


def test_http_and_https_are_one_pair_unless_they_are_kept_apart(tmp_path: Path, analysed: Analyse) -> None:
    file = w3c(tmp_path / "a", [record(), record(protocol="http"), record(protocol="http", stem="/plain")])
    assert pairs(analysed(file)) == {
        (f"{HOME}/index.html", "NRT57-P3"): (2, 4096),
        ("http://www.example.com/plain", "NRT57-P3"): (1, 4096),
    }
    assert pairs(analysed(file, separate_protocols=True)) == {
        (f"{HOME}/index.html", "NRT57-P3"): (1, 4096),
        ("http://www.example.com/index.html", "NRT57-P3"): (1, 4096),
        ("http://www.example.com/plain", "NRT57-P3"): (1, 4096),
    }


def test_a_url_whose_protocol_is_unknown_is_https(tmp_path: Path, analysed: Analyse) -> None:
    file = w3c(
        tmp_path / "a", [record(protocol="-"), record(protocol="", stem="/b"), record(protocol="ws", stem="/c")]
    )
    assert sorted(url for url, _ in pairs(analysed(file))) == [
        "http://www.example.com/c", f"{HOME}/b", f"{HOME}/index.html",
    ]  # fmt: skip


def test_sizes_come_from_complete_answers_of_any_pop(tmp_path: Path, analysed: Analyse) -> None:
    records = [
        record(size="900"),
        record(size="500"),
        record(status="206", size="99999", pop="FRA56-P5"),
        record(status="304", size="120", pop="LHR62-P1"),
    ]
    assert pairs(analysed(w3c(tmp_path / "a", records))) == {
        (f"{HOME}/index.html", "NRT57-P3"): (2, 900),
        (f"{HOME}/index.html", "FRA56-P5"): (1, 900),
        (f"{HOME}/index.html", "LHR62-P1"): (1, 900),
    }


def test_objects_seen_only_as_ranges_are_left_out_unless_asked_for(tmp_path: Path, analysed: Analyse) -> None:
    records = [
        record(),
        record(stem="/video.mp4", status="206", range_end="999999"),
        record(stem="/clip.mp4", status="206", range_end="4999"),
    ]
    file = w3c(tmp_path / "a", records)
    result = analysed(file)
    assert {url for url, _ in pairs(result)} == {f"{HOME}/index.html"}
    assert result.demand.left_out["ranges"].urls == 2
    assert any("--ranges-as-whole" in line and "/clip.mp4" in line for line in text_lines(result))
    assert len(pairs(analysed(file, ranges_as_whole=True))) == 3
    limited = analysed(file, max_bytes=5000)
    assert {url for url, _ in pairs(limited)} == {f"{HOME}/index.html", f"{HOME}/clip.mp4"}


def test_objects_larger_than_the_limit_are_left_out(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(w3c(tmp_path / "a", [record(), record(stem="/big", size="9000")]), max_bytes=5000)
    assert {url for url, _ in pairs(result)} == {f"{HOME}/index.html"}
    assert result.demand.left_out["size"].examples == [f"{HOME}/big"]


def test_urls_that_every_pop_answers_with_404_last_are_out_of_date(tmp_path: Path, analysed: Analyse) -> None:
    def at(pop: str, stem: str, status: str, time: str) -> dict[str, str]:
        return record(pop=pop, stem=stem, status=status, time=time)

    records = [
        at("NRT57-P3", "/old.js", "200", "10:00:00"), at("NRT57-P3", "/old.js", "404", "11:00:00"),
        at("FRA56-P5", "/old.js", "404", "11:00:00"),
        at("NRT57-P3", "/back.js", "404", "10:00:00"), at("NRT57-P3", "/back.js", "200", "11:00:00"),
        at("NRT57-P3", "/part.js", "200", "10:00:00"), at("FRA56-P5", "/part.js", "404", "11:00:00"),
        at("NRT57-P3", "/never.js", "404", "10:00:00"),
    ]  # fmt: skip
    result = analysed(w3c(tmp_path / "a", records))
    assert {url for url, _ in pairs(result)} == {f"{HOME}/back.js", f"{HOME}/part.js"}
    assert result.demand.left_out["gone"].examples == [f"{HOME}/old.js", f"{HOME}/never.js"]
    assert result.demand.left_out["gone"].requests == 1


def test_own_fetches_are_counted_apart(tmp_path: Path, analysed: Analyse) -> None:
    records = [
        record(),
        record(agent="CloudFront-Prewarm/9.9.9"),
        record(agent="Uptime%20Robot/1"),
    ]
    result = analysed(w3c(tmp_path / "a", records), agents=("CloudFront-Prewarm/", "uptime robot"))
    assert result.ranking.requests == 1
    assert as_json(result, pops=False)["ownRequests"] == 2


def test_period_host_and_patterns_select(tmp_path: Path, analysed: Analyse) -> None:
    records = [
        record(),
        record(time="09:59:59"),
        record(time="13:00:00"),
        record(host="other.example.com"),
        record(stem="/img/a.png"),
        record(stem="/img/secret.png"),
    ]
    result = analysed(
        w3c(tmp_path / "a", records),
        since=datetime(2026, 11, 1, 10),  # noqa: DTZ001 - UTC without a zone, as the option is read
        until=datetime(2026, 11, 1, 13),  # noqa: DTZ001
        hosts=("www.example.com",),
        include=("/img/*",),
        exclude=("*secret*",),
    )
    assert pairs(result) == {(f"{HOME}/img/a.png", "NRT57-P3"): (1, 4096)}
    assert result.demand.not_kept == {"period": 2, "host": 1}
    assert result.demand.left_out["pattern"].urls == 2


def test_edges_without_a_pop_name_are_counted_and_named(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(w3c(tmp_path / "a", [record(), record(pop="DFW3"), record(pop="ZZZ99-P9")]))
    assert set(pairs(result)) == {(f"{HOME}/index.html", "NRT57-P3"), (f"{HOME}/index.html", "ZZZ99-P9")}
    assert result.demand.odd_pops == ["DFW3"]
    assert as_json(result, pops=False)["unknownPops"] == ["ZZZ99-P9"]


def test_urls_that_the_service_refuses_are_left_out(tmp_path: Path, analysed: Analyse) -> None:
    stems = ["/ok", "/a/../b", "/*", "/%25zz"]
    result = analysed(w3c(tmp_path / "a", [record(stem=stem) for stem in stems]))
    assert [url for url, _ in pairs(result)] == [f"{HOME}/ok"]
    assert result.demand.left_out["refused"].urls == 3


def test_logs_without_demand_say_why(tmp_path: Path, analysed: Analyse) -> None:
    file = w3c(tmp_path / "a", [record(method="POST"), record(status="500")])
    with pytest.raises(
        CommandFailed, match="no demand in 2 lines of 1 files: 1 requests other than GET; 1 responses"
    ):
        analysed(file)


def test_logs_of_ranges_only_say_which_option_warms_them(tmp_path: Path, analysed: Analyse) -> None:
    with pytest.raises(CommandFailed, match=r"1 URL: seen only as ranges .206.: pass --ranges-as-whole"):
        analysed(w3c(tmp_path / "a", [record(status="206")]))


@pytest.mark.parametrize(
    "host", ["WWW.Example.com", "www.example.com.", "www.example.com:443", "www.example.com.:443"]
)
def test_each_spelling_of_a_host_is_the_one_of_the_option(tmp_path: Path, analysed: Analyse, host: str) -> None:
    result = analysed(w3c(tmp_path / "a", [record(host=host)]), hosts=("www.example.com",))
    assert set(pairs(result)) == {(f"{HOME}/index.html", "NRT57-P3")}


def test_the_smallest_set_of_pops_carries_the_share(tmp_path: Path, analysed: Analyse) -> None:
    pops = {"NRT57-P3": 6, "FRA56-P5": 3, "LHR62-P1": 1}
    records = [record(pop=pop, stem=f"/{n}") for pop, count in pops.items() for n in range(count)]
    result = analysed(w3c(tmp_path / "a", records), cover=90.0)
    assert covering_pops(result) == ["NRT57-P3", "FRA56-P5"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p/E1.2026-11-02-12.abc.gz", True),
        ("p/E1.2026-11-03-13.abc.gz", True),  # delivered up to 24 hours late
        ("p/E1.2026-11-03-23.abc.gz", False),
        ("p/E1.2026-11-01-09.abc.gz", False),
        ("p/2026/11/02/11/x.gz", True),
        # The hour of a folder may be in the time zone that a Firehose stream names, from UTC-12 to UTC+14.
        ("p/2026/11/01/x.gz", True),
        ("p/2026/11/01/21/x.gz", False),
        ("p/2026/11/04/10/x.gz", True),
        ("p/2026/11/04/11/x.gz", False),
        ("p/2026/10/31/x.gz", False),
        ("p/year=2026/month=11/day=02/hour=10/x.parquet", True),
        ("p/year=2026/month=10/day=31/x.parquet", False),
        ("p/today.gz", True),
        ("p/2026-99-99-99.gz", True),
    ],
)
def test_files_are_pruned_by_the_hour_in_their_names(name: str, *, expected: bool) -> None:
    since, until = (datetime(2026, 11, 2, hour, tzinfo=UTC).replace(tzinfo=None) for hour in (11, 20))
    assert within(name, since, until) is expected


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        ("export-2026-12-24/", "a.gz", True),
        ("exports/2026/12/24/", "a.gz", True),
        ("exports/2026/12/24/", "E1.2026-11-02-12.a.gz", True),
        ("exports/2026/11/02/", "E1.2026-12-24-12.a.gz", False),
        ("cdn/E1.2026-12", "-24-12.a.gz", False),
        ("cdn/2026/12/24/", "15/a.gz", False),
    ],
)
def test_a_date_in_the_name_that_the_user_gives_leaves_out_nothing(given: str, name: str, *, expected: bool) -> None:
    since, until = (datetime(2026, 11, 2, hour, tzinfo=UTC).replace(tzinfo=None) for hour in (11, 20))
    assert within(given + name, since, until, len(given)) is expected


def test_pruned_files_are_not_read(tmp_path: Path, analysed: Analyse) -> None:
    w3c(tmp_path / "logs/E1.2026-11-01-12.a.gz", [record()])
    w3c(tmp_path / "logs/E1.2026-12-24-12.a.gz", [record(date="2026-12-24")])
    result = analysed(tmp_path / "logs", until=datetime(2026, 11, 2))  # noqa: DTZ001
    assert (result.files, result.pruned, result.demand.lines) == (1, 1, 1)


def test_nothing_of_a_log_acts_on_the_terminal_and_secrets_stay_out(tmp_path: Path, analysed: Analyse) -> None:
    records = [record(query="X-Amz-Signature=deadbeef"), record(pop="\x1b[31mX")]
    result = analysed(w3c(tmp_path / "a\x1b[2J", records))
    text = "\n".join(printable(line) for line in text_lines(result))
    assert "\x1b" not in text
    assert "deadbeef" not in text + str(as_json(result, pops=True))


def test_no_client_address_is_kept(tmp_path: Path, analysed: Analyse) -> None:
    file = w3c(tmp_path / "a", [record() | {"c-ip": "198.51.100.77", "x-forwarded-for": "198.51.100.78"}])
    result = analysed(file)
    database = result.ranking._connection
    tables = [name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    rows = [row for table in tables for row in database.execute(f"SELECT * FROM {table}").fetchall()]
    assert rows
    assert "198.51.100" not in str(rows)
    assert "198.51.100" not in str(as_json(result, pops=True))


def test_more_scans_are_merged(tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        w3c(tmp_path / f"logs/{number}.gz", [record()] * 2, LEGACY_FIELDS)
    monkeypatch.setattr("prewarm_cli.traffic.joining.FEW", 2)
    monkeypatch.setattr("prewarm_cli.traffic.joining.LARGE", 300)
    assert pairs(analysed(tmp_path / "logs")) == {(f"{HOME}/index.html", "NRT57-P3"): (10, 4096)}


def test_a_list_that_no_run_takes_is_mentioned(
    tmp_path: Path, analysed: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = analysed(w3c(tmp_path / "a", [record(), record(pop="FRA56-P5")]), cover=100.0)
    assert "it will refuse this list" not in "\n".join(text_lines(result))
    monkeypatch.setattr("prewarm_cli.traffic.results.PAIRS_AT_MOST", 1)
    assert "a run takes at most 1 pair, so it will refuse this list" in "\n".join(text_lines(result))
