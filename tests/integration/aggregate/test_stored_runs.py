"""A run stored by a checkout before 0.1.0, read by today's roll-up and by every route that concerns a run."""

import json
from typing import Any

import pytest

import aggregate.handler
import api.handler
import warm.handler
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from tests.support.handlers import DOMAIN, MACHINE, Context, Machine, document
from tests.support.rest import STARTED, call, describe_executions_as, make_state_machine
from tests.support.stored_runs import restore_run, stored_document

VERSION = "checkout"
# What a status has since then. Further fields are additions to the contract.
pytestmark = pytest.mark.usefixtures("machine")


TEXTS: dict[str, str] = {}


def as_before(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that `before` has, nested ones too, and no texts (outcomes, remedy), which may change."""
    fields = {name: like(now[name], value) for name, value in before.items() if name in now}
    return fields | dict.fromkeys(fields.keys() & {"words", "how"}, TEXTS)


def like(now: Any, before: Any) -> Any:
    """Return a value with the fields that `before` has, also of the entries of a list."""
    if isinstance(before, dict):
        return as_before(now, before)
    if isinstance(before, list) and len(now) == len(before):
        return [like(*entries) for entries in zip(now, before, strict=True)]
    return now


def status_of(run: str) -> dict[str, Any]:
    code, status = call("GET", "/status", query={"requestID": run})
    assert code == 200
    return {name: value for name, value in status.items() if not name.startswith(("started", "ended"))}


@pytest.mark.parametrize("state", ["running", "ended"])
def test_status_of_a_stored_run_is_unchanged(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    run = restore_run(VERSION, state)
    error = {} if state == "running" else {"error": "Prewarm.NotWarm"}
    describe_executions_as(monkeypatch, status="RUNNING" if state == "running" else "FAILED", redriveCount=1, **error)
    before = stored_document(VERSION, f"{state}/status.json")
    status = status_of(run)
    expected = {name: value for name, value in before.items() if not name.startswith(("started", "ended", "pops"))}
    assert as_before(status, expected) == as_before(expected, expected)


@pytest.mark.parametrize("state", ["aborted", "running"])
def test_stored_ledger_rolls_up_as_before(machine: Machine, state: str) -> None:
    run = restore_run(VERSION, state)
    plan, results = machine.storage.need_plan(run), machine.storage.ledger.results(run)
    parts = [(result.batch, result.part) for result in results]
    stage_1 = [("1-000000", 0), ("1-000000", 1), ("1-000001", 0)]
    assert parts == (stage_1 if state == "aborted" else [*stage_1, ("2-000000", 0)])
    rolled = roll_up(plan, results, Outcome.CANCELLED if state == "aborted" else None)
    if state == "aborted":
        summary = stored_document(VERSION, "aborted/summary.json")
        assert dict(sorted(rolled.outcomes.items())) == summary["outcomes"]
        assert rolled.targets_done == summary["targetsDone"]
        assert len(rolled.indices(Verdict.FAILED)) == summary["failed"]
    else:
        status = stored_document(VERSION, "running/status.json")
        assert rolled.targets_done == status["targets"]["done"]
        assert len(rolled.indices(Verdict.SUCCESS)) == len(status["successUrl"])


def test_stored_run_is_summarized_as_before() -> None:
    run = restore_run(VERSION, "running")
    output = aggregate.handler.handler({"run": run, "redrives": 1}, Context())
    # The texts of outcomes may change from version to version, and so the cause that quotes them.
    assert output | {"cause": ""} == stored_document(VERSION, "ended/output.json") | {"cause": ""}
    assert output["cause"].startswith("8 of 12 URLs are warm, 4 failed.")
    before, now = stored_document(VERSION, "ended/report.json"), document(run, "report.json")
    changing = {"endedAt", "cost", "cause"}
    expected = {name: value for name, value in before.items() if name not in changing}
    assert as_before(now, expected) == as_before(expected, expected)


def test_report_of_a_stored_run_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    run = restore_run(VERSION, "ended")
    describe_executions_as(monkeypatch, status="FAILED", error="Prewarm.NotWarm", redriveCount=1)
    code, answer = call("GET", "/report", query={"requestID": run, "format": "json"})
    assert (code, answer["format"]) == (200, "json")


def test_worker_continues_the_cursor_of_an_earlier_version(machine: Machine) -> None:
    """The stack is updated between two parts of a batch."""
    run = restore_run(VERSION, "aborted")
    machine.storage.ledger.reopen_run(run, 2e9, 1)
    first, second = stored_document(VERSION, "invocations.json")[:2]
    (last,) = [r for r in machine.storage.ledger.results(run) if (r.batch, r.part) == ("1-000000", 1)]
    event = json.loads(json.dumps(second["event"])) | {"redrives": 1}
    assert event["cursor"] == first["answer"]["cursor"]
    assert warm.handler.handler(event, Context()) == {"finished": True, "cursor": None}
    parts = [r for r in machine.storage.ledger.results(run) if r.batch == "1-000000"]
    assert [(part.part, bool(part.attempt)) for part in parts] == [(0, False), (1, True)]
    assert parts[1].done == last.done
    assert machine.storage.need_plan(run).groups[0].domain == DOMAIN


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> str:
    """Restore the stored run as it ended; Step Functions still has its execution."""
    run = restore_run(VERSION, "ended")
    describe_executions_as(monkeypatch, status="FAILED", error="Prewarm.NotWarm", redriveCount=1)
    return run


def test_pages_of_a_stored_run_have_all_its_urls(ended: str) -> None:
    query, found = {"requestID": ended, "limit": "5", "include": "pops"}, list[str]()
    for _ in range(4):
        code, page = call("GET", "/status", query=query)
        assert code == 200
        found += page["failedUrl"] + page["successUrl"] + page["inProgressUrl"]
        if "nextToken" not in page:
            break
        query["nextToken"] = page["nextToken"]
    assert sorted(found) == sorted(stored_document(VERSION, "documents/plan/urls.json"))


@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_report_of_a_stored_run_has_an_answer_in_every_format(ended: str, form: str) -> None:
    """That version stored its report as JSON only: another format is a link, or an error that names what exists."""
    code, answer = call("GET", "/report", query={"requestID": ended, "format": form})
    if form == "json":
        assert (code, answer["format"]) == (200, form)
    else:
        assert (code, answer["error"]["code"]) == (404, "ReportNotFound")


def test_request_of_a_stored_run_is_returned(ended: str) -> None:
    code, answer = call("GET", "/request", query={"requestID": ended})
    assert code == 200
    stored = stored_document(VERSION, "documents/request.json")
    assert {name: answer["request"][name] for name in ("url_list", "region_type", "region")} == {
        name: stored[name] for name in ("url_list", "region_type", "region")
    }


def test_failed_urls_of_a_stored_run_are_retried_with_its_selection(ended: str) -> None:
    make_state_machine()
    code, answer = call("POST", "/retry", query={"requestID": ended})
    assert (code, answer["urls"]) == (200, 4), answer
    code, again = call("GET", "/request", query={"requestID": answer["requestID"]})
    assert code == 200
    before = stored_document(VERSION, "documents/request.json")
    failed = stored_document(VERSION, "ended/status.json")["failedUrl"]
    assert again["request"]["url_list"] == failed
    assert [again["request"][name] for name in ("region", "staged", "max_concurrency")] == [
        before[name] for name in ("region", "staged", "max_concurrency")
    ]


def test_list_and_history_have_a_stored_run_without_an_entry(ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That version wrote no list of runs: Step Functions' executions follow, and no URL's history names them."""
    arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{ended}"
    entry = {"executionArn": arn, "name": ended, "status": "FAILED", "startDate": STARTED, "stopDate": STARTED}
    states = api.handler._executions()._client
    monkeypatch.setattr(states, "list_executions", lambda **_: {"executions": [entry]})
    code, listed = call("GET", "/runs")
    assert code == 200
    assert [run["run"] for run in listed["runs"] if run["run"] == ended] == [ended]
    url = stored_document(VERSION, "documents/plan/urls.json")[0]
    code, history = call("GET", "/urls", query={"url": url})
    assert (code, history["last"]) == (200, None)


def test_cancel_of_a_stored_run_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = restore_run(VERSION, "running")
    describe_executions_as(monkeypatch, status="RUNNING", redriveCount=1)
    monkeypatch.setattr(api.handler._executions()._client, "stop_execution", lambda **_: {"stopDate": STARTED})
    code, status = call("DELETE", "/prewarm", query={"requestID": run})
    assert (code, status["total"]) == (200, 12)
    describe_executions_as(monkeypatch, status="ABORTED", redriveCount=1)
    ended = status_of(run)
    assert (ended["inProgress"], ended["reason"]) == (0, "cancelled")


def test_stored_request_and_plan_are_read_as_they_are(machine: Machine) -> None:
    run = restore_run(VERSION, "running")
    assert machine.storage.get_request(run) == stored_document(VERSION, "documents/request.json")
    assert machine.storage.need_plan(run).url_count == 12
