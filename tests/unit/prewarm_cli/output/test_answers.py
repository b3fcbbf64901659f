"""What the command, JUnit and GitHub say about a failed URL: status, place, request id, and what to do."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from api.http.pagination import UrlStatus
from prewarm.results.failures import Example
from prewarm.results.next_steps import next_steps, remedy_for
from prewarm_cli.ci.github import annotation_lines, step_summary
from prewarm_cli.output.junit import junit_xml
from prewarm_cli.output.text import status_lines
from tests.support.statuses import BAD, status

PAGE = "https://api.example.com/v1/#/run/the-run"
WHAT = "404 Not Found at 297 POPs, such as FRA56-P5 (x-amz-cf-id Zx9==)"
HOW = "publish the file, or take the URL off the list"
RETRY = {"kind": "retry", "how": "POST /retry starts a new run of the failed URLs"}


def answered(kinds: dict[str, int], example: Example | None = None) -> dict[str, Any]:
    """Return the status of a run whose one failed URL has these failures, as the service returns it."""
    entry = UrlStatus(BAD, "failed", {}, 0.0, "", kinds, example, 1, everywhere=True)
    steps = next_steps([kinds])
    more = {"nextSteps": steps, "remedy": remedy_for(RETRY, steps), "failedEverywhere": 1, "error": "Prewarm.NotWarm"}
    return status(failures=[entry.failure()], **more)


@pytest.fixture
def not_found() -> dict[str, Any]:
    return answered({"client_error:404": 297}, Example(1, "FRA56-P5", "client_error", 404, cf_id="Zx9=="))


def test_command_says_what_failed_where_and_what_to_do(not_found: dict[str, Any]) -> None:
    lines = list(status_lines(not_found, page=PAGE))
    assert f"failed   {BAD}  {WHAT}" in lines
    assert "note     1 URL failed everywhere" in lines
    (step,) = [line for line in lines if line.startswith("next ")]
    assert step.startswith(f"next     client_error, 1 URL: {HOW}; see https://")
    assert step.endswith("troubleshooting.md#client_error")
    assert f"page     {PAGE}" in lines
    assert "retry" not in "\n".join(lines)


@pytest.mark.parametrize("service_stays", [True, False])
def test_command_suggests_a_retry_where_it_can_succeed(*, service_stays: bool) -> None:
    lines = list(status_lines(answered({"timeout": 2}), service_stays=service_stays))
    repetition = "`prewarm retry the-run` starts" if service_stays else "run the command again"
    assert [line for line in lines if line.startswith(f"remedy   {repetition}")]


def test_command_of_an_ended_service_names_the_fix(not_found: dict[str, Any]) -> None:
    lines = list(status_lines(not_found, service_stays=False))
    assert "remedy   fix the cause above, then run the command again" in lines
    assert [line for line in lines if HOW in line]


def test_junit_message_has_status_example_and_next_step(not_found: dict[str, Any]) -> None:
    document = junit_xml(not_found, PAGE)
    failure = ET.fromstring(document).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith(WHAT)
    assert f"what to do: {HOW}; see https://" in failure.attrib["message"]
    assert "retry" not in failure.attrib["message"]
    assert f"run the-run: {PAGE}" in (ET.fromstring(document).findtext(".//system-out") or "")


def test_github_annotation_and_summary_have_status_and_next_step(not_found: dict[str, Any]) -> None:
    (annotation, *_) = annotation_lines(not_found, PAGE)
    assert WHAT in annotation
    assert HOW in annotation
    assert PAGE in annotation
    summary = step_summary(not_found, PAGE)
    assert "404 Not Found at 297 POPs" in summary
    assert f"<li>{HOW} (1 URL, <a href=" in summary
    assert f'<a href="{PAGE}">' in summary


@pytest.mark.parametrize("cause", ["origin", "unreachable", "slow", "function", "edge"])
def test_server_error_says_which_of_its_causes_it_was(cause: str) -> None:
    (line,) = [line for line in status_lines(answered({f"server_error:502:{cause}": 3})) if line.startswith("failed")]
    expected = {
        "origin": "the origin answered with it",
        "unreachable": "the edge could not connect to the origin",
        "slow": "the origin did not respond in time",
        "function": "a function at the edge failed",
        "edge": "the edge sent it, or an origin that does not name its server",
    }
    assert f"502 ({expected[cause]}) at 3 POPs" in line
