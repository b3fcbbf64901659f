"""A redriven run: it resumes at the failed state, has a new deadline, and counts each target once.

moto has no redrive, so the tests call the states' functions with the RedriveCount that the state machine passes; the
contract tests check that it does.
"""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

import aggregate.handler
import aggregate.run_ended_handler
import resolve.handler
import warm.handler
from aggregate import finish_run, summary
from aggregate.notification import compose
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import BUCKET, SYDNEY, TOKYO, Context, Machine, Ran, client, document
from tests.support.rest import call, describe_executions_as
from tests.support.stored_runs import put_without_attempt
from warm.run_guard import RunNotActive

pytestmark = pytest.mark.usefixtures("small_batches")


def request_of(urls: list[str]) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": [SYDNEY[0], TOKYO], "verify": "none"}


def work(ran: Ran, item: dict[str, Any], redrives: int = 0, child_redrives: int = 0) -> dict[str, Any]:
    counts = {"redrives": redrives, "childRedrives": child_redrives}
    event = {"run": ran.name, "batch": item, "cursor": None} | counts
    progress: dict[str, Any] = warm.handler.handler(event, Context())
    return progress


def expire_deadline(ran: Ran) -> None:
    plan = document(ran.name, "plan/plan.json")
    late = plan | {"started_at": time.time() - 3600, "deadline": time.time() - 60}
    client("s3").put_object(Bucket=BUCKET, Key=f"runs/{ran.name}/plan/plan.json", Body=json.dumps(late))
    warm.handler._plan.cache_clear()


def ended(ran: Ran, status: str, redrives: int = 0) -> dict[str, Any]:
    arn = f"arn:aws:states:eu-central-1:1:execution:m:{ran.name}"
    return {"detail": {"executionArn": arn, "name": ran.name, "status": status, "redriveCount": redrives}}


def started(machine: Machine, urls: int = 250) -> tuple[Ran, list[dict[str, Any]]]:
    """Return a run of three batches, the first of them warm."""
    ran = machine.resolve(request_of(fresh(urls)))
    items = machine.items(ran)
    assert len(items) > 2
    assert work(ran, items[0])["finished"]
    return ran, items


@pytest.mark.parametrize("counts", [(1, 0), (0, 1)], ids=["a new child", "a redriven child"])
def test_redriven_run_has_a_new_deadline(machine: Machine, counts: tuple[int, int]) -> None:
    ran, items = started(machine)
    expire_deadline(ran)
    for item in items[1:]:
        work(ran, item, *counts)
    output = aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())
    assert (output["passed"], output["success"]) == (True, 250)
    assert document(ran.name, "summary.json")["outcomes"] == {"warmed": 500}


def test_without_a_redrive_the_deadline_is_unchanged(machine: Machine) -> None:
    ran, items = started(machine)
    expire_deadline(ran)
    for item in items[1:]:
        work(ran, item)
    assert aggregate.handler.handler({"run": ran.name}, Context())["error"] == "Prewarm.DeadlinePassed"


def test_deadline_is_renewed_once_per_redrive(machine: Machine) -> None:
    ran, items = started(machine)
    work(ran, items[1], 1)
    first = machine.storage.ledger.control(ran.name)
    machine.storage.ledger.reopen_run(ran.name, 5, 1)
    assert machine.storage.ledger.control(ran.name) == first
    machine.storage.ledger.reopen_run(ran.name, 5, 2)
    assert machine.storage.ledger.control(ran.name).deadline == 5


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_redrive_after_the_summary_counts_each_target_once(machine: Machine, status: str) -> None:
    """Its closed batches accept workers of the redrive and refuse earlier ones."""
    ran, items = started(machine)
    aggregate.run_ended_handler.handler(ended(ran, status), Context())
    assert document(ran.name, "summary.json")["executionStatus"] == status
    with pytest.raises(RunNotActive):
        work(ran, items[1])
    for item in items[1:]:
        work(ran, item, 1)
    output = aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())
    summary = document(ran.name, "summary.json")
    assert (output["passed"], summary["executionStatus"]) == (True, "SUCCEEDED")
    assert (summary["targets"], summary["targetsDone"], summary["outcomes"]) == (500, 500, {"warmed": 500})


def test_late_event_of_an_earlier_attempt_does_not_end_the_run(machine: Machine) -> None:
    ran, items = started(machine)
    work(ran, items[1], 1)
    aggregate.run_ended_handler.handler(ended(ran, "TIMED_OUT"), Context())
    assert not machine.storage.ledger.control(ran.name).ended
    aggregate.run_ended_handler.handler(ended(ran, "TIMED_OUT", 1), Context())
    assert machine.storage.ledger.control(ran.name).ended


def test_batch_of_an_earlier_version_restarted_by_a_redrive_replaces_its_result(machine: Machine) -> None:
    """Without attempts, the first start has a later part than the second one."""
    ran, items = started(machine)
    (whole,) = machine.storage.ledger.results(ran.name)
    for part, finished in ((0, False), (1, True)):
        put_without_attempt(ran.name, replace(whole, part=part, finished=finished))
    assert [result.part for result in machine.storage.ledger.results(ran.name)] == [0, 1]
    work(ran, items[0], 1)
    assert [result.part for result in machine.storage.ledger.results(ran.name)] == [0]


def test_finished_batch_delivered_again_by_a_redrive_is_not_fetched_again(machine: Machine) -> None:
    ran, items = started(machine)
    (whole,) = machine.storage.ledger.results(ran.name)
    assert work(ran, items[0], 1) == {"finished": True, "cursor": None}
    assert machine.storage.ledger.results(ran.name) == [whole]


def test_redrive_of_the_first_state_resets_the_deadline(machine: Machine) -> None:

    request = request_of(fresh(2))
    resolve.handler.handler({"run": "restarted", "input": request}, Context())
    machine.storage.ledger.end_run("restarted")
    resolve.handler.handler({"run": "restarted", "input": request, "redrives": 1}, Context())
    control = machine.storage.ledger.control("restarted")
    assert (control.ended, control.redrives) == (False, 1)


def test_worker_of_an_ended_run_fails_so_that_a_redrive_repeats_the_batch(
    machine: Machine,
) -> None:
    ran, items = started(machine)
    machine.storage.ledger.end_run(ran.name)
    with pytest.raises(RunNotActive):
        work(ran, items[1])
    assert work(ran, items[1], child_redrives=1)["finished"]


def test_child_pending_since_an_earlier_redrive_still_runs(machine: Machine) -> None:
    ran, items = started(machine)
    work(ran, items[1], redrives=0, child_redrives=2)
    assert work(ran, items[2], redrives=0, child_redrives=1)["finished"]
    with pytest.raises(RunNotActive):
        work(ran, items[0])


def test_redrive_retries_overloaded_hosts(machine: Machine) -> None:
    ran, items = started(machine)
    machine.storage.ledger.add_open_host(ran.name, HOST)
    for item in items[1:]:
        work(ran, item, 1)
    assert aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())["passed"]
    assert machine.storage.ledger.control(ran.name).open_hosts == frozenset()


def test_redrive_of_the_last_state_has_a_new_deadline_and_ignores_late_events(machine: Machine) -> None:
    ran, items = started(machine)
    for item in items[1:-1]:
        work(ran, item)
    expire_deadline(ran)
    output = aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())
    assert output["error"] == "Prewarm.NotWarm", "lost, not late: the redrive renewed the deadline"
    aggregate.run_ended_handler.handler(ended(ran, "ABORTED"), Context())
    assert document(ran.name, "summary.json")["executionStatus"] == "FAILED"


def test_run_redriven_during_the_end_event_continues(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event of the first end is late; a worker of the redrive writes between its read and its write."""
    ran, items = started(machine)
    ledger = machine.storage.ledger
    read_control = type(ledger).control

    def read_and_be_overtaken(self: Any, run: str) -> Any:
        seen = read_control(self, run)
        monkeypatch.setattr(type(ledger), "control", read_control)
        self.reopen_run(run, time.time() + 600, 1)
        return seen

    monkeypatch.setattr(type(ledger), "control", read_and_be_overtaken)
    aggregate.run_ended_handler.handler(ended(ran, "TIMED_OUT"), Context())
    assert not ledger.control(ran.name).ended
    for item in items[1:]:
        work(ran, item, 1)
    assert aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())["passed"]


def test_run_stopped_during_the_roll_up_stays_stopped_and_is_counted_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran, items = started(machine)
    for item in items[1:]:
        work(ran, item)
    summarise = summary.summarise

    def stopped_meanwhile(*arguments: Any) -> dict[str, Any]:
        monkeypatch.setattr(finish_run, "summarise", summarise)
        aggregate.run_ended_handler.handler(ended(ran, "ABORTED"), Context())
        return summarise(*arguments)

    monkeypatch.setattr(finish_run, "summarise", stopped_meanwhile)
    capsys.readouterr()
    aggregate.handler.handler({"run": ran.name}, Context())
    assert document(ran.name, "summary.json")["executionStatus"] == "ABORTED"
    assert capsys.readouterr().out.count('"RunsNotWarm":[') == 1


def test_repeated_aggregation_emits_metrics_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    ran, items = started(machine)
    for item in items[1:]:
        work(ran, item)
    capsys.readouterr()
    for _ in range(2):
        aggregate.handler.handler({"run": ran.name}, Context())
    assert capsys.readouterr().out.count('"RunsNotWarm":[') == 1


def test_summary_written_before_a_redrive_is_ignored(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is aborted, summarized, redriven to the last batch, then fails on infrastructure."""
    ran, items = started(machine)
    aggregate.run_ended_handler.handler(ended(ran, "ABORTED"), Context())
    for item in items[1:]:
        work(ran, item, 1)
    describe_executions_as(monkeypatch, status="FAILED", error="Lambda.Unknown", redriveCount=1)
    status = call("GET", "/status", query={"requestID": ran.name})[1]
    assert (len(status["successUrl"]), status["failedUrl"]) == (250, [])
    assert call("GET", "/report", query={"requestID": ran.name})[0] == 404
    assert call("POST", "/retry", query={"requestID": ran.name})[1]["error"]["code"] == "NothingToRetry"
    notification = compose(ended(ran, "FAILED", 1)["detail"], None, "", planned=True)
    assert "it failed before its results were summarized" in notification.subject


@pytest.mark.parametrize("error", ["Prewarm.NotWarm", "Prewarm.DeadlinePassed"])
def test_redrive_that_reenters_the_fail_state_keeps_summary_and_report(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """A redrive of a run that is only not warm repeats nothing and must lose nothing."""
    ran, items = started(machine)
    for item in items[1:-1]:
        work(ran, item)
    aggregate.handler.handler({"run": ran.name}, Context())
    describe_executions_as(monkeypatch, status="FAILED", error=error, redriveCount=1)
    assert "cost" in call("GET", "/status", query={"requestID": ran.name})[1]
    assert call("GET", "/report", query={"requestID": ran.name})[0] == 200
    subjects: list[str] = []
    monkeypatch.setenv("PREWARM_NOTIFICATION_TOPIC", "arn:aws:sns:eu-central-1:123456789012:t")
    monkeypatch.setattr(
        aggregate.run_ended_handler, "publish", lambda _topic, notification: subjects.append(notification.subject)
    )
    event = ended(ran, "FAILED", 1)
    aggregate.run_ended_handler.handler({"detail": event["detail"] | {"error": error}}, Context())
    assert ["URLs are warm" in subject for subject in subjects] == [True]


def test_summary_without_redrives_is_current(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, items = started(machine)
    for item in items[1:]:
        work(ran, item)
    aggregate.handler.handler({"run": ran.name}, Context())
    old = {name: value for name, value in document(ran.name, "summary.json").items() if name != "redrives"}
    client("s3").put_object(Bucket=BUCKET, Key=f"runs/{ran.name}/summary.json", Body=json.dumps(old))
    describe_executions_as(monkeypatch, status="SUCCEEDED")
    assert call("GET", "/status", query={"requestID": ran.name})[1]["completed"] == 250
