"""Texts of logs and options change no statement, no CSV and no terminal."""

import csv
import io
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic import athena
from prewarm_cli.traffic.results import write_csv
from prewarm_cli.traffic.selection import Selection
from tests.support.access_logs import LEGACY_FIELDS, json_lines, parquet, record, w3c
from tests.support.traffic import Analyse, pairs

EVIL = "'); DROP TABLE seen; --"


def test_options_with_quotes_are_values(tmp_path: Path, analysed: Analyse) -> None:
    result = analysed(
        w3c(tmp_path / EVIL.replace("/", ""), [record(), record(agent="x%27);%20DROP%20TABLE%20seen;%20--y")]),
        agents=(EVIL,),
        include=("/index.html", EVIL),
        exclude=(EVIL,),
        hosts=("www.example.com", EVIL),
    )
    assert result.ranking.requests == 1
    assert result.demand.not_kept == {"own": 1}


@pytest.mark.parametrize("write", [w3c, json_lines, parquet])
def test_names_of_fields_are_not_part_of_statements(tmp_path: Path, analysed: Analyse, write: object) -> None:
    fields = [*LEGACY_FIELDS, "x');DROP\u00a0TABLE\u00a0seen;--"]
    if write is parquet:
        fields = LEGACY_FIELDS
    result = analysed(write(tmp_path / "log", [record()], fields))  # type: ignore[operator]
    assert result.ranking.requests == 1


def test_urls_that_look_like_formulas_or_rows_stay_one_cell(tmp_path: Path, analysed: Analyse) -> None:
    stems = ["/=cmd|'/c%20calc'!A0", "/a,%22b%22,NRT57-P3,999", "/%250A#end,pairs=1", "/@SUM(1+1)"]
    result = analysed(w3c(tmp_path / "a", [record(stem=stem) for stem in stems]))
    file = io.StringIO()
    write_csv(result, file)
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    body = [row for row in rows if not row[0].startswith("#")][1:]
    assert len(body) == len(pairs(result)) == len(stems)
    assert all(len(row) == 4 and row[0].startswith("https://www.example.com/") for row in body)
    assert rows[-1][0] == "#end"


@pytest.mark.parametrize("name", ["logs", "a.b.c", 'd."t"', "d.t; DROP TABLE x", "d.t--", "", "d.", "d.tä"])
def test_athena_takes_only_names_of_tables(name: str) -> None:
    with pytest.raises(CommandFailed, match="--athena"):
        athena.query(name, Selection())


def test_the_athena_query_holds_options_as_literals() -> None:
    sql = athena.query(
        "logs.cloudfront", Selection(hosts=(EVIL, "www.example.com"), agents=("CloudFront-Prewarm/", EVIL))
    )
    (statement,) = sqlglot.parse(sql, dialect="athena")
    assert isinstance(statement, exp.Select)
    literals = {each.this for each in statement.find_all(exp.Literal) if each.is_string}
    assert EVIL in literals
    assert [table.sql() for table in statement.find_all(exp.Table) if table.db] == ['"logs"."cloudfront"']
