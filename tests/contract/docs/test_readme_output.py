"""The README's example of a run, and the demo's page, have the lines that the command prints today."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from prewarm.results.skipped_pops import skipped_text
from prewarm_cli.demo.command import counts_text
from prewarm_cli.demo.site import FAILING, PAGES, demo_site
from prewarm_cli.output import times
from prewarm_cli.output.failures import failure_lines
from prewarm_cli.output.progress import progress_line
from prewarm_cli.output.text import status_lines
from tests.support.definitions import ROOT
from tests.support.failed_status import failed_status

RUN = "20261126T065948Z-262a5a12e87bf398"
PAGE = f"http://127.0.0.1:40691/v1/#/run/{RUN}"
HOME, APP, TERMS = (f"https://www.example.com/{path}" for path in ("", "assets/app-4f2a91.js", "legacy/terms.html"))
WHAT = "502 (the edge could not connect to the origin) at all 53 POPs, such as NRT57-P4 (x-amz-cf-id dzXW==)"
STEP = {
    "outcome": "server_error",
    "urls": 1,
    "how": "check the origin's address, port, certificate and firewall: CloudFront cannot connect to it",
    "link": "https://docs.example/troubleshooting.md#server_error",
    "url": TERMS,
}
OWN_STEP = {name: value for name, value in STEP.items() if name not in {"urls", "url"}}
CUT = "[…]"
# The demo's POPs of au and jp that fail on purpose or are retired.
SKIPPED = [
    {"pop": "BNE50-P2", "reason": "connect_error"},
    {"pop": "NRT20-C3", "reason": "unresolved_pop"},
    {"pop": "NRT51-C3", "reason": "wrong_pop"},
]


def status(state: str, phase: str, done: int, total: int) -> dict[str, Any]:
    """Return the example's status: before the end no URL is done."""
    ended = done > 0
    return {
        "status": state, "run": RUN, "phase": {"name": phase}, "total": 3, "completed": 3 * ended,
        "inProgress": 0 if ended else 3, "successUrl": [HOME, APP] if ended else [],
        "failedUrl": [TERMS] if ended else [],
        "failures": [{"url": TERMS, "reasons": {}, "what": WHAT, "nextStep": OWN_STEP}] * ended,
        "targets": {"done": done, "total": total, "verified": 53, "verifiedElsewhere": 0, "addresses": 53,
                    "addressesProven": 53, "popsPerUrl": 53, "variants": 1,
                    "outcomes": {"warmed": 106, "server_error": 53} if ended else {}},
    }  # fmt: skip


def printed() -> Iterator[str]:
    """Yield the lines that the command prints for the example, as its own modules make them."""
    states = {0.3: ("resolving", 0, 0), 2.4: ("warming", 0, 159), 10.1: ("summing_up", 159, 159)}
    for passed, (phase, done, total) in states.items():
        line = progress_line(status("IN_PROGRESS", phase, done, total), define=not done)
        yield f"{passed:7.1f} s  {line}"
    more = {
        "failedEverywhere": 1, "nextSteps": [STEP], "remedy": {"kind": "fix", "link": STEP["link"]},
        "skippedPops": SKIPPED, "skippedText": skipped_text(len(SKIPPED), 53),
        "startedAt": "2026-11-26T06:59:48Z", "endedAt": "2026-11-26T06:59:58Z", "bytes": 5_000_000,
        "cost": {"dollars": 0.001},
    }  # fmt: skip
    yield from status_lines(status("FAILED", "", 159, 159) | more, page=PAGE)


def differences(example: list[str], lines: list[str]) -> list[str]:
    """Return the example's lines that are not those printed, in which […] stands for any text."""
    left = iter(lines)
    wanted = [line for line in example if line != CUT]
    patterns = [re.compile(re.escape(line).replace(re.escape(CUT), ".*")) for line in wanted]
    return [
        line
        for line, pattern in zip(wanted, patterns, strict=True)
        if not pattern.fullmatch(next(left, "").strip("\n") + " " * line.endswith(" " + CUT))
    ]


@pytest.fixture
def example() -> list[str]:
    """Return the lines of the README's example after those of the start, which name the run."""
    block = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    first = next(number for number, line in enumerate(lines) if "IN_PROGRESS" in line)
    assert lines[first - 1] == f"page: {PAGE}"
    return lines[first:]


def test_readme_example_has_the_lines_of_todays_output(example: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "now", lambda: datetime(2026, 11, 26, 6, 59, 59, tzinfo=UTC))
    lines = list(printed())
    assert differences(example, lines) == []
    assert len([line for line in example if line != CUT]) == len(lines)
    for number in range(len(lines)):
        changed = [*lines[:number], "old form", *lines[number + 1 :]]
        assert differences(example, changed), "a line that has changed is reported"


def test_demo_page_has_the_texts_of_todays_output() -> None:
    """Each broken URL of the demo with what happened and what to do, as the service words them."""
    lines = (ROOT / "docs/demo.md").read_text(encoding="utf-8").splitlines()
    kinds = ["client_error:404", "server_error:502:unreachable", "truncated:200"]
    failed = failed_status({url: {key: 177} for url, key in zip(FAILING, kinds, strict=True)})
    start = lines.index(f"failed   {next(iter(FAILING))}")
    for line, shown in zip(failure_lines(failed), lines[start:], strict=False):
        example = line.partition(", such as ")
        assert shown.startswith("".join(example[:2])), line
        assert shown == line or example[1], line
    outcomes = {"warmed": 3_717, "timeout": 531}
    targets = {"done": 4_248, "total": 4_248, "popsPerUrl": 177, "variants": 1, "outcomes": outcomes}
    whole = failed | {"total": 24, "completed": 24, "successUrl": list(PAGES), "targets": targets}
    result = progress_line(whole).partition(": ")[2]
    assert any(line.startswith("FAILED after ") and line.endswith(f" s: {result}") for line in lines)
    assert counts_text(demo_site()) in lines
