"""Waiting for a run before a fake API: what is shown, what is written, with which code it ends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.support.fake_api import RUN, URL, Answer, FakeApi, error, fake_api, going, prewarm, warm
from tests.unit.prewarm_cli.output.test_text import BAD, GOOD, status


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (warm(), 0),
        (status(), 1),
        (status(error="Prewarm.InvalidRequest", cause="no"), 2),
        (status(status="TIMEOUT"), 3),
    ],
)
@pytest.mark.parametrize("command", [["start", *URL, "--wait"], ["watch", "the-run"], ["retry", "the-run", "--wait"]])
def test_a_wait_leaves_with_what_the_run_came_to(
    api: FakeApi, last: dict[str, Any], code: int, command: list[str]
) -> None:
    api.answers["POST /prewarm"] = [(200, {"requestID": RUN})]
    api.answers["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 1})]
    api.answers["GET /status"] = [(200, going()), (200, last)]
    shown = prewarm(*command, code=code).stdout
    assert "IN_PROGRESS: 0 of 2 URLs" in shown
    assert f"{last['status']}: 2 of 2 URLs" in shown
    assert "\x1b" not in shown


def test_start_wait_json_is_one_document_on_stdout(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [(200, {"requestID": RUN})]
    api.answers["GET /status"] = [(200, going()), (200, status())]
    result = prewarm("start", *URL, "--wait", "--json", code=1)
    assert json.loads(result.stdout) == status()
    assert RUN in result.stderr


def test_watch_json_prints_each_change_once(api: FakeApi) -> None:
    half = going(completed=1, inProgress=1, successUrl=[GOOD], inProgressUrl=[BAD])
    api.answers["GET /status"] = [(200, each) for each in (going(), going(), half, half, warm())]
    lines = prewarm("watch", "the-run", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [going(), half, warm()]


def test_failures_are_shown_as_they_come_and_once(api: FakeApi) -> None:
    failures = status()["failures"]
    half = going(completed=1, inProgress=1, failedUrl=[BAD], inProgressUrl=[GOOD], failures=failures)
    api.answers["GET /status"] = [(200, each) for each in (going(), half, half, status())]
    before, after = prewarm("watch", "the-run", code=1).stdout.split("FAILED:")
    assert before.count(f"failed   {BAD}") == 1
    assert after.count(f"failed   {BAD}") == 1


def test_a_wait_that_runs_out_is_exit_3_and_writes_what_is_known(api: FakeApi, tmp_path: Path) -> None:
    api.answers["GET /status"] = [(200, going())]
    file = tmp_path / "junit.xml"
    result = prewarm("watch", "the-run", "--wait-seconds", "0.05", "--junit", str(file), code=3)
    assert "the run goes on; come back by: prewarm watch the-run" in result.stderr
    assert len(ET.parse(file).findall(".//error")) == 2


def test_the_runs_own_report_is_fetched_at_the_end(api: FakeApi, tmp_path: Path) -> None:
    api.answers["GET /status"] = [(200, going()), (200, status())]
    api.answers["GET /report"] = [
        (200, {"url": f"{api.url}/store"}),
        (404, error("ReportNotFound", "there is none")),
    ]
    api.answers["GET /store"] = [(200, b"url,outcome\n")]
    file, other = tmp_path / "report.csv", tmp_path / "report.html"
    prewarm("watch", "the-run", "--report", str(file), code=1)
    assert (file.read_bytes(), api.of("GET", "/report")[0].query["format"]) == (b"url,outcome\n", "csv")
    missing = prewarm("watch", "the-run", "--report", str(other), code=1)
    assert ("there is none" in missing.stderr, other.exists()) == (True, False)
    assert "give it a name" in prewarm("watch", "the-run", "--report", str(tmp_path / "report"), code=2).stderr


def test_a_service_that_breaks_during_a_wait_is_exit_4_and_says_how_to_come_back(api: FakeApi) -> None:
    api.answers["GET /status"] = [(200, going()), None]
    assert "may go on; come back by: prewarm watch the-run" in prewarm("watch", "the-run", code=4).stderr


def test_a_run_that_nobody_knows_is_not_said_to_go_on(api: FakeApi) -> None:
    api.answers["GET /status"] = [(404, error("RunNotFound", "requestID: no run is known"))]
    told = prewarm("watch", "the-run", "--json", code=2)
    assert told.stderr == "prewarm: requestID: no run is known\n"
    assert json.loads(told.stdout)["error"]["code"] == "RunNotFound"


def test_a_break_that_heals_during_a_wait_is_not_noticed(api: FakeApi) -> None:
    api.answers["GET /status"] = [(200, going()), None, (502, {}), (200, warm())]
    assert prewarm("watch", "the-run").stderr == ""


def pages(*, ends_between: bool = False) -> list[Answer | None]:
    """A status in two pages; `ends_between`: the run ends after the first of them is read."""
    first = status(successUrl=[], failedUrl=[BAD], nextToken="2")
    second = status(successUrl=[GOOD], failedUrl=[], failures=[])
    early = [going(inProgressUrl=[BAD], nextToken="2"), second] if ends_between else []
    return [(200, each) for each in (*early, first, second)]


@pytest.mark.parametrize("ends_between", [False, True])
def test_a_paged_status_is_read_whole(api: FakeApi, ends_between: bool) -> None:
    api.answers["GET /status"] = pages(ends_between=ends_between)
    whole = json.loads(prewarm("status", "the-run", "--json").stdout)
    assert whole == status()
    assert api.calls[1].query["nextToken"] == "2"


def test_a_status_that_moved_between_its_pages_counts_what_it_lists(api: FakeApi) -> None:
    first = going(inProgressUrl=[GOOD], nextToken="2")
    second = going(inProgressUrl=[], successUrl=[BAD], completed=2, inProgress=0)
    api.answers["GET /status"] = [(200, first), (200, second)]
    whole = json.loads(prewarm("status", "the-run", "--json").stdout)
    assert (whole["completed"], whole["inProgress"]) == (1, 1)
    assert (whole["inProgressUrl"], whole["successUrl"]) == ([GOOD], [BAD])


def test_junit_is_whole_though_the_status_is_paged(api: FakeApi, tmp_path: Path) -> None:
    first, second = pages()
    api.answers["GET /status"] = [first, first, second]
    file = tmp_path / "junit.xml"
    assert "(1 warm, 1 failed" in prewarm("watch", "the-run", "--junit", str(file), code=1).stdout
    suite = ET.parse(file).find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
