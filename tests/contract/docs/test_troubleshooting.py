"""docs/troubleshooting.md has a section for each outcome, under the outcome's own name, and each error and code."""

import re

import pytest

from prewarm.execution_status import DEADLINE_PASSED, INVALIDATION_TIMED_OUT, NOT_WARM, REJECTED, SOURCES_SKIPPED
from prewarm.results.outcome import WARM, Outcome
from tests.support.definitions import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### `(\w+)`\n\n(.*?)(?=^#{1,3} |\Z)", re.MULTILINE | re.DOTALL)
ERRORS = (NOT_WARM, DEADLINE_PASSED, INVALIDATION_TIMED_OUT, REJECTED, SOURCES_SKIPPED)
# Of docs/api.md's list of codes: `Name` 400.
CODE = re.compile(r"`([A-Z][A-Za-z]+)`")


def section_problems(text: str) -> list[str]:
    """Return the outcomes without a section, sections of unknown outcomes, and incomplete sections."""
    sections = SECTION.findall(text)
    names = [name for name, _ in sections]
    problems = [f"{outcome.value}: has no section" for outcome in Outcome if names.count(outcome.value) != 1]
    problems += [f"{name}: is not an outcome" for name in names if name not in set(Outcome)]
    for name, body in sections:
        parts = ["**Cause**"] if name in WARM else ["**Find the cause**", "**Do**"]
        problems += [f"{name}: has no {part}" for part in parts if part not in body]
        if not body.strip() or body.lstrip().startswith("-"):
            problems.append(f"{name}: does not begin with what it means")
    return problems


def test_each_outcome_has_a_section_with_meaning_cause_and_fix() -> None:
    assert section_problems(PAGE) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("### `lost`", "## `lost`"),
        ("### `lost`", "### `lost_batch`"),
        ("### `lost`", "### lost"),
        ("**Find the cause**: CloudTrail", "CloudTrail"),
    ],
)
def test_section_problems_reports_missing_sections_and_parts(old: str, new: str) -> None:
    assert old in PAGE
    assert section_problems(PAGE.replace(old, new))


def test_every_error_of_a_run_is_explained() -> None:
    assert [error for error in ERRORS if f"`{error}`" not in PAGE] == []


def test_every_code_of_the_api_is_explained() -> None:
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    listed = CODE.findall(text.partition("Codes: ")[2].partition("\n\n")[0])
    assert len(listed) > 10
    assert [code for code in listed if f"`{code}`" not in PAGE] == []
