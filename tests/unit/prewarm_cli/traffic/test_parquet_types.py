"""Parquet logs whose columns have types of their own, as conversions and other writers leave them."""

from pathlib import Path

import duckdb
import pytest

from tests.support.traffic import Analyse, pairs

COLUMNS = {
    "date": "'2026-11-01'",
    "time": "'12:00:00'",
    "x_edge_location": "'NRT57-P3'",
    "sc_bytes": "'4096'",
    "cs_method": "'GET'",
    "cs_uri_stem": "'/index.html'",
    "sc_status": "'200'",
    "cs_user_agent": "'Mozilla/5.0'",
    "cs_uri_query": "'-'",
    "x_host_header": "'www.example.com'",
    "cs_protocol": "'https'",
}
EXPECTED = {("https://www.example.com/index.html", "NRT57-P3"): (1, 4096)}


def typed(path: Path, changes: dict[str, str | None]) -> Path:
    """Write a record; `changes`: SQL of columns by name, None for a column that is missing."""
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in {**COLUMNS, **changes}.items() if sql)
    path.parent.mkdir(exist_ok=True)
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    return path


def instead_of_date_and_time(name: str, sql: str) -> dict[str, str | None]:
    return {"date": None, "time": None, name: sql}


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "DATE '2026-11-01'", "time": "TIME '12:00:00'"},
        {"date": "TIMESTAMP '2026-11-01 00:00:00'"},
        {"date": "TIMESTAMP_NS '2026-11-01 12:00:00'", "time": "TIMESTAMP_NS '2026-11-01 12:00:00'"},
        {"time": "TIMETZ '12:00:00+00'"},
        instead_of_date_and_time("timestamp", "1793534400::BIGINT"),
        instead_of_date_and_time("timestamp", "1793534400::DOUBLE"),
        instead_of_date_and_time("timestamp", "TIMESTAMP '2026-11-01 12:00:00'"),
        instead_of_date_and_time("timestamp", "TIMESTAMPTZ '2026-11-01 13:00:00+01'"),
        instead_of_date_and_time("timestamp_ms", "1793534400000::BIGINT"),
        instead_of_date_and_time("timestamp_ms", "TIMESTAMP_MS '2026-11-01 12:00:00'"),
        {"sc_status": "200::SMALLINT", "sc_bytes": "4096::BIGINT"},
        {"sc_status": "200::DOUBLE", "sc_bytes": "4096::DOUBLE"},
        {"sc_status": "200::DECIMAL(5, 1)", "sc_bytes": "4096::DECIMAL(38, 0)"},
        {"x_edge_location": "'NRT57-P3'::ENUM('NRT57-P3', 'FRA56-P5')"},
        {"cs_uri_stem": "'/index.html'::BLOB", "x_host_header": "'www.example.com'::BLOB"},
        {"cs_uri_query": "NULL::VARCHAR", "sc_range_end": "NULL::BIGINT"},
        {"headers": "{'a': [1, 2], 'b': MAP {'c': 1}}"},
        {"year": "'2026'", "day": "1"},
        {"file_name": "'other'", "log_day": "'other'", "log_time": "1", "category": "'own'", "pop": "'other'"},
    ],
)
def test_columns_with_types_give_the_demand(
    tmp_path: Path, analysed: Analyse, changes: dict[str, str | None]
) -> None:
    result = analysed(typed(tmp_path / "a.parquet", changes))
    assert pairs(result) == EXPECTED
    assert (str(result.demand.since), result.damage.lines) == ("2026-11-01 12:00:00", 0)


def test_files_whose_columns_have_other_types_are_added_up(tmp_path: Path, analysed: Analyse) -> None:
    logs = tmp_path / "logs"
    typed(logs / "a.parquet", {"date": "DATE '2026-11-01'", "sc_status": "200::INTEGER", "sc_bytes": "NULL::DOUBLE"})
    typed(logs / "b.parquet", {"date": "DATE '2026-11-01'"})
    typed(logs / "c.parquet", {"sc_bytes": None, "date": "TIMESTAMP '2026-11-01 00:00:00'"})
    assert pairs(analysed(logs)) == {pair: (3, size) for pair, (_, size) in EXPECTED.items()}


@pytest.mark.parametrize("changes", [{"sc_status": "NULL::SMALLINT"}, {"sc_status": "200.5::DOUBLE"}])
def test_record_with_an_impossible_status_is_damaged(
    tmp_path: Path, analysed: Analyse, changes: dict[str, str | None]
) -> None:
    typed(tmp_path / "logs/a.parquet", {})
    bad = typed(tmp_path / "logs/b.parquet", changes)
    result = analysed(tmp_path / "logs")
    assert pairs(result) == EXPECTED
    assert (result.damage.lines, result.damage.examples) == (1, [str(bad)])
