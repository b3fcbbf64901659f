"""Calls of `prewarm traffic` in this process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
from typer.testing import CliRunner

from prewarm_cli.main import app
from prewarm_cli.traffic.analysis import Work, analyse
from prewarm_cli.traffic.results import Result
from prewarm_cli.traffic.selection import Selection
from tests.support.access_logs import record

Analyse = Callable[..., Result]
BUCKET, REGION = "cdn-logs", "us-east-1"
# The first has 20 requests, the last one.
TWENTY_URLS = [record(stem=f"/{number}", pop=pop) for number in range(20) for pop in ["NRT57-P3"] * (20 - number)]


def traffic(*arguments: str | Path, code: int = 0) -> Any:
    """Call the command, and return its result after a check of the exit code."""
    result = CliRunner().invoke(app, ["traffic", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def analyser(folder: Path) -> Analyse:
    """Return a function that analyses files; it takes options of `Work` and of `Selection` by their names."""

    def run(*paths: Path, **options: Any) -> Result:
        selection = Selection(**{key: options.pop(key) for key in list(options) if key in Selection.__slots__})
        inner = folder / f"work{len(list(folder.glob('work*')))}"
        inner.mkdir()
        values: dict[str, Any] = {"paths": paths, "addresses": (), "memory_mb": 600, "disk": 10**9} | options
        work = Work(**values, selection=selection)
        return analyse(work, inner)

    return run


def pairs(result: Result) -> dict[tuple[str, str], tuple[int, int]]:
    """Return requests and bytes by URL and POP, of all pairs."""
    return {(url, pop): (count, size) for url, pop, count, size in result.ranking.first(result.ranking.pairs)}


def demand_table(rows: Sequence[tuple[str, str, int, int]]) -> duckdb.DuckDBPyConnection:
    """Return a database with a table `demand` of URL, POP, requests, bytes."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE demand (url VARCHAR, pop VARCHAR, requests BIGINT, bytes BIGINT)")
    connection.executemany("INSERT INTO demand VALUES (?, ?, ?, ?)", rows)
    return connection
