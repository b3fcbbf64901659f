"""Statuses as JUnit reports."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prewarm_cli.output.junit import junit_xml
from tests.support.statuses import BAD, CAUSES, GOOD, status


def cases(document: bytes) -> dict[str, ET.Element]:
    """Return the test cases by name, and check the suite's counts."""
    suite = ET.fromstring(document).find("testsuite")
    assert suite is not None
    by_name = {case.attrib["name"]: case for case in suite.iter("testcase")}
    assert suite.attrib["tests"] == str(len(by_name))
    assert suite.attrib["failures"] == str(len(list(suite.iter("failure"))))
    assert suite.attrib["errors"] == str(len(list(suite.iter("error"))))
    assert suite.attrib["skipped"] == str(len(list(suite.iter("skipped"))))
    return by_name


def test_junit_needs_only_the_contracts_fields() -> None:
    names = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")
    bare = {name: status()[name] for name in names}
    assert len(cases(junit_xml(bare))) == 2


def test_junit_contains_the_runs_duration() -> None:
    times = {"startedAt": "2026-11-24T01:38:29Z", "endedAt": "2026-11-24T01:38:59.5Z"}
    assert ET.fromstring(junit_xml(status(**times))).find("testsuite[@time='30.500']") is not None


@pytest.mark.parametrize(("error", "cause", "text"), CAUSES)
def test_junit_failure_contains_error_and_cause(error: str, cause: str, text: str) -> None:
    failure = ET.fromstring(junit_xml(status(error=error, cause=cause))).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].endswith(f"50 % of its reachable targets are warm; {text}")


@pytest.mark.parametrize("error", ["Prewarm.NotWarm", "Prewarm.DeadlinePassed", "", None])
def test_junit_omits_a_cause_that_the_urls_explain(error: str | None) -> None:
    assert b"1 of 2" not in junit_xml(status(error=error, cause="1 of 2 URLs are not warm"))


def test_junit_redacts_urls_in_causes_and_warnings() -> None:
    text = f"{BAD} has no distribution"
    document = junit_xml(status(error="Prewarm.InvalidRequest", cause=text, warnings=[text]))
    assert b"secret" not in document
    assert document.decode().count("token=… has no distribution") == 2


def test_junit_has_a_case_per_url_and_reasons_per_failure() -> None:
    document = junit_xml(status(inProgressUrl=["https://img.example.com/x"], warnings=["mind <the> gap\x00"]))
    by_name = cases(document)
    assert len(by_name) == 3
    assert len(by_name[GOOD]) == 0
    assert by_name[GOOD].attrib["classname"] == "www.example.com"
    failure = by_name["https://www.example.com/bad.html?token=…"].find("failure")
    assert failure is not None
    assert "the origin answered with a 5xx" in failure.attrib["message"]
    assert "50 %" in failure.attrib["message"]
    assert by_name["https://img.example.com/x"].find("error") is not None
    assert b"secret" not in document
    assert ET.fromstring(document).findtext(".//system-out") == "mind <the> gap\ufffd"


def test_junit_of_a_failed_run_without_urls_has_an_error() -> None:
    fields: dict[str, Any] = {"total": 0, "failedUrl": [], "successUrl": [], "failures": []}
    without_urls = status(**fields, cause="region[0]: unknown", error="E")
    error = cases(junit_xml(without_urls))["the run"].find("error")
    assert error is not None
    assert error.attrib["message"] == "E: region[0]: unknown"
    assert len(cases(junit_xml(without_urls | {"status": "COMPLETED"}))["the run"]) == 0


def test_junit_of_a_completed_run_skips_its_failed_urls() -> None:
    by_name = cases(junit_xml(status(status="COMPLETED")))
    (skipped,) = (case.find("skipped") for case in by_name.values() if len(case))
    assert skipped is not None
    assert "the origin answered with a 5xx" in skipped.attrib["message"]
    assert [case for case in by_name.values() if case.find("failure") is not None] == []


def test_junit_shortens_a_long_cause_at_each_url() -> None:
    cause = "url_list_s3[0] line 1: is wrong " + "x" * 30_000 + "\nand more"
    rejected = status(status="FAILED", error="Prewarm.InvalidRequest", cause=cause, successUrl=[])
    rejected["failedUrl"] = [f"https://www.example.com/{number}" for number in range(1_000)]
    rejected["failures"] = [
        {"url": url, "reasons": {"rejected": 1}, "coverage": 0.0} for url in rejected["failedUrl"]
    ]
    report = junit_xml(rejected)
    assert len(report) < 1_000_000
    assert report.count(b"url_list_s3[0] line 1: is wrong") == 1_001
    assert (ET.fromstring(report).findtext("testsuite/system-out") or "").endswith("and more")


SOURCES = [
    {
        "source": "sitemap[0]",
        "address": "https://www.example.com/s.xml",
        "urls": 1,
        "skipped": 2,
        "parts": 1,
        "partsSkipped": 0,
        "leftOut": [
            {
                "reason": "no distribution",
                "count": 2,
                "skipped": True,
                "examples": ["https://a.example.net/?token=x"],
            },
            {"reason": "excluded by exclude", "count": 9, "skipped": False, "examples": []},
        ],
    }
]


def test_what_sources_leave_out_is_skipped_test_cases() -> None:
    status = {"status": "COMPLETED", "successUrl": ["https://www.example.com/1"], "failedUrl": [], "sources": SOURCES}
    suite = ET.fromstring(junit_xml(status)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("3", "2", "0")
    messages = [case.attrib["message"] for case in suite.iter("skipped")]
    assert messages == ["2 skipped, such as https://a.example.net/?token=…", "9 left out"]


def test_mostly_skipped_source_is_the_first_test_case_and_fails() -> None:
    first = "sitemap[0]: 2 of 3 entries cannot be warmed"
    status = {
        "status": "FAILED",
        "successUrl": ["https://www.example.com/1"],
        "failedUrl": [],
        "sources": SOURCES,
        "mostlySkipped": first,
    }
    suite = ET.fromstring(junit_xml(status)).find("testsuite")
    assert suite is not None
    case = suite.find("testcase")
    assert case is not None
    assert [each.attrib["message"] for each in case.iter("failure")] == [first]
    assert suite.get("failures") == "1"


def test_junit_has_the_fetched_form_as_a_property_of_its_case() -> None:
    forms = {GOOD: "https://www.example.com/%5E", BAD: f"{BAD}%27"}
    document = junit_xml(status(fetched=forms, duplicates=3))
    by_name = cases(document)
    found = by_name[GOOD].find("properties/property[@name='fetched']")
    assert found is not None
    assert found.attrib["value"] == forms[GOOD]
    assert document.count(b'name="fetched"') == 2
    assert b'<property name="duplicates" value="3"' in document
    assert b"secret" not in document
