"""The docs say what the code does: fields, outcomes, links and figures that can be checked."""

import re
from pathlib import Path

import pytest

from prewarm.planning.batching import targets_per_batch
from prewarm.planning.cost import Estimate, Work, batching, estimate
from prewarm.request.model import PrewarmRequest
from prewarm.results.outcome import Outcome
from prewarm.settings import Settings
from tests.support.definitions import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("bench/*.md")),
]
# Pictures too.
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The names by which a page's headings can be linked to."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text)}


def broken_links(path: Path, text: str) -> list[str]:
    problems = []
    for link in (written or drawn for written, drawn in LINK.findall(text)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or (anchor and anchor not in anchors(found.read_text(encoding="utf-8"))):
            problems.append(link)
    return problems


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path, path.read_text(encoding="utf-8")) == []


def test_broken_links_are_found() -> None:
    text = "[a](nowhere.md) [b](README.md#no-such-heading) [c](README.md) [d](https://example.com/)"
    assert broken_links(ROOT / "x.md", text) == ["nowhere.md", "README.md#no-such-heading"]


def test_every_field_of_a_request_is_in_the_api_page() -> None:
    text = page("docs/api.md")
    assert [name for name in PrewarmRequest.model_fields if f"`{name}`" not in text] == []


def test_every_outcome_is_in_the_api_page() -> None:
    text = page("docs/api.md")
    assert [outcome.value for outcome in Outcome if f"`{outcome.value}`" not in text] == []


def test_every_setting_is_in_the_architecture_page() -> None:
    text = page("docs/architecture.md")
    assert [name for name in Settings.__slots__ if f"PREWARM_{name.upper()}" not in text] == []


def example() -> Estimate:
    """The worked example of docs/cost.md."""
    fetches = 1_000 * 50 + 100 * 50
    europe = "Europe, Israel"
    work = Work(fetches={europe: fetches}, plain_http=0.0, bytes={europe: fetches * 100_000}, batches=100, stages=1)
    return estimate(work)


def test_the_worked_example_is_what_the_formula_gives() -> None:
    rows = dict(
        re.findall(
            r"^\| (.+?) \| (\d+\.\d{4}) \|$", page("docs/cost.md").partition("<!-- example -->")[2], re.MULTILINE
        )
    )
    parts = {part.name: part.dollars for part in example().parts} | {"total": example().dollars}
    assert len(rows) == 5
    assert {name: f"{parts[name]:.4f}" for name in rows} == rows


def batch_rows() -> list[str]:
    """Return the table of batch sizes as the formula gives it, the size that tiling chooses in bold."""
    rows = []
    for targets in (7_128, 100_000, 5_400_000):
        chosen = targets_per_batch(targets, 5)
        for size in sorted({200, 1_000, 10_000, chosen}):
            found = batching(targets, size, 5)
            shown = f"**{size:,}**" if size == chosen else f"{size:,}"
            rows.append(f"| {targets:,} | {shown} | {found.batches:,} | {found.dollars:.4f} | {found.seconds:,.0f} |")
    return rows


def test_the_table_of_batch_sizes_is_what_the_formula_gives() -> None:
    table = page("docs/cost.md").partition("<!-- batches -->")[2].partition("\n\n")[0]
    assert table.splitlines()[3:] == batch_rows()
