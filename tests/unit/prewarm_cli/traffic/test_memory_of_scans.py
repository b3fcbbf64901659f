"""What happens when DuckDB runs out of memory while it reads logs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.records import insert_statement
from tests.support.access_logs import record, w3c
from tests.support.traffic import analyser, pairs


def failing(times: int, insert: Callable[..., str], calls: list[int]) -> Callable[..., str]:
    """Return the function that makes the statement of a scan; the first statements run out of memory."""

    def statement(*given: Any, **options: Any) -> str:
        calls.append(1)
        text = insert(*given, **options)
        if len(calls) > times:
            return text
        raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB")

    return statement


def test_files_that_need_too_much_memory_are_read_again_by_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr("prewarm_cli.traffic.scan.insert_statement", failing(1, insert_statement, calls))
    result = analyser(tmp_path)(w3c(tmp_path / "a.gz", [record(), record()]))
    assert (len(calls), result.demand.lines, len(pairs(result))) == (2, 2, 1)


def test_files_that_need_too_much_memory_for_one_thread_end_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prewarm_cli.traffic.scan.insert_statement", failing(9, insert_statement, []))
    with pytest.raises(CommandFailed, match="pass a larger --memory"):
        analyser(tmp_path)(w3c(tmp_path / "a.gz", [record()]))
