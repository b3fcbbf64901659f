"""docs/security.md and docs/reliability.md: each threat and each fault cites a test, and each cited test exists."""

import pytest

from tests.support.definitions import ROOT
from tests.support.threat_table import rows, unproven

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_threat_has_a_test_that_exists() -> None:
    assert len(rows(PAGE)) > 10
    assert unproven(PAGE) == []


def test_every_fault_that_was_found_has_a_test_that_exists() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert len(rows(page, "Fault")) > 5
    assert unproven(page, "Fault") == []


@pytest.mark.parametrize(
    "row",
    [
        "| a | b | |",
        "| a | b | `tests/unit/prewarm/test_urls.py::test_nothing` |",
        "| a | b | `tests/x.py::test_y` |",
    ],
)
def test_unproven_finds_a_row_without_an_existing_test(row: str) -> None:
    assert unproven(f"| Attack | What | Test |\n|---|---|---|\n{row}\n")
