"""Following a run of a fake API: displayed progress, written files and exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prewarm.urls import redacted
from tests.support.fake_api import RUN, URL, FakeApi, Response, error, fake_api, prewarm
from tests.support.statuses import BAD, GOOD, running_status, status, warm_status


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (warm_status(), 0),
        (status(), 1),
        (status(error="Prewarm.InvalidRequest", cause="no"), 2),
        (status(status="TIMEOUT"), 3),
    ],
)
@pytest.mark.parametrize("command", [["start", *URL, "--wait"], ["watch", "the-run"], ["retry", "the-run", "--wait"]])
def test_wait_exits_with_the_runs_result(api: FakeApi, last: dict[str, Any], code: int, command: list[str]) -> None:
    api.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
    api.responses["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 1})]
    api.responses["GET /status"] = [(200, running_status()), (200, last)]
    output = prewarm(*command, code=code).stdout
    assert "IN_PROGRESS: 0 of 2 URLs" in output
    assert f"{last['status']}: {len(last['successUrl'])} of 2 URLs warm" in output
    assert "\x1b" not in output


def test_start_wait_json_prints_one_document(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
    api.responses["GET /status"] = [(200, running_status()), (200, status())]
    result = prewarm("start", *URL, "--wait", "--json", code=1)
    assert json.loads(result.stdout) == status()
    assert RUN in result.stderr


def test_watch_json_prints_each_change_once(api: FakeApi) -> None:
    half = running_status(completed=1, inProgress=1, successUrl=[GOOD], inProgressUrl=[BAD])
    api.responses["GET /status"] = [
        (200, each) for each in (running_status(), running_status(), half, half, warm_status())
    ]
    lines = prewarm("watch", "the-run", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [running_status(), half, warm_status()]


def test_failures_are_counted_as_they_occur_and_printed_once_at_the_end(api: FakeApi) -> None:
    failures = status()["failures"]
    half = running_status(completed=1, inProgress=1, failedUrl=[BAD], inProgressUrl=[GOOD], failures=failures)
    api.responses["GET /status"] = [(200, each) for each in (running_status(), half, half, status())]
    before, after = prewarm("watch", "the-run", code=1).stdout.split("FAILED:")
    shown = redacted(BAD)
    assert "0 of 2 URLs warm, 1 failed, 1 in progress" in before
    assert (before.count(shown), after.count(f"failed   {shown}\n")) == (0, 1)
    assert "secret" not in before + after


def test_poll_reads_one_url_and_the_end_the_lists_once(api: FakeApi) -> None:
    page = {"failedUrl": [], "successUrl": [], "failures": [], "failed": 1, "nextToken": "next"}
    api.responses["GET /status"] = [(200, each) for each in (running_status(), status(**page), status())]
    output = prewarm("watch", "the-run", code=1).stdout
    assert [call.query.get("limit") for call in api.calls] == ["1", "1", None]
    assert output.count(f"failed   {redacted(BAD)}\n") == 1


def test_wait_timeout_exits_3_and_writes_the_last_status(api: FakeApi, tmp_path: Path) -> None:
    api.responses["GET /status"] = [(200, running_status())]
    file = tmp_path / "junit.xml"
    result = prewarm("watch", "the-run", "--wait-seconds", "0.05", "--junit", str(file), code=3)
    assert "the run continues; resume with: prewarm watch the-run" in result.stderr
    assert len(ET.parse(file).findall(".//error")) == 2


def test_report_option_downloads_the_report_at_the_end(api: FakeApi, tmp_path: Path) -> None:
    api.responses["GET /status"] = [(200, running_status()), (200, status())]
    api.responses["GET /report"] = [
        (200, {"url": f"{api.url}/store"}),
        (404, error("ReportNotFound", "the report is missing")),
    ]
    api.responses["GET /store"] = [(200, b"url,outcome\n")]
    file, other = tmp_path / "report.csv", tmp_path / "report.html"
    prewarm("watch", "the-run", "--report", str(file), code=1)
    assert (file.read_bytes(), api.calls_to("GET", "/report")[0].query["format"]) == (b"url,outcome\n", "csv")
    missing = prewarm("watch", "the-run", "--report", str(other), code=1)
    assert ("the report is missing" in missing.stderr, other.exists()) == (True, False)
    assert "the name must end in" in prewarm("watch", "the-run", "--report", str(tmp_path / "report"), code=2).stderr


def test_service_failure_during_a_wait_exits_4_and_prints_how_to_resume(api: FakeApi) -> None:
    api.responses["GET /status"] = [(200, running_status()), None]
    assert "may continue; resume with: prewarm watch the-run" in prewarm("watch", "the-run", code=4).stderr


def test_watch_of_an_unknown_run_exits_2_without_resume_hint(api: FakeApi) -> None:
    api.responses["GET /status"] = [(404, error("RunNotFound", "requestID: run not found"))]
    result = prewarm("watch", "the-run", "--json", code=2)
    assert result.stderr == "prewarm: ID: run not found\n"
    assert json.loads(result.stdout)["error"]["code"] == "RunNotFound"


def test_temporary_failures_during_a_wait_are_retried_silently(api: FakeApi) -> None:
    api.responses["GET /status"] = [(200, running_status()), None, (502, {}), (200, warm_status())]
    assert prewarm("watch", "the-run").stderr == ""


def pages(*, ends_between: bool = False) -> list[Response | None]:
    """Return a status in two pages; `ends_between`: the run ends after the first page is read."""
    first = status(successUrl=[], failedUrl=[BAD], nextToken="2")
    second = status(successUrl=[GOOD], failedUrl=[], failures=[])
    early = [running_status(inProgressUrl=[BAD], nextToken="2"), second] if ends_between else []
    return [(200, each) for each in (*early, first, second)]


@pytest.mark.parametrize("ends_between", [False, True])
def test_status_json_reads_all_pages(api: FakeApi, ends_between: bool) -> None:
    api.responses["GET /status"] = pages(ends_between=ends_between)
    whole = json.loads(prewarm("status", "the-run", "--json").stdout)
    assert whole == status()
    assert api.calls[1].query["nextToken"] == "2"


def test_full_status_counts_match_its_lists(api: FakeApi) -> None:
    first = running_status(inProgressUrl=[GOOD], nextToken="2")
    second = running_status(inProgressUrl=[], successUrl=[BAD], completed=2, inProgress=0)
    api.responses["GET /status"] = [(200, first), (200, second)]
    whole = json.loads(prewarm("status", "the-run", "--json").stdout)
    assert (whole["completed"], whole["inProgress"]) == (1, 1)
    assert (whole["inProgressUrl"], whole["successUrl"]) == ([GOOD], [BAD])


def test_junit_contains_all_pages_of_a_status(api: FakeApi, tmp_path: Path) -> None:
    first, second = pages()
    api.responses["GET /status"] = [first, first, second]
    file = tmp_path / "junit.xml"
    assert "FAILED: 1 of 2 URLs warm, 1 failed" in prewarm("watch", "the-run", "--junit", str(file), code=1).stdout
    suite = ET.parse(file).find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")


def test_full_status_has_the_fetched_forms_of_all_pages(api: FakeApi) -> None:
    (_, first), (_, second) = [response for response in pages() if response]
    first["fetched"], second["fetched"] = {BAD: "https://www.example.com/%5E"}, {GOOD: "https://www.example.com/%27"}
    api.responses["GET /status"] = [(200, first), (200, second)]
    whole = json.loads(prewarm("status", "the-run", "--json").stdout)
    assert whole["fetched"] == first["fetched"] | second["fetched"]
