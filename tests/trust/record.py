"""Write the figures of a run of the fault matrix into docs/reliability.md."""

from collections import defaultdict
from pathlib import Path

from tests.trust.case import Case, Outcome

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- fault matrix: written by make trust -->", "<!-- end of the fault matrix -->"
HEADING = "## Fault matrix"
INTRODUCTION = """\
`make trust` runs the whole service on one machine, with a proxy in front of the embedded AWS, another one in front of
the nameserver, and a simulated CloudFront that knows what its caches hold. Each case is one fault; a seed chooses the
run's shape and the fault's moment. A client polls the run's status all the time. After the run everything is counted
again from the records in S3, without the service's code: each target has exactly one outcome; ledger, summary, report
(JSON and CSV) and status agree with the records; `completed + inProgress = total` in each status; no URL leaves a
final list; and the edge holds each copy that a record calls warm. A contradiction fails the command, which prints how
to replay the case: `.venv/bin/python -m tests.trust --only 'NAME' --seed N`."""


def table(cases: list[Case], outcomes: list[Outcome], planned: int, seconds: float) -> str:
    """Return the figures by group as Markdown."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda each: [case.name for case in cases].index(each.case)):
        groups[outcome.group].append(outcome)
    columns = [
        "what fails",
        "faults",
        "runs",
        "targets recounted",
        "copies found at the edge",
        "status polls",
        "slowest poll",
        "contradictions",
    ]
    lines = [f"| {' | '.join(columns)} |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for group, each in groups.items():
        lines.append(_row(group, each))
    lines.append(_row("**all**", outcomes))
    minutes = f"{seconds / 60:.1f} minutes"
    share = f"{len(outcomes)} cases" if len(outcomes) == planned else f"{len(outcomes)} of {planned} planned cases"
    return "\n".join([*lines, "", f"{share}; {minutes} on two cores."])


def _row(name: str, outcomes: list[Outcome]) -> str:
    figures = [
        len({each.case for each in outcomes}),
        sum(each.runs for each in outcomes),
        sum(each.targets for each in outcomes),
        sum(each.claimed for each in outcomes),
        sum(each.polls for each in outcomes),
    ]
    slowest = max(each.slowest_poll for each in outcomes)
    contradictions = sum(bool(each.problems) for each in outcomes)
    return f"| {name} | {' | '.join(f'{figure:,}' for figure in figures)} | {slowest:.1f} s | {contradictions} |"


def write_record(cases: list[Case], outcomes: list[Outcome], planned: int, seconds: float) -> None:
    """Write the figures into the page."""
    text = PAGE.read_text() if PAGE.exists() else "# Reliability\n"
    PAGE.write_text(put_between(text, table(cases, outcomes, planned, seconds)))


def put_between(text: str, figures: str) -> str:
    """Return a page with the figures between the markers, in a section at its end if it has no markers yet."""
    if BEGIN not in text:
        text += f"\n{HEADING}\n\n{INTRODUCTION}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"
