"""The query of the nightly example, translated by sqlglot and run by DuckDB: its pairs are those of the command.

Athena's result is written as Athena writes it, and read as the service reads it.
"""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from prewarm.request.url_parser import parse_url
from prewarm.targets_csv import COLUMNS
from prewarm.targets_reader import TargetsReader
from prewarm_cli.traffic import nightly
from tests.support.access_logs import create_log_table, record, w3c
from tests.support.traffic import analyser, pairs

Record = dict[str, str]
Pairs = dict[tuple[str, str], int]
TODAY = date(2026, 11, 9)
PARAMETERS = {
    "Database": "logs", "Table": "cloudfront", "Days": "1", "Cover": "95", "MostPairs": "100000", "Hosts": "",
    "ExcludeAgent": "",
}  # fmt: skip
OWN = "CloudFront-Prewarm/0.1.0"


def filled(**values: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: (PARAMETERS | values)[match[1]], nightly.query())


def result_of(records: Sequence[Record], today: date = TODAY, **values: str) -> str:
    """Return the query's result as Athena writes it: a header, every value quoted."""
    (statement,) = sqlglot.parse(filled(**values), dialect="athena")
    assert statement is not None
    on_day = statement.transform(
        lambda node: sqlglot.parse_one(f"DATE '{today}'") if isinstance(node, sqlglot.exp.CurrentDate) else node
    )
    connection = duckdb.connect()
    create_log_table(connection, records)
    found = connection.execute(on_day.sql(dialect="duckdb"))
    assert tuple(column[0] for column in found.description or ()) == COLUMNS
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([COLUMNS, *found.fetchall()])
    return file.getvalue()


def read(text: str) -> Pairs:
    return {(pair.url, pair.pop): pair.requests for _, pair in TargetsReader(text.splitlines(keepends=True))}


def viewed(day: date, counts: dict[tuple[str, str], int], **changes: str) -> list[Record]:
    """Return a day's records: so many requests for each path and POP."""
    return [
        record(stem=stem, pop=pop, date=str(day), **changes) for (stem, pop), n in counts.items() for _ in range(n)
    ]


def test_set_shrinks_when_demand_does_and_the_service_keeps_no_pair_alive() -> None:
    """Three nights: viewers lose interest, while each night's own fetches ask for all pairs of the night before."""
    busy = {(f"/{number}", pop): 6 - number for number in range(6) for pop in ("NRT57-P3", "FRA56-P5")}
    days = [busy, dict(list(busy.items())[:6]), dict(list(busy.items())[:2])]
    table: list[Record] = []
    sizes = []
    for number, demand in enumerate(days):
        day = TODAY + timedelta(days=number)
        table += viewed(day, demand)
        warmed = read(result_of(table, day + timedelta(days=1), Cover="100"))
        assert warmed == {(f"https://www.example.com{stem}", pop): n for (stem, pop), n in demand.items()}
        sizes.append(len(warmed))
        # The night after the day: the service fetches each pair, and proves it, more often than any viewer asks.
        own = {(url.removeprefix("https://www.example.com"), pop): 8 for url, pop in warmed}
        table += viewed(day + timedelta(days=1), own, agent=OWN)
    assert sizes == [12, 6, 2]
    assert read(result_of(table, TODAY + timedelta(days=4))) == {}


RECORDS = [
    *viewed(TODAY - timedelta(days=1), {(f"/{n}", "NRT57-P3"): 20 - n for n in range(20)}),
    *(
        record(date="2026-11-08", **changes)
        for changes in (
            {"stem": "/a%2520b", "query": "v=%2525&c=%27"},
            {"stem": "/x%7Ey%2527"},
            {"stem": "/gone", "status": "404"},
            {"stem": "/part", "status": "206", "range_end": "99"},
            {"stem": "/plain", "protocol": "http"},
            {"stem": "/bad%25zz"},
            {"stem": "/a/%252E%252e/b"},
            {"stem": "/0", "agent": OWN},
            {"stem": "/0", "method": "POST"},
            {"stem": "/0", "pop": "DFW3"},
            {"stem": "/0", "status": "500"},
            {"stem": "/0", "status": "x"},
            # Out of range for the service's list, and at the limit of 64 bits.
            {"stem": "/damaged", "size": "9007199254740993"},
            {"stem": "/damaged", "size": "9223372036854775807", "range_end": "9223372036854775807"},
        )
    ),
]


@pytest.mark.parametrize("cover", ["50", "95", "99.5", "100"])
def test_pairs_are_those_of_the_command(tmp_path: Path, cover: str) -> None:
    result = analyser(tmp_path)(w3c(tmp_path / "log", RECORDS), cover=float(cover))
    # The service fetches a URL in the form that browsers send, as the command lists it.
    found = {(parse_url(url).fetch, pop): n for (url, pop), n in read(result_of(RECORDS, Cover=cover)).items()}
    everything = {pair: count for pair, (count, _) in pairs(result).items()}
    # Which of the pairs with as many requests are the last ones is open.
    assert found.items() <= everything.items()
    assert (len(found), sum(found.values())) == (result.cover.pairs, result.cover.requests)


def test_parameters_limit_the_pairs() -> None:
    other = viewed(TODAY - timedelta(days=1), {("/other", "NRT57-P3"): 5}, host="img.example.com")
    old = viewed(TODAY - timedelta(days=2), {("/old", "NRT57-P3"): 5})
    today = viewed(TODAY, {("/today", "NRT57-P3"): 5})
    agent = viewed(TODAY - timedelta(days=1), {("/agent", "NRT57-P3"): 5}, agent="My%20Warmer/2")
    records = other + old + today + agent
    assert {url for url, _ in read(result_of(records, Hosts="a.example.com,img.example.com"))} == {
        "https://img.example.com/other"
    }
    urls = {url.rpartition("/")[2] for url, _ in read(result_of(records, Days="2", ExcludeAgent="my%20warmer"))}
    assert urls == {"other", "old"}
    assert len(read(result_of(records, MostPairs="1"))) == 1


def test_query_is_parsed_by_an_independent_parser() -> None:
    for dialect in ("athena", "trino"):
        (statement,) = sqlglot.parse(filled(), dialect=dialect)
        assert isinstance(statement, sqlglot.exp.Select)
        assert tuple(statement.named_selects) == COLUMNS


SITES = st.one_of(
    st.text("aZ9_~!$&()+,;=:@./'|[]%-?`{}^", max_size=20).map("www.xn--bcher-kva.example/{}".format),
    st.tuples(st.sampled_from(["a.example.com", "1.2", "x"]), st.text("/.%2eE?a'|[]`{}^\\*#é \t", max_size=12)).map(
        lambda parts: f"{parts[0]}/{parts[1]}"
    ),
)


@given(SITES)
def test_urls_that_pass_the_query_are_accepted_by_the_service(site: str) -> None:
    if re.fullmatch(nightly.SITE, site, re.ASCII) and not re.search(nightly.DOTS, site) and "--" not in site:
        host = site.partition("/")[0]
        if len(host) <= nightly.LONGEST_HOST and len(site) <= nightly.LONGEST_SITE:
            parsed: Any = parse_url(f"https://{site}")
            assert parsed.host == host
