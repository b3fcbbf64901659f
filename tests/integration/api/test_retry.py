"""POST /retry starts a new run of the URLs that failed."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import SYDNEY, Machine, client, document
from tests.support.rest import EXECUTION, call, describe_executions_as, executions
from tests.support.run_starts import GOOD, code, post

pytestmark = pytest.mark.usefixtures("rest")


def ended(machine: Machine, patch: pytest.MonkeyPatch, request: dict[str, Any], status: str) -> str:
    """Execute a whole run; its execution then has this status."""
    machine.run(request, "old")
    describe_executions_as(patch, status=status)
    return f"{EXECUTION}:old"


def test_retry_starts_a_new_run_of_the_failed_urls(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block")
    request = GOOD | {"url_list": [good, bad], "region": SYDNEY[:2], "verify": "all", "headers": {"Cookie": "a=1"}}
    key = machine.storage.put_request("old", request)
    arn = ended(machine, monkeypatch, {"requestKey": key}, "FAILED")
    status, response = call("POST", "/retry", query={"requestID": arn})
    assert (status, response["retryOf"], response["urls"]) == (200, arn, 1)
    name = response["requestID"].rpartition(":")[2]
    stored = document(name, "request.json")
    assert (stored["url_list"], stored["region"], stored["verify"]) == ([bad], SYDNEY[:2], "all")
    assert stored["headers"] == {"Cookie": "a=1"}
    assert response["requestID"] != arn


@pytest.mark.parametrize(("given", "retried"), [(["/*"], True), ("/*", True), (True, True), (False, False)])
def test_retry_does_not_invalidate_by_pattern_what_the_run_has_warmed(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch, given: object, retried: bool
) -> None:
    monkeypatch.setenv("PREWARM_ALLOW_INVALIDATION_PATTERNS", "true")
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block")
    request = GOOD | {"url_list": [good, bad], "region": SYDNEY[:1], "invalidate": given}
    arn = ended(machine, monkeypatch, {"requestKey": machine.storage.put_request("old", request)}, "FAILED")
    name = call("POST", "/retry", query={"requestID": arn})[1]["requestID"].rpartition(":")[2]
    assert document(name, "request.json")["invalidate"] is retried


def test_retry_repeats_patterns_of_a_run_in_which_all_urls_failed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREWARM_ALLOW_INVALIDATION_PATTERNS", "true")
    machine.resolve({"requestKey": machine.storage.put_request("old", GOOD | {"invalidate": ["/*"]})}, "old")
    describe_executions_as(monkeypatch, status="FAILED")
    name = call("POST", "/retry", query={"requestID": "old"})[1]["requestID"].rpartition(":")[2]
    assert document(name, "request.json")["invalidate"] == ["/*"]


def test_run_without_a_summary_is_retried_from_its_ledger(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = machine.resolve(GOOD | {"url_list": fresh(3)}, "old")
    assert ran.resolved["targets"] == 3
    describe_executions_as(monkeypatch, status="ABORTED")
    assert call("POST", "/retry", query={"requestID": "old"})[1]["urls"] == 3


def test_warm_or_running_run_is_not_retried(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = post()[1]["requestID"]
    assert code(call("POST", "/retry", query={"requestID": arn})) == (409, "RunInProgress")
    warm = ended(machine, monkeypatch, GOOD | {"url_list": fresh()}, "SUCCEEDED")
    assert code(call("POST", "/retry", query={"requestID": warm})) == (409, "NothingToRetry")


def test_run_without_a_plan_is_retried_as_a_whole(account: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    account.storage.put_request("old", GOOD)
    describe_executions_as(monkeypatch, status="FAILED")
    assert call("POST", "/retry", query={"requestID": "old"})[1]["urls"] == 1


def test_retry_sent_twice_with_one_key_starts_one_run() -> None:
    arn = post()[1]["requestID"]
    client("stepfunctions").stop_execution(executionArn=arn)
    again = [
        call("POST", "/retry", query={"requestID": arn}, headers={"Idempotency-Key": "20261124T013829Z-again"})
        for _ in range(2)
    ]
    assert again[0] == again[1]
    assert again[0][1]["retryOf"] == arn
    assert len(executions()) == 2


def test_dry_run_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]], "dry_run": True}
    describe_executions_as(monkeypatch, status="SUCCEEDED", input=json.dumps(request))
    assert call("POST", "/retry", query={"requestID": "dry"})[1]["error"]["code"] == "NothingToRetry"
