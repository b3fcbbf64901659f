"""List, cancel and retry runs, and start a run once per Idempotency-Key."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import api.handler
import prewarm.storage.run_store
from prewarm.storage.run_store import Storage
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import BUCKET, SYDNEY, TOKYO, Machine, client, document
from tests.support.rest import EXECUTION, STARTED, call, describe_executions_as, executions, make_state_machine

URL = f"https://{HOST}/index.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "pop", "region": [TOKYO]}


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def post(body: dict[str, Any] = GOOD, key: str | None = None) -> tuple[int, Any]:
    return call("POST", "/prewarm", body, headers={} if key is None else {"idempotency-key": key})


def code(response: tuple[int, Any]) -> tuple[int, str]:
    return response[0], response[1]["error"]["code"]


def test_same_key_and_request_start_one_run() -> None:
    first, again = post(key="release-7"), post(key="release-7")
    assert first == again
    assert first[0] == 200
    assert len(executions()) == 1
    assert post(key="release-8")[1] != first[1]
    assert len(executions()) == 2


def test_key_with_another_request_is_a_conflict() -> None:
    first = post(key="release-7")
    assert code(post(GOOD | {"verify": "all"}, key="release-7")) == (409, "IdempotencyConflict")
    name = first[1]["requestID"].rpartition(":")[2]
    assert document(name, "request.json")["verify"] == "sample"


def test_key_of_an_ended_run_returns_that_run() -> None:
    arn = post(key="release-7")[1]["requestID"]
    client("stepfunctions").stop_execution(executionArn=arn)
    assert post(key="release-7") == (200, {"requestID": arn})
    assert len(executions()) == 1


def test_stored_but_unstarted_run_starts_on_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.runs.executions.Executions.start_once", lambda *_: 1 / 0)
        assert code(post(key="k")) == (500, "ServiceError")
    assert executions() == []
    assert post(key="k")[0] == 200
    assert len(executions()) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x07"])
def test_invalid_key_is_rejected(key: str) -> None:
    assert code(post(key=key)) == (400, "InvalidRequest")
    assert executions() == []


def test_runs_are_listed_in_pages_newest_first() -> None:
    started = [post()[1]["requestID"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, str] | None = {"limit": "2"}
    while query:
        status, response = call("GET", "/runs", query=query)
        assert status == 200
        assert len(response["runs"]) <= 2
        seen += [each["requestID"] for each in response["runs"]]
        query = {"limit": "2", "nextToken": response["nextToken"]} if "nextToken" in response else None
    assert sorted(seen) == sorted(started)
    (first, *_) = call("GET", "/runs")[1]["runs"]
    assert (first["status"], first["endedAt"]) == ("IN_PROGRESS", None)
    assert first["startedAt"].endswith("Z")
    assert first["requestID"].endswith(first["run"])


def test_runs_are_filtered_by_status() -> None:
    started = [post()[1]["requestID"] for _ in range(4)]
    client("stepfunctions").stop_execution(executionArn=started[1])
    cancelled = call("GET", "/runs", query={"status": "CANCELLED"})[1]["runs"]
    assert [each["requestID"] for each in cancelled] == [started[1]]
    assert cancelled[0]["endedAt"]
    assert call("GET", "/runs", query={"status": "FAILED"})[1] == {"runs": []}
    assert len(call("GET", "/runs", query={"status": "IN_PROGRESS"})[1]["runs"]) == 3
    assert call("GET", "/runs", query={"status": "TIMEOUT"})[1] == {"runs": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "DONE"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
    ],
)
def test_invalid_list_parameters_return_400(query: dict[str, str], field: str) -> None:
    status, response = call("GET", "/runs", query=query)
    assert (status, response["error"]["details"][0]["field"]) == (400, field)


def test_cancelling_stops_execution_and_workers(machine: Machine) -> None:
    arn = post(GOOD | {"url_list": fresh(3)})[1]["requestID"]
    name = arn.rpartition(":")[2]
    machine.resolve({"requestKey": f"runs/{name}/request.json"}, name)
    status, response = call("DELETE", "/prewarm", query={"requestID": arn})
    assert status == 200
    assert (response["status"], response["reason"], response["total"], response["inProgress"]) == (
        "FAILED",
        "cancelled",
        3,
        0,
    )
    assert {tuple(entry["reasons"]) for entry in response["failures"]} == {("cancelled",)}
    assert machine.storage.ledger.control(name).ended
    (described,) = executions()
    assert described["status"] == "ABORTED"
    assert code(call("DELETE", "/prewarm", query={"requestID": arn})) == (409, "RunAlreadyEnded")


def test_run_without_a_plan_can_be_cancelled() -> None:
    arn = post()[1]["requestID"]
    assert call("DELETE", "/prewarm", query={"requestID": arn})[1]["status"] == "FAILED"


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/prewarm"), ("POST", "/retry")])
def test_unknown_run_returns_404(method: str, path: str) -> None:
    assert code(call(method, path, query={"requestID": "unknown"})) == (404, "RunNotFound")
    assert code(call(method, path)) == (400, "InvalidRequest")


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


def test_key_whose_request_has_expired_is_a_conflict() -> None:
    arn = post(key="release-7")[1]["requestID"]
    client("s3").delete_object(Bucket=BUCKET, Key=f"runs/{arn.rpartition(':')[2]}/request.json")
    assert code(post(GOOD | {"verify": "all"}, key="release-7")) == (409, "IdempotencyConflict")
    assert code(post(key="release-7")) == (409, "IdempotencyConflict")
    assert len(executions()) == 1


def test_two_simultaneous_requests_with_one_key_start_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other request is stored between this one's read and its write."""
    seen = Storage.get_request

    def overtaken(self: Storage, run: str) -> Any:
        monkeypatch.setattr(Storage, "get_request", seen)
        post(GOOD | {"verify": "all"}, key="release-7")
        return None

    monkeypatch.setattr(Storage, "get_request", overtaken)
    monkeypatch.setattr("api.runs.executions.Executions.exists", lambda *_: False)
    assert code(post(key="release-7")) == (409, "IdempotencyConflict")
    (only,) = executions()
    assert document(only["name"], "request.json")["verify"] == "all"


def test_key_with_a_timestamp_names_its_run_by_it() -> None:
    name = post(key="20261124T013829Z-release-7")[1]["requestID"].rpartition(":")[2]
    assert re.fullmatch("20261124T013829Z-[0-9a-f]{16}", name)


def test_failed_runs_are_described_once_and_only_if_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = f"{EXECUTION}:a"
    states = client("stepfunctions")
    ended = {"executionArn": arn, "name": "a", "status": "FAILED", "startDate": STARTED, "stopDate": STARTED}
    monkeypatch.setattr(states, "list_executions", lambda **_: {"executions": [ended]})
    described: list[str] = []

    def describe(**parameters: Any) -> dict[str, Any]:
        described.append(parameters["executionArn"])
        return ended | {"error": "Prewarm.NotWarm", "input": "{}"}

    monkeypatch.setattr(states, "describe_execution", describe)
    monkeypatch.setattr(api.handler._executions(), "_client", states)
    for status in ("IN_PROGRESS", "COMPLETED"):
        assert call("GET", "/runs", query={"status": status})[1]["runs"] == []
    assert described == []
    for _ in range(3):
        assert len(call("GET", "/runs", query={"status": "FAILED"})[1]["runs"]) == 1
    assert described == [arn]


@pytest.mark.parametrize("path", ["/runs", "/status"])
def test_very_long_limit_returns_400(path: str) -> None:
    run = {"requestID": "x"} if path == "/status" else {}
    response = call("GET", path, query=run | {"limit": "9" * 5_000})
    assert (response[0], response[1]["error"]["details"][0]["field"]) == (400, "limit")


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


def test_identical_simultaneous_starts_return_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start reads before the first one writes, and continues after the first has started."""
    seen, first = Storage.get_request, []

    def overtaken(self: Storage, run: str) -> Any:
        monkeypatch.setattr(Storage, "get_request", seen)
        first.append(post(key="release-7"))

    monkeypatch.setattr(Storage, "get_request", overtaken)
    second = post(key="release-7")
    assert [second] == first
    assert second[0] == 200
    assert len(executions()) == 1


def test_conflicting_conditional_put_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = prewarm.storage.run_store.storage()._s3
    put, codes = s3.put_object, ["ConditionalRequestConflict"]

    def collide(**parameters: Any) -> Any:
        if "IfNoneMatch" in parameters and codes:
            raise ClientError({"Error": {"Code": codes.pop()}}, "PutObject")
        return put(**parameters)

    monkeypatch.setattr(s3, "put_object", collide)
    assert post(key="release-7")[0] == 200
    codes.append("SlowDown")
    assert code(post(key="release-8")) == (429, "Throttled")


def test_dry_run_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]], "dry_run": True}
    describe_executions_as(monkeypatch, status="SUCCEEDED", input=json.dumps(request))
    assert call("POST", "/retry", query={"requestID": "dry"})[1]["error"]["code"] == "NothingToRetry"
