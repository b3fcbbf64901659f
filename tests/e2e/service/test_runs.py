"""Runs through the REST API and through StartExecution, to their end."""

import json
import time
from typing import Any

import pytest

from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

GOOD = [f"https://{HOST}/page/{number}.html" for number in range(20)]
BROKEN = {
    f"https://{HOST}/absent.html": "client_error",
    f"https://{HOST}/refused.html": "server_error",
    f"https://{HOST}/cut.html": "truncated",
}
CONTRACT = {"status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl"}


def request(urls: list[str], **more: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "country", "region": ["singapore", "south_korea"]} | more


def execution_end(service: Service, arn: str) -> dict[str, Any]:
    states = service.client("stepfunctions")
    for _ in range(600):
        found: dict[str, Any] = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.1)
    raise AssertionError("the execution did not end")


def test_run_completes_and_its_urls_never_leave_success(service: Service) -> None:
    # Several batches, one at a time, so that progress is visible even on a fast machine.
    countries = ["singapore", "south_korea", "australia", "DE"]
    seen = service.statuses(service.start(request(GOOD, region=countries, max_concurrency=1)))
    decided: set[str] = set()
    for status in seen:
        assert set(status) >= CONTRACT
        lists = status["failedUrl"] + status["inProgressUrl"] + status["successUrl"]
        assert sorted(lists) == sorted(GOOD), "a URL was lost or counted twice"
        assert status["total"] == 20
        assert status["completed"] == len(status["failedUrl"]) + len(status["successUrl"])
        assert status["inProgress"] == len(status["inProgressUrl"])
        now = set(status["successUrl"])
        assert now >= decided, "a URL left the success list"
        decided = now
    assert seen[-1]["status"] == "COMPLETED"
    assert set(seen[-1]["successUrl"]) == set(GOOD)
    assert any(0 < len(status["successUrl"]) < 20 for status in seen), "no status showed progress"


def test_run_with_broken_urls_fails_with_exactly_those_urls(service: Service) -> None:
    last = service.statuses(service.start(request([*GOOD, *BROKEN])))[-1]
    assert last["status"] == "FAILED"
    assert sorted(last["failedUrl"]) == sorted(BROKEN)
    assert sorted(last["successUrl"]) == sorted(GOOD)
    assert last["error"] == "Prewarm.NotWarm"
    assert {entry["url"]: list(entry["reasons"]) for entry in last["failures"]} == {
        url: [reason] for url, reason in BROKEN.items()
    }


def test_direct_start_returns_the_same_status_and_a_readable_cause(service: Service) -> None:
    states = service.client("stepfunctions")
    given = json.dumps(request([*GOOD[:4], *BROKEN]))
    arn = states.start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name="from-a-pipeline", input=given
    )["executionArn"]
    end = execution_end(service, arn)
    assert end["status"] == "FAILED"
    assert end["error"] == "Prewarm.NotWarm"
    assert end["cause"].startswith("4 of 7 URLs are warm, 3 failed.")
    for url in BROKEN:
        assert url in end["cause"]
    assert not end["cause"].startswith("{"), "a JSON traceback is not a readable cause"
    by_arn, by_name = service.get_status(arn).json(), service.get_status("from-a-pipeline").json()
    assert by_arn == by_name
    assert by_arn["status"] == "FAILED"
    assert sorted(by_arn["failedUrl"]) == sorted(BROKEN)
    assert sorted(by_arn["successUrl"]) == sorted(GOOD[:4])


def test_fail_on_none_completes_with_failed_urls_listed(service: Service) -> None:
    last = service.statuses(service.start(request([GOOD[0], *BROKEN], fail_on="none")))[-1]
    assert last["status"] == "COMPLETED"
    assert sorted(last["failedUrl"]) == sorted(BROKEN)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"region_type": "region", "region": "eu"}, ["url_list", "is missing"]),
        (request(["ftp://www.example.com/"]), ["url_list[0]", "ftp"]),
        (request(GOOD) | {"region": ["sinapore"]}, ["region[0]", "unknown country", "singapore"]),
        (request(["https://elsewhere.example.org/"]), ["url_list", "elsewhere.example.org"]),
        (request(GOOD, headers={"Cookie": "session=1"}), ["headers.Cookie", "secret"]),
        (["not", "an", "object"], ["JSON object"]),
    ],
)
def test_direct_start_with_bad_input_ends_in_rejected_with_a_readable_cause(
    service: Service, given: Any, words: list[str]
) -> None:
    states = service.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"bad-{time.time_ns()}", input=json.dumps(given)
    )["executionArn"]
    end = execution_end(service, arn)
    assert end["status"] == "FAILED"
    assert end["error"] == "Prewarm.InvalidRequest"
    for word in words:
        assert word in end["cause"]
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in states.get_execution_history(executionArn=arn, maxResults=100)["events"]
        if "stateEnteredEventDetails" in event
    ]
    assert entered == ["FirstReading", "ResolveTargets", "Accepted", "Rejected"]


def test_staged_run_has_two_stages(service: Service) -> None:
    arn = service.start(request([GOOD[0]], staged=True))
    assert service.statuses(arn)[-1]["status"] == "COMPLETED"
    states = service.client("stepfunctions")
    names = [
        event["stateEnteredEventDetails"]["name"]
        for event in states.get_execution_history(executionArn=arn, maxResults=100)["events"]
        if "stateEnteredEventDetails" in event
    ]
    assert names.count("WarmTargets") == 2
    assert "NextStage" in names


def test_invalidation_completes_before_warming(service: Service) -> None:
    arn = service.start(request([f"https://{HOST}/page/50.html"], invalidate=True))
    assert service.statuses(arn)[-1]["status"] == "COMPLETED"
    cloudfront = service.client("cloudfront")
    found = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    listed = cloudfront.list_invalidations(DistributionId=found)["InvalidationList"]["Items"]
    paths = [
        cloudfront.get_invalidation(DistributionId=found, Id=entry["Id"])["Invalidation"]["InvalidationBatch"]
        for entry in listed
    ]
    assert ["/page/50.html"] in [batch["Paths"]["Items"] for batch in paths]


def test_cancelled_run_is_failed_with_no_url_in_progress(service: Service) -> None:
    arn = service.start(request([*GOOD, f"https://{HOST}/slow.html"]))
    for _ in range(100):
        if service.get_status(arn).json()["targets"]["total"]:
            break
        time.sleep(0.05)
    service.client("stepfunctions").stop_execution(executionArn=arn)
    status = service.statuses(arn)[-1]
    assert (status["status"], status["reason"]) == ("FAILED", "cancelled")
    assert status["inProgress"] == 0
    assert status["total"] == 21
    assert any("cancelled" in entry["reasons"] for entry in status["failures"])


def test_requested_pop_that_does_not_resolve_fails_the_run(service: Service) -> None:
    body = {"url_list": GOOD[:1], "region_type": "pop", "region": ["SIN2-P1", "ATL56-C1"]}
    last = service.statuses(service.start(body))[-1]
    assert last["status"] == "FAILED"
    (failure,) = last["failures"]
    assert (failure["url"], failure["reasons"], failure["coverage"]) == (GOOD[0], {"unresolved_pop": 1}, 50.0)
    assert (failure["example"]["pop"], failure["example"]["status"]) == ("ATL56-C1", None)
    assert (failure["everywhere"], failure["statuses"]) == (False, {"none": 1})
    assert last["skippedPops"] == []


def test_pops_of_a_region_that_do_not_resolve_are_skipped_and_listed(service: Service) -> None:
    body = {"url_list": GOOD[:1], "target_type": "region", "region": "eu"}
    last = service.statuses(service.start(body))[-1]
    assert last["status"] == "COMPLETED"
    assert len(last["skippedPops"]) > 100
    assert {entry["reason"] for entry in last["skippedPops"]} == {"unresolved_pop"}
    assert not any(entry["pop"].startswith("FRA") for entry in last["skippedPops"])


def test_cancelled_run_is_listed_and_can_be_retried(service: Service) -> None:
    """A run with a slow page is cancelled, and a retry warms the remaining URLs."""
    arn = service.start(request([*GOOD[:3], f"https://{HOST}/slow-2.html"], verify="none"))
    for _ in range(100):
        if service.get_status(arn).json()["targets"]["total"]:
            break
        time.sleep(0.05)
    cancelled = service.call("DELETE", "/prewarm", requestID=arn)
    assert (cancelled["status"], cancelled["reason"]) == ("FAILED", "cancelled")
    assert service.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "ABORTED"
    listed = {each["requestID"]: each["status"] for each in service.call("GET", "/runs", limit="50")["runs"]}
    assert listed[arn] == "CANCELLED"
    retried = service.call("POST", "/retry", requestID=arn)
    assert (retried["retryOf"], retried["urls"]) == (arn, len(cancelled["failedUrl"]))
    last = service.statuses(retried["requestID"])[-1]
    assert last["status"] == "COMPLETED"
    assert sorted(last["successUrl"]) == sorted(cancelled["failedUrl"])
