"""docs/deploy.md names each resource that the template keeps or deletes on purpose, with what happens to it."""

import re
from typing import Any

import pytest

from tests.support.definitions import ROOT, template

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
KEEPING = ("Retain", "RetainExceptOnCreate", "Snapshot")


def uninstall_problems(document: dict[str, Any], text: str) -> list[str]:
    """Return the resources with a DeletionPolicy whose row is missing, or whose row states something else."""
    problems = []
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    for name, resource in document["Resources"].items():
        policy = resource.get("DeletionPolicy")
        if policy is None:
            continue
        row = next((row for row in rows if re.search(rf"`{name}`", row[0])), None)
        if row is None:
            problems.append(f"{name}: {policy}, and has no row")
        elif row[1].strip().startswith("stays") != (policy in KEEPING):
            problems.append(f"{name}: {policy}, but the row says {row[1].strip()!r}")
        elif policy in KEEPING and "`aws " not in row[2]:
            problems.append(f"{name}: the row has no command that removes it")
        if resource.get("UpdateReplacePolicy") in KEEPING and f"`{name}`" not in text.partition("## Uninstall")[0]:
            problems.append(f"{name}: stays after a replacement, and the upgrade does not mention it")
    return problems


def test_each_kept_resource_is_named_with_how_to_remove_it() -> None:
    assert uninstall_problems(template(), PAGE) == []


@pytest.mark.parametrize("name", ["RunsBucket", "LedgerTable", "FunctionLogs"])
def test_uninstall_problems_reports_missing_and_wrong_rows(name: str) -> None:
    assert uninstall_problems(template(), PAGE.replace(f"`{name}`", "it"))
    changed = template()
    kept = changed["Resources"][name]["DeletionPolicy"] in KEEPING
    changed["Resources"][name]["DeletionPolicy"] = "Delete" if kept else "Retain"
    assert uninstall_problems(changed, PAGE)
