"""The docs agree with the code: fields, outcomes, settings, decisions, links and figures."""

import re
from pathlib import Path

import pytest

from prewarm import __version__
from prewarm.planning.batching import targets_per_batch
from prewarm.planning.cost import Estimate, Work, batching, estimate
from prewarm.request.model import PrewarmRequest
from prewarm.results.outcome import Outcome
from prewarm.settings import Settings
from tests.support.definitions import ROOT, template

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "functions/prewarm/data/README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("bench/*.md")),
]
# Links and pictures.
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text)}


def broken_links(path: Path, text: str) -> list[str]:
    """Return the relative links whose file or heading does not exist."""
    problems = []
    for link in (target or image for target, image in LINK.findall(text)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        linked = (path.parent / target).resolve() if target else path
        if not linked.exists() or (anchor and anchor not in anchors(linked.read_text(encoding="utf-8"))):
            problems.append(link)
    return problems


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_relative_links_have_a_target(path: Path) -> None:
    assert broken_links(path, path.read_text(encoding="utf-8")) == []


def test_broken_links_reports_missing_files_and_headings() -> None:
    text = "[a](nowhere.md) [b](README.md#no-such-heading) [c](README.md) [d](https://example.com/)"
    assert broken_links(ROOT / "x.md", text) == ["nowhere.md", "README.md#no-such-heading"]


def test_api_page_lists_every_request_field() -> None:
    text = page("docs/api.md")
    assert [name for name in PrewarmRequest.model_fields if f"`{name}`" not in text] == []


def test_api_page_lists_every_outcome() -> None:
    text = page("docs/api.md")
    assert [outcome.value for outcome in Outcome if f"`{outcome.value}`" not in text] == []


class ReadVariables(dict[str, str]):
    """An environment that records the variables that are read from it."""

    def __init__(self, *args: object, **variables: str) -> None:
        super().__init__(*args, **variables)
        self.names: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


def test_architecture_page_lists_every_environment_variable() -> None:
    environment = ReadVariables(PREWARM_BUCKET="b", PREWARM_TABLE="t")
    Settings.from_environment(environment)
    assert len(environment.names) == len(Settings.__slots__)
    assert [name for name in sorted(environment.names) if name not in page("docs/architecture.md")] == []


def test_readme_names_the_user_agent_of_this_version() -> None:
    assert re.findall(r"CloudFront-Prewarm/([\d.]+)", page("README.md")) == [__version__]


# ---- decisions ----

SECTIONS = ["Context", "Options considered", "Decision", "Consequences"]
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))


def form_problems(name: str, text: str) -> list[str]:
    """Return how a decision deviates from the form: number, title, status, date and four sections."""
    number = int(name[:4])
    problems = [] if re.match(rf"# {number}\. \S", text) else ["the title does not begin with the file's number"]
    problems += [] if re.search(r"^- Status: (proposed|accepted|superseded)", text, re.MULTILINE) else ["no status"]
    problems += [] if re.search(r"^- Date: \d{4}-\d\d-\d\d", text, re.MULTILINE) else ["no date"]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    return problems + ([] if headings == SECTIONS else [f"sections are {headings}"])


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_decision_has_the_adr_form(path: Path) -> None:
    assert form_problems(path.name, path.read_text(encoding="utf-8")) == []


def test_form_problems_reports_each_deviation() -> None:
    assert len(form_problems("0001-x.md", "# 2. A title\n\n## Context\n")) == 4


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


# ---- figures ----


def example() -> Estimate:
    """Return the estimate of the worked example in docs/cost.md."""
    fetches = 1_000 * 50 + 100 * 50
    europe = "Europe, Israel"
    work = Work(fetches={europe: fetches}, plain_http=0.0, bytes={europe: fetches * 100_000}, batches=100, stages=1)
    return estimate(work)


def test_cost_page_example_matches_the_formula() -> None:
    rows = dict(
        re.findall(
            r"^\| (.+?) \| (\d+\.\d{4}) \|$", page("docs/cost.md").partition("<!-- example -->")[2], re.MULTILINE
        )
    )
    parts = {part.name: part.dollars for part in example().parts} | {"total": example().dollars}
    assert len(rows) == 5
    assert {name: f"{parts[name]:.4f}" for name in rows} == rows


def batch_rows() -> list[str]:
    """Return the table of batch sizes from the formula, with the size that the planner chooses in bold."""
    rows = []
    for targets in (7_128, 100_000, 5_400_000):
        chosen = targets_per_batch(targets, 5)
        for size in sorted({200, 1_000, 10_000, chosen}):
            cost = batching(targets, size, 5)
            cell = f"**{size:,}**" if size == chosen else f"{size:,}"
            rows.append(f"| {targets:,} | {cell} | {cost.batches:,} | {cost.dollars:.4f} | {cost.seconds:,.0f} |")
    return rows


def test_cost_page_batch_sizes_match_the_formula() -> None:
    table = page("docs/cost.md").partition("<!-- batches -->")[2].partition("\n\n")[0]
    assert table.splitlines()[3:] == batch_rows()


def test_cost_page_counts_the_alarms_of_the_template() -> None:
    """CloudWatch charges for each metric of an alarm; expressions are not charged."""
    alarms = [
        each["Properties"] for each in template()["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    metrics = sum(
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [{"MetricStat": 1}])) for alarm in alarms
    )
    row = f"| CloudWatch alarms | {metrics} metrics of {len(alarms)} alarms, $0.10 each | {metrics / 10:.2f} |"
    assert row in page("docs/cost.md")
