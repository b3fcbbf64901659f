"""What the command, JUnit and GitHub say about a failed URL: status, place, request id, and what to do."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prewarm_cli.ci.github import annotation_lines, step_summary
from prewarm_cli.output.junit import junit_xml
from prewarm_cli.output.text import status_lines
from tests.support.failed_status import failed_status
from tests.support.statuses import BAD

PAGE = "https://api.example.com/v1/#/run/the-run"
WHAT = "404 Not Found at all 297 POPs, such as FRA56-P5 (x-amz-cf-id Zx9==)"
HOW = "publish the file, or take the URL off the list"


def answered(kinds: dict[str, int]) -> dict[str, Any]:
    """Return the status of a run whose one failed URL has these failures, as the service returns it."""
    return failed_status({BAD: kinds})


@pytest.fixture
def not_found() -> dict[str, Any]:
    return answered({"client_error:404": 297})


def test_command_says_what_failed_where_and_what_to_do(not_found: dict[str, Any]) -> None:
    lines = list(status_lines(not_found, page=PAGE))
    start = lines.index(f"failed   {BAD}")
    assert lines[start + 1] == f"         {WHAT}"
    assert lines[start + 2].startswith(f"next     {HOW}; see https://")
    assert lines[start + 2].endswith("troubleshooting.md#client_error")
    assert lines[start + 3] == "note     1 URL failed everywhere, so no single POP is the cause"
    assert "\n".join(lines).count(HOW) == 1
    assert f"page     {PAGE}" in lines
    (retry,) = [line for line in lines if "retry" in line]
    assert retry == "remedy   after the fix, `prewarm retry the-run` tries the same URLs again"


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
    assert "404 Not Found at all 297 POPs" in summary
    assert f"<li>{BAD.replace('secret', '…')}: {HOW} (<a href=" in summary
    assert f'<a href="{PAGE}">' in summary


@pytest.mark.parametrize("cause", ["origin", "unreachable", "slow", "function", "edge"])
def test_server_error_says_which_of_its_causes_it_was(cause: str) -> None:
    lines = list(status_lines(answered({f"server_error:502:{cause}": 3})))
    line = lines[lines.index(f"failed   {BAD}") + 1]
    expected = {
        "origin": "sent by the origin",
        "unreachable": "the edge could not connect to the origin",
        "slow": "the origin did not respond in time",
        "function": "a function at the edge failed",
        "edge": "sent by the edge, or by an origin that does not name its server",
    }
    assert f"502 ({expected[cause]}) at all 3 POPs" in line
