"""The threat tables: each threat cites a test that proves its mitigation, and each cited test exists."""

import ast
import re

import pytest

from tests.support.definitions import ROOT

# The least number of threats of each page, so that the rule does not check nothing.
PAGES = {"docs/security.md": 11, "docs/dashboard.md": 6}
CITATION = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page: str) -> list[list[str]]:
    """Return the threat table's rows: attack, what stops it, test."""
    tables = page.partition("| Attack |")[2].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in tables if line.startswith("|")]


def unproven(page: str) -> list[str]:
    """Return the attacks without a test, and the cited tests that do not exist."""
    problems = []
    for attack, _, tests in rows(page):
        cited = CITATION.findall(tests)
        if not cited:
            problems.append(f"{attack}: no test")
        for path, name in cited:
            tree = (
                ast.parse((ROOT / path).read_text(encoding="utf-8")) if (ROOT / path).exists() else ast.Module([], [])
            )
            if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
                problems.append(f"{attack}: there is no {path}::{name}")
    return problems


@pytest.mark.parametrize(("name", "least"), PAGES.items())
def test_every_threat_cites_an_existing_test(name: str, least: int) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert len(rows(page)) >= least
    assert unproven(page) == []


@pytest.mark.parametrize(
    "row",
    [
        "| a | b | |",
        "| a | b | `tests/unit/prewarm/test_urls.py::test_nothing` |",
        "| a | b | `tests/x.py::test_y` |",
    ],
)
def test_unproven_reports_a_row_without_an_existing_test(row: str) -> None:
    assert unproven(f"| Attack | What | Test |\n|---|---|---|\n{row}\n")
