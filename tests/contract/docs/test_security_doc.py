"""docs/security.md: each threat has a test that proves what stops it, and each test that it names exists."""

import ast
import re

import pytest

from tests.support.definitions import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
CITATION = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page: str) -> list[list[str]]:
    """The threat table's rows: attack, what stops it, test."""
    tables = page.partition("| Attack |")[2].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in tables if line.startswith("|")]


def unproven(page: str) -> list[str]:
    """List the attacks without a test, and the tests that do not exist."""
    problems = []
    for attack, _, proof in rows(page):
        cited = CITATION.findall(proof)
        if not cited:
            problems.append(f"{attack}: no test")
        for path, name in cited:
            tree = (
                ast.parse((ROOT / path).read_text(encoding="utf-8")) if (ROOT / path).exists() else ast.Module([], [])
            )
            if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
                problems.append(f"{attack}: there is no {path}::{name}")
    return problems


def test_every_threat_has_a_test_that_exists() -> None:
    assert len(rows(PAGE)) > 10
    assert unproven(PAGE) == []


@pytest.mark.parametrize(
    "row",
    [
        "| a | b | |",
        "| a | b | `tests/unit/prewarm/test_urls.py::test_nothing` |",
        "| a | b | `tests/x.py::test_y` |",
    ],
)
def test_a_row_without_a_proof_is_found(row: str) -> None:
    assert unproven(f"| Attack | What | Test |\n|---|---|---|\n{row}\n")
