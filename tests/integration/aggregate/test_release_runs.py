"""Runs that releases stored: today's code reads them by every route, and today's version stores them as it did."""

import json
import os
from typing import Any

import pytest

import aggregate.handler
import api.handler
import warm.handler
from prewarm import __version__
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support import release_run
from tests.support.handlers import MACHINE, Context, Machine, document
from tests.support.release_run import BLOCKED, NAME, REQUEST, form, load, play, restore, save
from tests.support.rest import STARTED, call, describe_executions_as, make_state_machine

RELEASES = sorted(folder.name for folder in release_run.RUNS.iterdir() if folder.name[0].isdigit())
pytestmark = pytest.mark.usefixtures("machine")
every_release = pytest.mark.parametrize("version", RELEASES)


@pytest.fixture
def execution_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    describe_executions_as(monkeypatch, status="FAILED", error="Prewarm.NotWarm", redriveCount=1)


def stored_json(version: str, name: str, state: str = "ended") -> Any:
    return json.loads(load(version, state)["objects"][name]["text"])


def test_this_version_stores_runs_in_the_form_of_its_release(machine: Machine, edge: SimulatedCloudFront) -> None:
    """A change of what is stored needs a new version, so that the notes of the release can say it."""
    states = play(machine, edge)
    if version := os.environ.get("PREWARM_STORE_RELEASE"):
        save(version, states)
    for state in release_run.STATES:
        assert form(json.loads(json.dumps(states[state]))) == form(load(__version__, state)), state


@every_release
@pytest.mark.parametrize("state", ["running", "ended"])
def test_status_counts_every_url_of_a_stored_run(version: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(version, state)
    error = {} if state == "running" else {"error": "Prewarm.NotWarm"}
    describe_executions_as(monkeypatch, status="RUNNING" if state == "running" else "FAILED", redriveCount=1, **error)
    code, status = call("GET", "/status", query={"requestID": NAME})
    assert (code, status["total"]) == (200, len(REQUEST["url_list"]))
    found = status["failedUrl"] + status["successUrl"] + status["inProgressUrl"]
    assert sorted(found) == sorted(stored_json(version, "plan/urls.json.gz"))
    assert BLOCKED in status["failedUrl"]
    if state == "ended":
        summary = stored_json(version, "summary.json")
        assert (len(status["successUrl"]), len(status["failedUrl"])) == (
            summary["success"],
            summary["failed"],
        )


@every_release
def test_stored_run_is_summarized_as_the_release_did(version: str) -> None:
    expected = restore(version, "running") and load(version, "ended")["output"]
    output = aggregate.handler.handler({"run": NAME, "redrives": 1}, Context())
    changing = {"cause", "endedAt"}
    assert {name: output[name] for name in expected if name not in changing} == {
        name: value for name, value in expected.items() if name not in changing
    }
    before, now = stored_json(version, "summary.json"), document(NAME, "summary.json")
    counts = {name: value for name, value in before.items() if isinstance(value, int) and not isinstance(value, bool)}
    assert {name: now[name] for name in counts} == counts


@every_release
def test_worker_continues_a_batch_from_the_stored_cursor(version: str, machine: Machine) -> None:
    """The stack is updated between two parts of a batch."""
    stored = restore(version, "aborted")
    (first,) = stored["calls"]
    cursor = first["response"]["cursor"]
    machine.storage.ledger.reopen_run(NAME, 2e9, 1)
    event = first["event"] | {"cursor": cursor, "redrives": 1}
    assert warm.handler.handler(json.loads(json.dumps(event)), Context()) == {"finished": True, "cursor": None}
    parts = [part for part in machine.storage.ledger.results(NAME) if part.batch == first["event"]["batch"]["id"]]
    assert sum(part.done for part in parts) == first["event"]["batch"]["targets"]
    assert parts[0].done > 0


@every_release
@pytest.mark.usefixtures("execution_failed")
@pytest.mark.parametrize("form_of_report", ["html", "csv", "json"])
def test_report_of_a_stored_run_is_served(version: str, form_of_report: str) -> None:
    restore(version, "ended")
    code, answer = call("GET", "/report", query={"requestID": NAME, "format": form_of_report})
    assert (code, answer["format"]) == (200, form_of_report)


@every_release
@pytest.mark.usefixtures("execution_failed")
def test_failed_urls_of_a_stored_run_are_retried_with_its_selection(version: str) -> None:
    restore(version, "ended")
    make_state_machine()
    code, started = call("POST", "/retry", query={"requestID": NAME})
    assert code == 200, started
    code, again = call("GET", "/request", query={"requestID": started["requestID"]})
    assert code == 200
    assert again["request"]["region"] == REQUEST["region"]
    assert BLOCKED in again["request"]["url_list"]
    assert len(again["request"]["url_list"]) == stored_json(version, "summary.json")["failed"]


@every_release
def test_cancel_of_a_stored_run_ends_it(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(version, "running")
    describe_executions_as(monkeypatch, status="RUNNING", redriveCount=1)
    monkeypatch.setattr(api.handler._executions()._client, "stop_execution", lambda **_: {"stopDate": STARTED})
    code, status = call("DELETE", "/prewarm", query={"requestID": NAME})
    assert (code, status["total"]) == (200, len(REQUEST["url_list"]))


@every_release
def test_list_shows_a_stored_run_with_its_hosts(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(version, "ended")
    arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{NAME}"
    entry = {"executionArn": arn, "name": NAME, "status": "FAILED", "startDate": STARTED, "stopDate": STARTED}
    monkeypatch.setattr(api.handler._executions()._client, "list_executions", lambda **_: {"executions": [entry]})
    code, listed = call("GET", "/runs")
    assert code == 200
    (run,) = [run for run in listed["runs"] if run["run"] == NAME]
    assert run["label"] == "release"
    assert set(run["hosts"]) == {"www.example.com", "img.example.org"}
