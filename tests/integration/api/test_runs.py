"""List and cancel runs."""

from typing import Any

import pytest

import api.handler
from tests.support.edge_urls import fresh
from tests.support.handlers import Machine, client
from tests.support.rest import EXECUTION, STARTED, call, executions
from tests.support.run_starts import GOOD, code, post

pytestmark = pytest.mark.usefixtures("rest")


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
