"""docs/troubleshooting.md explains every outcome: each link of a status or report has its section."""

import re
import tomllib
from pathlib import Path

from prewarm.docs_links import DOCS, TROUBLESHOOTING, troubleshooting
from prewarm.results.outcome import Outcome

ROOT = Path(__file__).parents[3]
HEADING = re.compile(r"^#{2,6} +(.*?) *$", re.MULTILINE)


def anchor_of(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it: lower case, without punctuation, with hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_outcome_has_one_section_at_the_target_of_its_link() -> None:
    headings = HEADING.findall((ROOT / "docs" / TROUBLESHOOTING).read_text(encoding="utf-8"))
    anchors = [anchor_of(heading) for heading in headings]
    missing = [outcome for outcome in Outcome if anchors.count(outcome.value) != 1]
    assert missing == []


def test_links_lead_to_the_documentation_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == DOCS
    assert troubleshooting("timeout") == f"{DOCS}/troubleshooting.md#timeout"


def test_anchor_of_a_heading_in_backticks_is_its_name() -> None:
    assert anchor_of("`server_error`") == "server_error"
    assert anchor_of("No page loads") == "no-page-loads"
