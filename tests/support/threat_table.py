"""Read a document's threat table, and check that each threat cites a test that exists."""

import ast
import re

from tests.support.definitions import ROOT

CITATION = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page: str) -> list[list[str]]:
    """Return the cells of the threat table's rows: attack, defence, test."""
    tables = page.partition("| Attack |")[2].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in tables if line.startswith("|")]


def unproven(page: str) -> list[str]:
    """Return the attacks without a test, and the cited tests that do not exist."""
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
