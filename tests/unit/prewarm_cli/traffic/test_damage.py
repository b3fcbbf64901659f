"""Damaged values: whatever a field contains, the line counts or is named, and the command continues."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.targets_reader import TargetsReader
from prewarm_cli.traffic.results import Result, as_json, text_lines, write_csv
from tests.support.access_logs import LEGACY_FIELDS, REAL_TIME_FIELDS, json_lines, real_time, record, w3c
from tests.support.traffic import Analyse, analyser, pairs

STEM = "/damaged"
INDEX = ("https://www.example.com/index.html", "NRT57-P3")
UGLY = (
    "", "-", " ", "--", "0", "-1", "-5", "1e3", "1e300", "inf", "nan", "NULL", "0x10", "2.5", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "99999999999999999999", "-9223372036854775808",
    "0000-00-00", "2026-02-30", "99999-1-01", "300000-1-1", "-999-01-01", "infinity", "epoch", "2026-11-1x",
    "24:00:00", "23:59:60", "12:00", "12:00:00Z", "12:00:00+05", "12:00:00.123456789", "253402300800",
    "200 ", "\u0662\u0660\u0660", "x-edge-location", "#Fields:", "%", "%2", "%zz", "//", "?", "/?", "/a?b", "a:b:c",
    ":443", "[::1]",
)  # fmt: skip
# What a line of a text file can contain.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\r\n"), max_size=12)
VALUES = st.sampled_from(UGLY) | TEXTS
FORMATS = {"legacy": LEGACY_FIELDS, "real time": REAL_TIME_FIELDS, "json": LEGACY_FIELDS}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, list[dict[str, str]]]:
    """Return a format, and records of which one or two values are anything."""
    kind = draw(st.sampled_from(sorted(FORMATS)))
    changes = st.dictionaries(st.sampled_from(FORMATS[kind]), VALUES, min_size=1, max_size=2)
    return kind, [record(stem=STEM) | draw(changes) for _ in range(draw(st.integers(1, 12)))]


@settings(max_examples=25, deadline=None)
@given(logged=damaged())
def test_any_value_of_any_field_counts_or_is_named(logged: tuple[str, list[dict[str, str]]]) -> None:
    kind, records = logged
    with TemporaryDirectory() as name:
        folder, options = Path(name), dict[str, Any]()
        if kind == "json":
            file = json_lines(folder / "a.json", [record(), *records])
        elif kind == "legacy":
            file = w3c(folder / "a.gz", [record(), *records])
        else:
            file = real_time(folder / "a.log", [record(), *records])
            options = {"sampling_rate": 100.0, "fields": tuple(REAL_TIME_FIELDS)}
        result = analyser(folder)(file, **options)
        assert result.demand.lines + result.damage.lines + skipped(records) == 1 + len(records)
        assert len(result.damage.examples) == result.damage.lines
        assert INDEX in pairs(result)
        assert written(result) == result.ranking.pairs


def skipped(records: list[dict[str, str]]) -> int:
    """Return the lines that are a header in the middle of a file; one that begins with # and is a record counts."""
    return sum(each["x-edge-location"] == "x-edge-location" for each in records)


def written(result: Result) -> int:
    """Return the pairs of the CSV as the service reads it; the other outputs must not fail."""
    file = io.StringIO()
    write_csv(result, file)
    as_json(result, pops=True)
    assert list(text_lines(result))
    file.seek(0)
    return len(list(TargetsReader(file, needs_end=True)))


@pytest.mark.parametrize("size", ["9223372036854775807", "9007199254740993", "-5", "x"])
def test_bytes_out_of_range_are_unknown(tmp_path: Path, analysed: Analyse, size: str) -> None:
    result = analysed(w3c(tmp_path / "a.gz", [record(), record(stem=STEM, size=size)]))
    assert pairs(result) == {INDEX: (1, 4096), (f"https://www.example.com{STEM}", "NRT57-P3"): (1, 0)}
    assert written(result) == 2


def test_range_end_at_the_limit_of_64_bits_does_not_end_the_command(tmp_path: Path, analysed: Analyse) -> None:
    logs = [record(), record(stem=STEM, status="206", range_end="9223372036854775807")]
    assert pairs(analysed(w3c(tmp_path / "a.gz", logs))) == {INDEX: (1, 4096)}


@pytest.mark.parametrize("changed", [{"date": "2026-02-30"}, {"date": "99999-1-01"}, {"time": "12:00:00+05"}])
def test_line_with_an_invalid_time_is_damaged(tmp_path: Path, analysed: Analyse, changed: dict[str, str]) -> None:
    file = w3c(tmp_path / "a.gz", [record(), record(**changed)])
    assert analysed(file).damage.examples == [f"{file}:4"]


def test_line_that_begins_with_a_number_sign_and_has_all_fields_is_damaged(tmp_path: Path, analysed: Analyse) -> None:
    file = w3c(tmp_path / "a.gz", [record(), record(date="#Fields:")])
    assert analysed(file).damage.examples == [f"{file}:4"]
