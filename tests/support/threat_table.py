"""Read a document's table of threats or faults, and check that each row cites a test that exists."""

import ast
import re
from itertools import takewhile

from tests.support.definitions import ROOT

CITATION = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page: str, heading: str = "Attack") -> list[list[str]]:
    """Return the cells of the rows of the table whose first heading this is: attack or fault, defence, test."""
    lines = page.partition(f"| {heading} |")[2].splitlines()[2:]
    return [
        [cell.strip() for cell in line[1:-1].split("|")] for line in takewhile(lambda line: line[:1] == "|", lines)
    ]


def unproven(page: str, heading: str = "Attack") -> list[str]:
    """Return the attacks without a test, and the cited tests that do not exist."""
    problems = []
    for attack, _, proof in rows(page, heading):
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
