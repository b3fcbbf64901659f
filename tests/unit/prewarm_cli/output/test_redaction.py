"""Secrets of URLs in all that people and CI logs read, and texts around URLs as they were."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm_cli.ci import workflow_commands
from prewarm_cli.ci.github import annotation_lines, step_summary
from prewarm_cli.errors import print_stderr
from prewarm_cli.output.junit import junit_xml
from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.runs import history_lines
from prewarm_cli.output.terminal import echo
from prewarm_cli.output.text import status_lines
from tests.support.statuses import status

SECRET = "S3CRET"
URL = f"https://www.example.com/ä b?token={SECRET}".replace(" ", "+")
FETCHED = f"https://www.example.com/%C3%A4+b?token={SECRET}"
EVERYWHERE = status(
    failedUrl=[URL],
    failures=[
        {
            "url": URL,
            "what": f"redirects to {FETCHED}.",
            "nextStep": {"outcome": "redirect", "do": "fix", "how": f"use {FETCHED}", "link": "https://d.example/#a"},
        }
    ],
    fetched={URL: FETCHED},
    error="Prewarm.InvalidRequest",
    cause=f"url_list: '{URL}' is refused",
    warnings=[f"one URL, such as {URL}, has a copy"],
    uncompressed=[{"url": URL, "pops": 1, "examples": []}],
    mostlySkipped=f"{URL} was skipped",
    nextSteps=[{"outcome": "redirect", "do": "fix", "how": f"use {URL}", "link": "https://d.example/#a", "urls": 1}],
)


def write(*lines: str) -> None:
    sys.stdout.writelines(lines)


OUTPUTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "result": lambda given: echo(status_lines(given)),
    "history": lambda _: echo(history_lines({"url": URL, "fetched": FETCHED})),
    "error": lambda given: print_stderr(f"prewarm: {given['cause']}"),
    "error in GitHub Actions": lambda given: write(workflow_commands.command("error", "prewarm", given["cause"])),
    "annotations": lambda given: write(*annotation_lines(given, None)),
    "summary": lambda given: write(step_summary(given, None)),
    "JUnit": lambda given: write(junit_xml(given).decode()),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_for_people_has_a_secret_of_a_url(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    OUTPUTS[output](EVERYWHERE)
    printed = "".join(capsys.readouterr())
    assert "www.example.com" in printed
    assert "token=…" in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("such as https://x.example/?token=a, cached", "such as https://x.example/?token=…, cached"),
        ("(fetched as HTTPS://x.example/?token=a)", "(fetched as HTTPS://x.example/?token=…)"),
        ("'https://x.example/?token=a'b' is", "'https://x.example/?token=…' is"),
        ("https://u:p@x.example/ is refused.", "https://…@x.example/ is refused."),
        ("https://x.example/?page=2: warm", "https://x.example/?page=2: warm"),
        ("token=a has no scheme", "token=a has no scheme"),
    ],
)
def test_text_around_a_url_is_kept(text: str, expected: str) -> None:
    assert redact_urls(text) == expected


@given(st.text(), st.text(st.characters(exclude_categories=("Z", "C"), exclude_characters="&;#.,:)]'\""), min_size=1))
def test_no_value_of_a_secret_parameter_is_left(before: str, value: str) -> None:
    assert redact_urls(f"{before} https://x.example/?token={value}, and") == (
        redact_urls(f"{before} ") + "https://x.example/?token=…, and"
    )
