"""The ranking is the smallest set of pairs for each share, by comparison with a plain count."""

import csv
import io
import math
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm_cli.traffic.projection import new_urls, project
from prewarm_cli.traffic.ranking import Ranking
from tests.support.traffic import demand_table

COUNTS = st.lists(st.integers(1, 9) | st.integers(1, 10_000), min_size=1, max_size=60)


@given(COUNTS, st.floats(0.1, 100))
@settings(max_examples=60, deadline=None)
def test_no_smaller_set_carries_the_share(counts: list[int], percent: float) -> None:
    rows = [(f"https://a.example.com/{n % 7}", f"NRT{n}-P1", count, 10) for n, count in enumerate(counts)]
    ranking = Ranking(demand_table(rows))
    ordered = sorted(counts, reverse=True)
    size = ranking.pairs_for(percent)
    taken = [requests for _, _, requests, _ in ranking.first(size)]
    assert taken == ordered[:size]
    needed = sum(counts) * percent / 100
    assert sum(taken) >= needed - 1e-6 * needed
    assert sum(taken[:-1]) < needed
    assert ranking.requests_of(size) == sum(taken)
    (coverage,) = ranking.coverages([(percent, size)])
    chosen = [(url, pop) for url, pop, _, _ in ranking.first(size)]
    assert (coverage.urls, coverage.pops) == (len({u for u, _ in chosen}), len({p for _, p in chosen}))
    assert math.isclose(coverage.share, 100 * sum(taken) / sum(counts))


def test_ties_have_the_same_order_in_every_reading() -> None:
    rows = [(f"https://a.example.com/{n}", "NRT57-P3", 1, 1) for n in range(500)]
    assert [*Ranking(demand_table(rows)).first(100)] == [*Ranking(demand_table(rows[::-1])).first(100)]


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(1, 2**53), st.integers(0, 2**53)), min_size=1))
@settings(max_examples=40, deadline=None)
def test_lines_are_those_of_a_writer_of_csv(pairs: list[tuple[str, int, int]]) -> None:
    ranking = Ranking(demand_table([(url, "NRT57-P3", requests, size) for url, requests, size in pairs]))
    rows = [*csv.reader(io.StringIO("".join(ranking.lines(len(pairs))), newline=""))]
    assert rows == [[str(value) for value in row] for row in ranking.first(len(pairs))]


def test_order_of_many_pairs_is_that_of_their_requests() -> None:
    connection = demand_table([("https://a.example/0", "NRT57-P3", 0, 1)])
    connection.execute(
        "INSERT INTO demand SELECT 'https://a.example/' || i, 'NRT57-P3', i, 1 FROM range(1, 200000) t(i)"
    )
    requests = [requests for _, _, requests, _ in Ranking(connection).first(150_000)]
    assert requests == [*range(199_999, 49_999, -1)]


def test_dollars_are_those_of_requests_and_bytes() -> None:
    rows = [(f"https://a.example.com/{n}", "FRA56-P5", 2, 1_000_000_000) for n in range(10)]
    ranking = Ranking(demand_table(rows))
    (coverage,) = ranking.coverages([(100.0, 10)])
    targets, dollars = ranking.rectangle(coverage)
    assert targets == 10
    # 10 GB and a proof of each URL, at Europe's price for a GB (data/prices.json).
    assert 20 * 0.08 < coverage.dollars < 20 * 0.09
    assert math.isclose(dollars, coverage.dollars)


def projected(
    old: list[tuple[str, str, int, int]], new: list[str]
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    connection = demand_table(old)
    with TemporaryDirectory() as folder:
        sources = project(connection, new_urls(new, "list"), Path(folder))
    rows = connection.execute("SELECT url, pop, requests FROM demand").fetchall()
    return {(url, pop): count for url, pop, count in rows}, sources


HOST = "https://www.example.com"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/static/main.3f2a1b9c.js", "/static/main.9d8e7f60.js"),
        ("/assets/index-BkQsXqzW.js", "/assets/index-DfRtYuIo.js"),
        ("/assets/index-D4zBq8fQ.css", "/assets/index-Cx1W9m2P.css"),
        ("/polyfills-LZBJRJJE.js", "/polyfills-5UZKVWPQ.js"),
        ("/v1.2.3/app.js", "/v1.3.0/app.js"),
        ("/app.js?v=1", "/app.js?v=2"),
    ],
)
def test_a_new_hash_takes_the_demand_of_the_old_one(old: str, new: str) -> None:
    rows = [
        (HOST + old, "NRT57-P3", 90, 5),
        (HOST + old, "FRA56-P5", 10, 5),
        (f"{HOST}/other/x.js", "LHR62-P1", 7, 5),
    ]
    found, sources = projected(rows, [HOST + new])
    assert found == {(HOST + new, "NRT57-P3"): 90, (HOST + new, "FRA56-P5"): 10}
    assert sources == {"a path that differs in hashes and numbers": 1}


def test_projection_falls_back_to_extension_then_host_then_nothing() -> None:
    rows = [
        (f"{HOST}/a.css", "NRT57-P3", 100, 5),
        (f"{HOST}/b.css", "NRT57-P3", 50, 5),
        (f"{HOST}/b.css", "FRA56-P5", 30, 5),
        (f"{HOST}/index", "FRA56-P5", 30, 5),
        ("https://img.example.com/a.css", "LHR62-P1", 999, 5),
    ]
    new = [f"{HOST}/a.css", f"{HOST}/fresh.css", f"{HOST}/fresh.webp", "https://new.example.com/a.css"]
    found, sources = projected(rows, ["# list", "", *new])
    assert found == {
        (f"{HOST}/a.css", "NRT57-P3"): 100,
        (f"{HOST}/fresh.css", "NRT57-P3"): 75,
        (f"{HOST}/fresh.css", "FRA56-P5"): 15,
        (f"{HOST}/fresh.webp", "NRT57-P3"): 50,
        (f"{HOST}/fresh.webp", "FRA56-P5"): 20,
    }
    assert sources == {"themselves": 1, "the extension": 1, "the host": 1, "nothing": 1}


def test_new_names_share_the_demand_of_the_old_ones() -> None:
    rows = [(f"{HOST}/chunk.1a.js", "NRT57-P3", 60, 5), (f"{HOST}/chunk.2b.js", "NRT57-P3", 40, 5)]
    found, _ = projected(rows, [f"{HOST}/chunk.{name}.js" for name in ("3c", "4d", "5e", "6f")])
    assert Counter(found.values()) == {25: 4}


def test_duckdb_comes_with_json_and_parquet() -> None:
    connection = duckdb.connect(
        config={"autoload_known_extensions": "false", "autoinstall_known_extensions": "false"}
    )
    loaded = connection.execute("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()
    assert {("json",), ("parquet",)} <= set(loaded)


def test_all_requests_are_all_pairs_and_the_smallest_share_is_one() -> None:
    rows = [("https://a.example.com/0", "NRT1-P1", 3 * 10**9, 10)]
    rows += [(f"https://a.example.com/{n}", "NRT1-P1", 1, 10) for n in range(1, 4)]
    ranking = Ranking(demand_table(rows))
    assert ranking.pairs_for(100) == 4
    assert ranking.pairs_for(1e-12) == 1


def test_a_new_url_among_many_rare_ones_keeps_its_busiest_pop(tmp_path: Path) -> None:
    rows = [(f"https://a.example.com/{n}.png", f"NRT{n % 50 + 1}-P1", 1 + (n == 7), 10) for n in range(600)]
    connection = demand_table(rows)
    found = project(connection, ["https://a.example.com/img/new.png"], tmp_path)
    assert found["the extension"] == 1
    assert connection.execute("SELECT url, pop, requests FROM demand").fetchall() == [
        ("https://a.example.com/img/new.png", "NRT8-P1", 1)
    ]
