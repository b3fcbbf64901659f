"""Statuses as exit codes, as lines, and as a JUnit report."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prewarm_cli.output.junit import junit
from prewarm_cli.output.text import FAILURES_SHOWN, code_of, end_lines, progress_line, why

GOOD, BAD = "https://www.example.com/good.html", "https://www.example.com/bad.html?token=secret"


def status(**more: Any) -> dict[str, Any]:
    """A status of the contract, of a run of which one URL of two failed."""
    return {
        "status": "FAILED",
        "total": 2,
        "completed": 2,
        "inProgress": 0,
        "failedUrl": [BAD],
        "inProgressUrl": [],
        "successUrl": [GOOD],
        "requestID": "arn:aws:states:eu-west-1:123456789012:execution:prewarm:the-run",
        "run": "the-run",
        "failures": [{"url": BAD, "reasons": {"server_error": 3, "timeout": 1}, "coverage": 50.0}],
        "targets": {"done": 8, "total": 1_008, "outcomes": {}},
    } | more


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"status": "COMPLETED"}, 0),
        ({"status": "FAILED"}, 1),
        ({"status": "FAILED", "reason": "cancelled"}, 1),
        ({"status": "FAILED", "error": "Prewarm.InvalidRequest"}, 2),
        ({"status": "TIMEOUT"}, 3),
        ({"status": "IN_PROGRESS"}, 3),
    ],
)
def test_exit_codes(given: dict[str, Any], code: int) -> None:
    assert code_of(status(**given)) == code


def test_a_line_of_progress() -> None:
    line = "FAILED: 2 of 2 URLs (1 warm, 1 failed, 0 in progress) · 8 of 1,008 targets"
    assert progress_line(status()) == line
    assert progress_line(status(nextToken="x")) == "FAILED: 2 of 2 URLs · 8 of 1,008 targets"


def test_reasons_are_told_in_words() -> None:
    told = why(status()["failures"][0])
    assert "server_error at 3 targets (the origin answered with a 5xx" in told
    assert "timeout at 1 target (the edge stopped responding)" in told
    assert "(the service's own)" in why(status()["failures"][0], {"timeout": "the service's own"})
    assert why({"reasons": {"new_one": 1}}) == "new_one at 1 target"
    assert why({}) == "not warm"


def test_the_contracts_fields_alone_are_enough() -> None:
    names = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")
    bare = {name: status()[name] for name in names}
    assert list(end_lines(bare))[1] == f"failed   {BAD}  not warm"
    assert len(cases(junit(bare))) == 2


def test_what_newer_services_tell_is_shown() -> None:
    more: dict[str, Any] = {
        "startedAt": "2026-11-24T01:38:29Z",
        "endedAt": "2026-11-24T01:38:59.5Z",
        "bytes": 2_500_000,
        "cost": {"dollars": 0.0123},
        "remedy": {"kind": "retry", "how": "POST /retry starts a new run of what failed"},
        "skippedPops": [{"pop": "A", "reason": "unresolved_pop"}, {"pop": "B", "reason": "unresolved_pop"}],
        "warnings": ["mind the gap"],
    }
    shown = "\n".join(end_lines(status(**more)))
    for part in (
        "2.5 MB",
        "$0.0123",
        "remedy   prewarm retry the-run starts a new run of what failed",
        "2 unresolved_pop",
        "warning  mind the gap",
        "01:38:59",
    ):
        assert part in shown
    assert ET.fromstring(junit(status(**more))).find("testsuite[@time='30.500']") is not None


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("retry", "run the command again"),
        ("redrive", "fix what the cause names, then run the command again"),
        ("fix", "fix what the cause names, then run the command again"),
    ],
)
def test_a_run_whose_service_has_ended_is_not_sent_back_to_it(kind: str, told: str) -> None:
    remedy = {"kind": kind, "how": "POST /retry or `aws stepfunctions redrive-execution`"}
    urls = [f"{GOOD}?{number}" for number in range(FAILURES_SHOWN + 1)]
    lines = list(end_lines(status(remedy=remedy, failedUrl=urls, failures=[]), stays=False))
    assert lines[-2:] == ["failed   for all of them: use --report FILE", f"remedy   {told}"]
    assert [line for line in end_lines(status(), stays=False) if line.startswith("remedy")] == []


def test_a_run_with_many_failures_shows_the_first() -> None:
    urls = [f"{GOOD}?{number}" for number in range(FAILURES_SHOWN + 5)]
    lines = list(end_lines(status(failedUrl=urls, failures=[])))
    assert "for all of them: prewarm report the-run --format csv" in lines[-1]
    assert len(lines) == FAILURES_SHOWN + 2
    assert "for all of them" in list(end_lines(status(nextToken="x")))[-1]


LAMBDAS = '{"errorMessage": "no such key", "errorType": "StorageError", "stackTrace": ["File x"]}'


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        ("Prewarm.InvalidRequest", "url_list: is missing", "Prewarm.InvalidRequest: url_list: is missing"),
        ("StorageError", LAMBDAS, "StorageError: no such key"),
        ("States.TaskFailed", LAMBDAS, "States.TaskFailed: StorageError: no such key"),
        ("States.TaskFailed", '{"errorMessage": "it broke"}', "States.TaskFailed: it broke"),
        ("States.Runtime", "[1]", "States.Runtime: [1]"),
        ("States.Timeout", "", "States.Timeout"),
    ],
)
def test_what_broke_or_refused_a_run_is_told_beside_its_urls(error: str, cause: str, told: str) -> None:
    broken = status(error=error, cause=cause)
    assert f"cause    {told}" in list(end_lines(broken))
    failure = ET.fromstring(junit(broken)).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].endswith(f"50 % of its reachable targets are warm; {told}")


@pytest.mark.parametrize("error", ["Prewarm.NotWarm", "Prewarm.DeadlinePassed", "", None])
def test_a_run_whose_urls_say_all_there_is_has_no_cause(error: str | None) -> None:
    ended = status(error=error, cause="1 of 2 URLs are not warm")
    assert [line for line in end_lines(ended) if line.startswith("cause")] == []
    assert b"1 of 2" not in junit(ended)


def test_causes_and_warnings_show_no_secrets_to_ci_servers() -> None:
    told = f"{BAD} is of no distribution"
    document = junit(status(error="Prewarm.InvalidRequest", cause=told, warnings=[told]))
    assert b"secret" not in document
    assert document.decode().count("token=… is of no distribution") == 2


def cases(document: bytes) -> dict[str, ET.Element]:
    suite = ET.fromstring(document).find("testsuite")
    assert suite is not None
    found = {case.attrib["name"]: case for case in suite.iter("testcase")}
    assert suite.attrib["tests"] == str(len(found))
    assert suite.attrib["failures"] == str(len(list(suite.iter("failure"))))
    assert suite.attrib["errors"] == str(len(list(suite.iter("error"))))
    assert suite.attrib["skipped"] == str(len(list(suite.iter("skipped"))))
    return found


def test_junit_has_a_case_for_each_url_and_words_for_each_failure() -> None:
    document = junit(status(inProgressUrl=["https://img.example.com/x"], warnings=["mind <the> gap\x00"]))
    found = cases(document)
    assert len(found) == 3
    assert len(found[GOOD]) == 0
    assert found[GOOD].attrib["classname"] == "www.example.com"
    failure = found["https://www.example.com/bad.html?token=…"].find("failure")
    assert failure is not None
    assert "the origin answered with a 5xx" in failure.attrib["message"]
    assert "50 %" in failure.attrib["message"]
    assert found["https://img.example.com/x"].find("error") is not None
    assert b"secret" not in document
    assert ET.fromstring(document).findtext(".//system-out") == "mind <the> gap\ufffd"


def test_junit_of_a_run_that_came_to_no_url_is_red() -> None:
    nothing = status(total=0, failedUrl=[], successUrl=[], failures=[], cause="region[0]: unknown", error="E")
    error = cases(junit(nothing))["the run"].find("error")
    assert error is not None
    assert error.attrib["message"] == "E: region[0]: unknown"
    assert len(cases(junit(nothing | {"status": "COMPLETED"}))["the run"]) == 0


def test_junit_is_as_green_as_a_completed_run_whose_failures_do_not_count() -> None:
    found = cases(junit(status(status="COMPLETED")))
    (skipped,) = (case.find("skipped") for case in found.values() if len(case))
    assert skipped is not None
    assert "the origin answered with a 5xx" in skipped.attrib["message"]
    assert [case for case in found.values() if case.find("failure") is not None] == []


def test_a_long_cause_stands_whole_once_and_shortly_at_each_url() -> None:
    cause = "url_list_s3[0] line 1: is wrong " + "x" * 30_000 + "\nand more"
    refused = status(status="FAILED", error="Prewarm.InvalidRequest", cause=cause, successUrl=[])
    refused["failedUrl"] = [f"https://www.example.com/{number}" for number in range(1_000)]
    refused["failures"] = [{"url": url, "reasons": {"rejected": 1}, "coverage": 0.0} for url in refused["failedUrl"]]
    report = junit(refused)
    assert len(report) < 1_000_000
    assert report.count(b"url_list_s3[0] line 1: is wrong") == 1_001
    assert (ET.fromstring(report).findtext("testsuite/system-out") or "").endswith("and more")
