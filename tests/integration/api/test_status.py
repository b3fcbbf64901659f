"""GET /status: every state of a run, from its start to its end."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import DARK, MACHINE, REGION, SYDNEY, TOKYO, Machine, client
from tests.support.rest import EXECUTION, call, describe_executions_as, make_state_machine

CONTRACT = {"status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl"}
URLS = ["https://www.example.com/a", "https://www.example.com/b?Signature=x"]
REQUEST: dict[str, Any] = {"url_list": URLS, "region_type": "pop", "region": SYDNEY[:1]}


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def status_of(request_id: str) -> dict[str, Any]:
    status, response = call("GET", "/status", query={"requestID": request_id})
    assert status == 200, response
    assert set(response) >= CONTRACT
    assert response["completed"] == len(response["failedUrl"]) + len(response["successUrl"])
    assert response["inProgress"] == len(response["inProgressUrl"])
    assert response["total"] == response["completed"] + response["inProgress"]
    return dict(response)


def planned(machine: Machine, urls: list[str], **fields: Any) -> Any:
    return machine.resolve(REQUEST | {"url_list": urls, "verify": "none"} | fields, "planned")


def test_request_id_is_read_from_query_and_body_and_may_be_a_bare_name() -> None:
    arn = call("POST", "/prewarm", REQUEST)[1]["requestID"]
    by_query = status_of(arn)
    assert by_query["requestID"] == arn
    assert by_query["run"] == arn.rpartition(":")[2]
    assert call("GET", "/status", {"requestID": arn}) == (200, by_query)
    assert call("GET", "/status", {"requestID": arn}, encoded=True) == (200, by_query)
    assert status_of(by_query["run"]) == by_query


@pytest.mark.parametrize("body", [None, {}, {"requestID": ""}, {"requestID": 7}, [], b"no json"])
def test_missing_request_id_returns_400(body: object) -> None:
    status, response = call("GET", "/status", body)
    assert (status, response["error"]["code"]) == (400, "InvalidRequest")
    if body != b"no json":
        assert response["error"]["details"][0]["field"] == "requestID"


@pytest.mark.parametrize(
    "request_id",
    [
        f"{EXECUTION}:never",
        "never",
        f"{MACHINE}",
        f"arn:aws:states:{REGION}:123456789012:execution:other:some",
        "arn:aws:states:us-east-1:123456789012:execution:prewarm:some",
        f"{EXECUTION}:some/WarmTargets:0123",
        f"{EXECUTION}:",
        "../../etc/passwd",
        "garbage with spaces",
        "\ud800",
        "x" * 5000,
        "a\nb",
        "ü",
    ],
)
def test_id_that_is_not_a_run_of_this_state_machine_returns_404(request_id: str) -> None:
    status, response = call("GET", "/status", {"requestID": request_id})
    assert (status, response["error"]["code"]) == (404, "RunNotFound")


def test_name_longer_than_80_characters_returns_404_without_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS responds to such an ARN with a ValidationException, which must not become a 500."""
    describe_executions_as(monkeypatch)
    assert call("GET", "/status", query={"requestID": "x" * 80})[0] == 200
    assert call("GET", "/status", query={"requestID": "x" * 81})[0] == 404


def test_run_of_another_state_machine_returns_404() -> None:
    states = client("stepfunctions")
    definition = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/states"
    other = states.create_state_machine(name="other", definition=definition, roleArn=role)["stateMachineArn"]
    started = states.start_execution(stateMachineArn=other, name="theirs", input=json.dumps(REQUEST))
    for request_id in (started["executionArn"], "theirs"):
        assert call("GET", "/status", query={"requestID": request_id})[0] == 404


def test_without_a_plan_urls_come_from_the_stored_request() -> None:
    arn = call("POST", "/prewarm", REQUEST | {"url_list": [*URLS, URLS[0]]})[1]["requestID"]
    response = status_of(arn)
    assert (response["status"], response["total"], response["inProgressUrl"]) == ("IN_PROGRESS", 2, URLS)


def test_without_a_plan_urls_of_a_direct_start_come_from_its_input() -> None:
    client("stepfunctions").start_execution(stateMachineArn=MACHINE, name="direct", input=json.dumps(REQUEST))
    response = status_of("direct")
    assert (response["status"], response["total"], response["inProgressUrl"]) == ("IN_PROGRESS", 2, URLS)


@pytest.mark.parametrize(
    "execution_input", ["{}", "[]", '"x"', json.dumps({"url_list": "x"}), json.dumps({"url_list": [1]})]
)
def test_rejected_direct_start_with_any_input_is_failed_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, execution_input: str
) -> None:
    described = {
        "status": "FAILED",
        "input": execution_input,
        "error": "Prewarm.InvalidRequest",
        "cause": "url_list: is missing",
    }
    describe_executions_as(monkeypatch, **described)
    response = status_of("direct")
    assert (response["status"], response["total"], response["cause"]) == ("FAILED", 0, "url_list: is missing")


def test_rejected_direct_start_shows_its_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    describe_executions_as(monkeypatch, status="FAILED", input=json.dumps({"url_list": URLS, "region": 1}))
    assert status_of("direct")["failedUrl"] == URLS


@pytest.mark.parametrize(
    ("described", "status", "reason"),
    [
        ({"status": "RUNNING"}, "IN_PROGRESS", None),
        ({"status": "PENDING_REDRIVE"}, "IN_PROGRESS", None),
        ({"status": "TIMED_OUT"}, "TIMEOUT", "deadline"),
        ({"status": "FAILED", "error": "Prewarm.DeadlinePassed", "cause": "c"}, "TIMEOUT", "deadline"),
        ({"status": "FAILED", "error": "Prewarm.NotWarm", "cause": "c"}, "FAILED", "lost"),
        ({"status": "FAILED", "error": "Lambda.Unknown", "cause": "c"}, "FAILED", "lost"),
        ({"status": "ABORTED"}, "FAILED", "cancelled"),
        ({"status": "SUCCEEDED"}, "COMPLETED", "lost"),
    ],
)
@pytest.mark.parametrize("plan", [False, True], ids=["before the plan", "with a plan"])
def test_execution_status_maps_to_contract_status(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    described: dict[str, str],
    status: str,
    reason: str | None,
    plan: object,
) -> None:
    """Unfinished URLs are in progress until the run ends, then failed with a reason."""
    if plan:
        planned(machine, URLS)
    describe_executions_as(monkeypatch, input=json.dumps(REQUEST), **described)
    response = status_of("planned")
    assert response["status"] == status
    if status == "COMPLETED" and not plan:
        assert (response["total"], response["failedUrl"]) == (0, []), "there is no evidence that they failed"
        return
    assert response["inProgressUrl"] == (URLS if reason is None else [])
    assert response["failedUrl"] == ([] if reason is None else URLS)
    assert [entry["reasons"] for entry in response["failures"]] == ([] if reason is None else [{reason: 1}] * 2)
    assert response.get("reason") == ("cancelled" if described["status"] == "ABORTED" else None)
    assert response.get("error") == described.get("error")


@pytest.mark.usefixtures("small_batches")
def test_urls_finish_batch_by_batch(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    describe_executions_as(monkeypatch)
    urls = fresh(250)
    ran = planned(machine, urls)
    seen = [status_of("planned")]
    for item in machine.items(ran):
        machine.warm(ran, item)
        seen.append(status_of("planned"))
    assert len(seen) > 2
    assert [response["completed"] for response in seen] == sorted({response["completed"] for response in seen})
    assert (seen[0]["completed"], seen[-1]["completed"]) == (0, 250)
    assert all(response["total"] == 250 and response["status"] == "IN_PROGRESS" for response in seen)
    assert seen[1]["successUrl"] == urls[: seen[1]["completed"]]
    assert seen[-1]["targets"]["done"] == seen[-1]["targets"]["total"] == 250


def test_finished_run_reports_success_failures_coverage_and_skipped_pops(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block", pops=[SYDNEY[0]])
    ran = planned(machine, [bad, good, "https://www.example.net/"], region_type="country", region=["AU", "JP"])
    for item in machine.items(ran):
        machine.warm(ran, item)
    output = machine.aggregate(ran)
    describe_executions_as(monkeypatch, status="FAILED", error=output["error"], cause=output["cause"])
    response = status_of("planned")
    assert (response["status"], response["successUrl"]) == ("FAILED", [good])
    assert response["failedUrl"] == [bad, "https://www.example.net/"]
    first, second = response["failures"]
    assert (first["reasons"], second["reasons"]) == ({"blocked": 1}, {"no_distribution": 1})
    assert 0 < first["coverage"] < 100
    assert {entry["pop"]: entry["reason"] for entry in response["skippedPops"]}[DARK] == "connect_error"
    assert (response["error"], response["cause"]) == ("Prewarm.NotWarm", output["cause"])


@pytest.mark.usefixtures("small_batches")
def test_stopped_run_keeps_the_urls_that_are_warm(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = fresh(250)
    ran = planned(machine, urls, region=[TOKYO])
    (first, *_) = machine.items(ran)
    machine.warm(ran, first)
    describe_executions_as(monkeypatch, status="ABORTED")
    response = status_of("planned")
    assert response["successUrl"] == urls[: first["url_to"]]
    assert response["failedUrl"] == urls[first["url_to"] :]
    assert {tuple(entry["reasons"]) for entry in response["failures"]} == {("cancelled",)}
    assert response["reason"] == "cancelled"


def test_missing_ledger_table_returns_500(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(machine, URLS)
    describe_executions_as(monkeypatch)
    client("dynamodb").delete_table(TableName="prewarm-ledger")
    status, response = call("GET", "/status", query={"requestID": "planned"})
    assert (status, response["error"]["code"]) == (500, "ServiceError")


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
@pytest.mark.usefixtures("ran")
def test_pops_are_included_on_request_only(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    describe_executions_as(monkeypatch, status=status)
    assert "pops" not in call("GET", "/status", query={"requestID": "reported"})[1]
    response = call("GET", "/status", query={"requestID": "reported", "include": "pops"})[1]
    sums = {entry["pop"]: (entry["targets"], entry["done"], entry["warm"]) for entry in response["pops"]}
    assert sums == {SYDNEY[0]: (3, 3, 3), TOKYO: (3, 3, 2)}
    refused = call("GET", "/status", query={"requestID": "reported", "include": "everything"})
    assert (refused[0], refused[1]["error"]["details"][0]["field"]) == (400, "include")
