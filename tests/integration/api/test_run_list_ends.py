"""How runs end in the list of runs: each end is recorded once, by whichever function sees it."""

import time

import pytest

import aggregate.run_ended_handler
from prewarm.execution_status import REJECTED
from tests.support.handlers import (
    TABLE,
    Context,
    Machine,
    client,
)
from tests.support.rest import call
from tests.support.run_starts import GOOD, event_of_end, names, runs, started

pytestmark = pytest.mark.usefixtures("rest")


def test_run_whose_start_failed_is_not_listed_and_the_next_attempt_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.runs.executions.Executions.start_once", lambda *_: 1 / 0)
        assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 500
    assert names() == []
    assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 200
    assert call("POST", "/prewarm", GOOD, headers={"idempotency-key": "k"})[0] == 200
    assert len(names()) == 1


def test_cancelled_run_has_a_status_of_its_own() -> None:
    run = started()
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
    run = started()
    aggregate.run_ended_handler.handler(event_of_end(run, status, error), Context())
    assert [(each["run"], each["status"]) for each in runs()] == [(run, shown)]


def test_redriven_run_is_in_progress_again_and_a_late_event_does_not_end_it(machine: Machine) -> None:
    run = started()
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


def test_every_item_of_the_list_expires() -> None:
    started(label="x")
    items = client("dynamodb").scan(TableName=TABLE)["Items"]
    assert len(items) == 4
    assert all(int(item["ttl"]["N"]) > time.time() for item in items)
