"""Runs whose execution or whose documents have expired."""

import datetime as dt
import json
from typing import Any

import pytest

from tests.support.edge_urls import fresh
from tests.support.handlers import BUCKET, SYDNEY, Machine, client, document
from tests.support.rest import call, describe_executions_as, get_report, make_state_machine


@pytest.mark.usefixtures("ran")
def test_expired_execution_has_its_status_from_the_summary() -> None:
    status, response = call("GET", "/status", query={"requestID": "reported"})
    assert (status, response["status"], response["error"]) == (200, "FAILED", "Prewarm.NotWarm")
    assert (response["total"], len(response["failedUrl"]), len(response["successUrl"])) == (3, 1, 2)
    assert response["remedy"]["kind"] == "fix", "a 403 would be refused again"
    assert response["startedAt"] <= response["endedAt"]
    assert get_report("json")[0] == 200


@pytest.mark.usefixtures("ran")
def test_expired_execution_is_retried_from_its_stored_documents() -> None:
    make_state_machine()
    status, response = call("POST", "/retry", query={"requestID": "reported"})
    assert (status, response["urls"]) == (200, 1)


@pytest.mark.parametrize("outcome", ["COMPLETED", "TIMEOUT"])
def test_expired_execution_keeps_its_status(machine: Machine, outcome: str) -> None:
    ran = machine.run({"url_list": fresh(1), "region_type": "pop", "region": [SYDNEY[0]]})
    if outcome == "TIMEOUT":
        summary = document(ran.name, "summary.json") | {"executionStatus": "TIMED_OUT"}
        client("s3").put_object(Bucket=BUCKET, Key=f"runs/{ran.name}/summary.json", Body=json.dumps(summary))
    response = call("GET", "/status", query={"requestID": ran.name})[1]
    assert response["status"] == outcome


@pytest.mark.usefixtures("machine")
def test_unknown_run_without_documents_returns_404() -> None:
    status, response = call("GET", "/status", query={"requestID": "never"})
    assert (status, response["error"]["code"]) == (404, "RunNotFound")
    assert get_report(run="never")[0] == 404


def old(run: str, days: int) -> dict[str, Any]:
    """Return DescribeExecution's fields of a run that ended `days` ago."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    request = {"url_list": fresh(2), "region_type": "pop", "region": [SYDNEY[0]]}
    return {"name": run, "startDate": then, "stopDate": then, "input": json.dumps(request)}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("described", "status"),
    [({"status": "SUCCEEDED"}, "COMPLETED"), ({"status": "FAILED", "error": "Prewarm.NotWarm"}, "FAILED")],
)
def test_run_with_expired_documents_has_a_status_and_no_urls(
    monkeypatch: pytest.MonkeyPatch, described: dict[str, Any], status: str
) -> None:
    describe_executions_as(monkeypatch, **old("direct", 31), **described)
    response = call("GET", "/status", query={"requestID": "direct"})[1]
    assert (response["status"], response["total"], response["failedUrl"]) == (status, 0, [])
    assert "kept for 30 days" in response["warnings"][0]


@pytest.mark.usefixtures("ran")
def test_summary_without_urls_is_reported_as_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    client("s3").delete_object(Bucket=BUCKET, Key="runs/reported/plan/urls.json.gz")
    describe_executions_as(monkeypatch, status="FAILED", error="Prewarm.NotWarm")
    status, response = call("GET", "/status", query={"requestID": "reported"})
    assert (status, response["status"], response["successUrl"]) == (200, "FAILED", [])
    assert call("POST", "/retry", query={"requestID": "reported"})[1]["error"]["code"] == "RunExpired"


@pytest.mark.usefixtures("machine")
def test_run_with_an_expired_request_cannot_be_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"input": json.dumps({"requestKey": "runs/gone/request.json"})}
    describe_executions_as(monkeypatch, **old("gone", 31) | gone, status="FAILED")
    assert call("POST", "/retry", query={"requestID": "gone"})[1]["error"]["code"] == "RunExpired"
