"""The list of runs: what it shows from start to end, how runs are found in it, and where it ends."""

import datetime as dt
import time
from types import SimpleNamespace
from typing import Any

import pytest

import aggregate.run_ended_handler
import api.handler
import resolve.handler
from prewarm.execution_status import REJECTED
from prewarm.storage.run_list import Window
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import (
    BUCKET,
    DOMAIN,
    MACHINE,
    OTHER_HOST,
    SYDNEY,
    TABLE,
    TOKYO,
    Context,
    Machine,
    Ran,
    client,
)
from tests.support.rest import API_KEY_ID, EXECUTION, call, executions, make_state_machine

URL = f"https://{HOST}/index.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "pop", "region": [TOKYO]}
# The time of an execution that an earlier version started.
DAY = dt.timedelta(days=1)
LONG_AGO = dt.datetime.now(dt.UTC) - dt.timedelta(days=10)


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def post(**changes: Any) -> str:
    """Start a run; return its name."""
    status, response = call("POST", "/prewarm", GOOD | changes)
    assert status == 200, response
    return str(response["requestID"].rpartition(":")[2])


def runs(**query: str) -> list[dict[str, Any]]:
    """Return all pages of a list of runs."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        status, response = call("GET", "/runs", query=query | more)
        assert status == 200, response
        found += response["runs"]
        if "nextToken" not in response:
            return found
        more = {"nextToken": response["nextToken"]}


def names(**query: str) -> list[str]:
    return [each["run"] for each in runs(**query)]


def event_of_end(run: str, status: str, error: str | None = None, redrives: int = 0) -> dict[str, Any]:
    """Return EventBridge's event about an execution's end."""
    detail = {"name": run, "executionArn": f"{EXECUTION}:{run}", "stateMachineArn": MACHINE, "status": status}
    times = {"startDate": int(1000 * time.time()) - 5_000, "stopDate": int(1000 * time.time())}
    return {"detail": detail | times | {"error": error, "cause": None, "redriveCount": redrives}}


def test_started_run_shows_label_hosts_selection_and_the_key_that_started_it() -> None:
    run = post(label="shop main abc123", url_list=[URL, f"https://{OTHER_HOST}/"])
    (listed,) = runs()
    assert listed | {"startedAt": ""} == {
        "requestID": f"{EXECUTION}:{run}",
        "run": run,
        "status": "IN_PROGRESS",
        "startedAt": "",
        "endedAt": None,
        "startedBy": API_KEY_ID,
        "label": "shop main abc123",
        "hosts": [HOST, OTHER_HOST],
        "hostCount": 2,
        "regionType": "pop",
        "region": [TOKYO],
        "locations": [],
        "pops": None,
        "total": 2,
        "warm": None,
        "failed": None,
        "targets": None,
        "dollars": None,
        "dryRun": False,
    }


def test_direct_run_shows_its_results_once_it_has_ended(machine: Machine, edge: SimulatedCloudFront) -> None:
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block")
    started = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=90)
    request = GOOD | {"url_list": [good, bad], "region": [SYDNEY[0], TOKYO], "label": "direct one"}
    event = {"run": "direct", "input": request, "startedAt": started.isoformat()}
    resolved = resolve.handler.handler(event, Context())
    (planned,) = machine.storage.runs.months(Window(), "", None, 10, LONG_AGO.date()).items
    assert (planned["locations"], planned["pops"], planned["targets"]) == (["NRT", "SYD"], 2, 4)
    ran = Ran("direct", resolved)
    for item in machine.items(ran):
        machine.warm(ran, item)
    machine.aggregate(ran)
    (listed,) = runs(label="direct one")
    assert (listed["status"], listed["startedBy"], listed["total"], listed["warm"], listed["failed"]) == (
        "FAILED",
        "direct",
        2,
        1,
        1,
    )
    assert listed["startedAt"] == started.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert listed["endedAt"] > listed["startedAt"]
    assert listed["dollars"] > 0


def test_runs_are_found_by_label_host_and_both() -> None:
    other = [f"https://{OTHER_HOST}/"]
    one, two = post(label="a"), post(label="a", url_list=other)
    three = post(label="b", url_list=[URL, *other])
    assert names(label="a") == [two, one]
    assert names(host=HOST) == [three, one]
    assert names(host=OTHER_HOST.upper(), label="a") == [two]
    assert names(label="A") == []
    assert names(label="a", status="COMPLETED") == []


def test_runs_are_found_by_time(account: SimpleNamespace) -> None:
    now = dt.datetime.now(dt.UTC)
    days = [now - dt.timedelta(days=number) for number in (1, 20, 40)]
    for number, day in enumerate(days):
        account.storage.runs.start(f"old-{number}", {"targets": 1, "hosts": [HOST], "total": 1}, day)
        account.storage.runs.end(f"old-{number}", {"state": "COMPLETED", "endedAt": "x", "error": ""})
    assert names() == ["old-0", "old-1", "old-2"]
    assert names(limit="1") == ["old-0", "old-1", "old-2"]
    assert names(since=f"{days[1]:%Y-%m-%d}", until=f"{days[1]:%Y-%m-%d}") == ["old-1"]
    assert names(until=f"{days[1]:%Y-%m-%d}") == ["old-1", "old-2"]
    assert names(host=HOST, since=f"{days[1]:%Y-%m-%d}", limit="1") == ["old-0", "old-1"]


def test_status_selects_and_pages_have_each_run_once(account: SimpleNamespace) -> None:
    for number in range(7):
        account.storage.runs.start(f"run-{number}", {"total": 1})
        state = "COMPLETED" if number % 2 else "TIMEOUT"
        account.storage.runs.end(f"run-{number}", {"state": state, "endedAt": "x", "error": ""})
    assert sorted(names(limit="2")) == [f"run-{number}" for number in range(7)]
    assert sorted(names(status="COMPLETED", limit="2")) == ["run-1", "run-3", "run-5"]
    assert names(status="CANCELLED") == []


def test_runs_of_an_earlier_version_follow_without_the_new_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier version listed no run: Step Functions' own list has them, also in pages."""
    new = post(label="new")
    states = client("stepfunctions")
    current = [{k: e[k] for k in ("executionArn", "name", "status", "startDate")} for e in executions()]
    earlier = [
        {"executionArn": f"{EXECUTION}:e{n}", "name": f"e{n}", "status": "SUCCEEDED", "startDate": LONG_AGO - n * DAY,
         "stopDate": LONG_AGO}
        for n in range(5)
    ]  # fmt: skip
    monkeypatch.setattr(states, "list_executions", lambda **_: {"executions": current + earlier})
    monkeypatch.setattr(api.handler._executions(), "_client", states)
    for limit in ("1", "2", "100"):
        assert names(limit=limit) == [new, "e0", "e1", "e2", "e3", "e4"]
    assert runs()[1]["label"] is None
    assert runs()[1]["hosts"] == []
    assert names(status="COMPLETED", limit="2") == ["e0", "e1", "e2", "e3", "e4"]
    second = LONG_AGO - DAY
    assert names(since=second.isoformat(timespec="seconds").replace("+00:00", "Z")) == [new, "e0", "e1"]
    assert names(label="new") == [new]


def test_run_whose_start_failed_is_not_listed_and_the_next_attempt_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.runs.executions.Executions.start_once", lambda *_: 1 / 0)
        assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 500
    assert names() == []
    assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 200
    assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 200
    assert len(names()) == 1


def test_cancelled_run_has_a_status_of_its_own() -> None:
    run = post()
    assert call("DELETE", "/prewarm", query={"requestID": run})[0] == 200
    (listed,) = runs(status="CANCELLED")
    assert (listed["run"], listed["status"]) == (run, "CANCELLED")
    assert listed["endedAt"]
    assert names(status="FAILED") == []


def test_rejected_run_and_dry_run_end_in_the_list(machine: Machine) -> None:
    machine.resolve(GOOD | {"url_list": ["https://unknown.example.com/"]}, "rejected")
    machine.resolve({"url_list": "nothing"}, "invalid")
    machine.resolve(GOOD | {"dry_run": True}, "dry")
    listed = {each["run"]: each for each in runs()}
    assert {run: each["status"] for run, each in listed.items()} == {
        "rejected": "FAILED",
        "invalid": "FAILED",
        "dry": "COMPLETED",
    }
    assert [each["dryRun"] for each in listed.values()] == [run == "dry" for run in listed]


@pytest.mark.parametrize(
    ("status", "error", "shown"),
    [
        ("FAILED", "States.TaskFailed", "FAILED"),
        ("FAILED", REJECTED, "FAILED"),
        ("FAILED", "Prewarm.DeadlinePassed", "TIMEOUT"),
        ("TIMED_OUT", None, "TIMEOUT"),
        ("ABORTED", None, "CANCELLED"),
        ("SUCCEEDED", None, "COMPLETED"),
    ],
)
def test_every_end_is_recorded_also_one_that_no_state_saw(status: str, error: str | None, shown: str) -> None:
    run = post()
    aggregate.run_ended_handler.handler(event_of_end(run, status, error), Context())
    assert [(each["run"], each["status"]) for each in runs()] == [(run, shown)]


def test_redriven_run_is_in_progress_again_and_a_late_event_does_not_end_it(machine: Machine) -> None:
    run = post()
    machine.resolve({"requestKey": f"runs/{run}/request.json"}, run)
    aggregate.run_ended_handler.handler(event_of_end(run, "FAILED", "States.TaskFailed"), Context())
    assert runs()[0]["status"] == "FAILED"
    machine.storage.ledger.control_after(run, 1, 600)
    assert runs()[0]["status"] == "IN_PROGRESS"
    machine.storage.runs.end(run, {"state": "FAILED", "endedAt": "x", "error": ""}, 0)
    assert runs()[0]["status"] == "IN_PROGRESS"
    aggregate.run_ended_handler.handler(event_of_end(run, "SUCCEEDED", redrives=1), Context())
    assert runs()[0]["status"] == "COMPLETED"


def test_end_of_a_run_of_an_earlier_version_lists_nothing() -> None:
    aggregate.run_ended_handler.handler(event_of_end("unlisted", "SUCCEEDED"), Context())
    assert names() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/runs"), ("GET", "/urls"), ("GET", "/request"), ("GET", "/report"), ("GET", "/pops"),
        ("GET", "/openapi.json"), ("POST", "/prewarm"), ("POST", "/retry"), ("POST", "/uploads"),
        ("DELETE", "/prewarm"),
    ],
)  # fmt: skip
def test_unknown_query_parameter_is_refused(method: str, path: str) -> None:
    status, response = call(method, path, GOOD if path == "/prewarm" else None, query={"requestId": "x"})
    (problem,) = response["error"]["details"]
    assert (status, problem["field"]) == (400, "requestId")
    assert problem["message"].startswith("unknown query parameter")


def test_unknown_query_parameter_has_a_suggestion_and_status_accepts_it() -> None:
    problem = call("GET", "/runs", query={"labl": "x"})[1]["error"]["details"][0]
    assert problem["near"] == ["label"]
    assert call("GET", "/status", query={"requestID": post(), "utm": "x"})[0] == 200


@pytest.mark.parametrize("label", ["", " a", "a\nb", "a\u202eb", "x" * 201, 7])
def test_label_that_cannot_be_shown_is_refused(label: object) -> None:
    status, response = call("POST", "/prewarm", GOOD | {"label": label})
    assert (status, response["error"]["details"][0]["field"]) == (400, "label")


def test_request_is_readable_without_its_secrets() -> None:
    signed = f"{URL}?Signature=s3cr3t"
    headers = {"Cookie": "s3cr3t", "X-Session-Token": "s3cr3t", "Accept-Language": "en"}
    run = post(url_list=[URL, signed], headers=headers, label="x", staged=True)
    status, response = call("GET", "/request", query={"requestID": run})
    assert status == 200
    request = response["request"]
    assert request["url_list"] == [URL, f"{URL}?Signature=…"]
    assert request["headers"] == {"Cookie": "…", "X-Session-Token": "…", "Accept-Language": "en"}
    assert (request["label"], request["staged"], request["region"]) == ("x", True, [TOKYO])
    assert sorted(response["hidden"]) == ["headers.Cookie", "headers.X-Session-Token", "url_list[1]"]
    assert response["urls"] == 2
    page = call("GET", "/request", query={"requestID": run, "limit": "1"})[1]
    rest = call("GET", "/request", query={"requestID": run, "limit": "1", "nextToken": page["nextToken"]})[1]
    assert page["request"]["url_list"] + rest["request"]["url_list"] == request["url_list"]
    assert rest["hidden"][-1] == "url_list[1]"


def test_expired_request_is_not_found() -> None:
    run = post()
    client("s3").delete_object(Bucket=BUCKET, Key=f"runs/{run}/request.json")
    status, response = call("GET", "/request", query={"requestID": run})
    assert (status, response["error"]["code"]) == (404, "RunExpired")


def test_every_item_of_the_list_expires() -> None:
    post(label="x")
    items = client("dynamodb").scan(TableName=TABLE)["Items"]
    assert len(items) == 4
    assert all(int(item["ttl"]["N"]) > time.time() for item in items)


def test_domain_of_a_distribution_is_a_host_too(machine: Machine) -> None:
    machine.run(GOOD | {"url_list": [f"https://{DOMAIN}/0.txt"]}, "by-domain")
    assert names(host=DOMAIN) == ["by-domain"]


def test_page_of_a_run_is_at_the_address_at_which_its_start_was_asked_for(machine: Machine) -> None:
    runs = machine.storage.runs
    runs.start("by-api", {"startedBy": "key", "apiUrl": "https://warm.example.com/cdn"})
    runs.start("direct", {"startedBy": "direct"})
    assert runs.page_of("by-api") == "https://warm.example.com/cdn/#/run/by-api"
    assert (runs.page_of("direct"), runs.page_of("never-listed")) == ("", "")
