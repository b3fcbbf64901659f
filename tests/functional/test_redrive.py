"""A redriven run: it goes on where it broke, has a fresh deadline, and counts nothing twice.

moto has no redrive, so the states are carried out by hand, with what the state machine passes of the context object's
RedriveCount; that it passes it is held by the contract tests.
"""

import json
import time
from typing import Any

import pytest

import aggregate.ended
import aggregate.handler
import resolve.handler
import warm.handler
from tests.functional.conftest import BUCKET, SYDNEY, TOKYO, Context, Machine, Ran, client, document, fresh

pytestmark = pytest.mark.usefixtures("small_batches")


def given(urls: list[str]) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": [SYDNEY[0], TOKYO], "verify": "none"}


def turn(ran: Ran, item: dict[str, Any], redrives: int = 0, child_redrives: int = 0) -> dict[str, Any]:
    counts = {"redrives": redrives, "childRedrives": child_redrives}
    event = {"run": ran.name, "batch": item, "cursor": None} | counts
    progress: dict[str, Any] = warm.handler.handler(event, Context())
    return progress


def let_the_deadline_pass(ran: Ran) -> None:
    plan = document(ran.name, "plan/plan.json")
    late = plan | {"started_at": time.time() - 3600, "deadline": time.time() - 60}
    client("s3").put_object(Bucket=BUCKET, Key=f"runs/{ran.name}/plan/plan.json", Body=json.dumps(late))
    warm.handler._plan.cache_clear()


def ended(ran: Ran, status: str, redrives: int = 0) -> dict[str, Any]:
    arn = f"arn:aws:states:eu-central-1:1:execution:m:{ran.name}"
    return {"detail": {"executionArn": arn, "name": ran.name, "status": status, "redriveCount": redrives}}


def started(machine: Machine, urls: int = 250) -> tuple[Ran, list[dict[str, Any]]]:
    """A run of three batches, of which the first is warm."""
    ran = machine.resolve(given(fresh(urls)))
    items = machine.items(ran)
    assert len(items) > 2
    assert turn(ran, items[0])["finished"]
    return ran, items


@pytest.mark.parametrize("counts", [(1, 0), (0, 1)], ids=["a child that starts anew", "a child that is redriven"])
def test_a_redriven_run_has_a_fresh_deadline(machine: Machine, counts: tuple[int, int]) -> None:
    ran, items = started(machine)
    let_the_deadline_pass(ran)
    for item in items[1:]:
        turn(ran, item, *counts)
    output = aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())
    assert (output["passed"], output["success"]) == (True, 250)
    assert document(ran.name, "summary.json")["outcomes"] == {"warmed": 500}


def test_without_a_redrive_the_deadline_stands(machine: Machine) -> None:
    ran, items = started(machine)
    let_the_deadline_pass(ran)
    for item in items[1:]:
        turn(ran, item)
    assert aggregate.handler.handler({"run": ran.name}, Context())["error"] == "Prewarm.DeadlinePassed"


def test_the_fresh_deadline_is_given_once_per_redrive(machine: Machine) -> None:
    ran, items = started(machine)
    turn(ran, items[1], 1)
    first = machine.storage.ledger.control(ran.name)
    machine.storage.ledger.renew(ran.name, 5, 1)
    assert machine.storage.ledger.control(ran.name) == first
    machine.storage.ledger.renew(ran.name, 5, 2)
    assert machine.storage.ledger.control(ran.name).deadline == 5


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_a_run_that_was_summed_up_is_redriven_and_counts_each_target_once(machine: Machine, status: str) -> None:
    """Its batches were closed to late workers: those of the redrive are let in, those of before are not."""
    ran, items = started(machine)
    aggregate.ended.handler(ended(ran, status), Context())
    assert document(ran.name, "summary.json")["executionStatus"] == status
    assert turn(ran, items[1]) == {"finished": True, "cursor": None}, "the run has ended for workers of before"
    for item in items[1:]:
        turn(ran, item, 1)
    output = aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())
    summary = document(ran.name, "summary.json")
    assert (output["passed"], summary["executionStatus"]) == (True, "SUCCEEDED")
    assert (summary["targets"], summary["targetsDone"], summary["outcomes"]) == (500, 500, {"warmed": 500})


def test_the_event_of_an_end_before_the_redrive_comes_too_late_to_end_it(machine: Machine) -> None:
    ran, items = started(machine)
    turn(ran, items[1], 1)
    aggregate.ended.handler(ended(ran, "TIMED_OUT"), Context())
    assert not machine.storage.ledger.control(ran.name).ended
    aggregate.ended.handler(ended(ran, "TIMED_OUT", 1), Context())
    assert machine.storage.ledger.control(ran.name).ended


def test_a_batch_that_a_redrive_begins_anew_is_not_added_to_what_it_was(machine: Machine) -> None:
    """A part of the first attempt stands behind the whole of the second."""
    ran, items = started(machine)
    (whole,) = machine.storage.ledger.results(ran.name)
    later = type(whole)(**{name: getattr(whole, name) for name in whole.__dataclass_fields__} | {"part": 1})
    machine.storage.ledger.put_result(ran.name, later)
    assert len(machine.storage.ledger.results(ran.name)) == 2
    turn(ran, items[0], 1)
    assert [result.part for result in machine.storage.ledger.results(ran.name)] == [0]


def test_a_redrive_of_the_first_state_begins_the_runs_time_anew(machine: Machine) -> None:

    request = given(fresh(2))
    resolve.handler.handler({"run": "anew", "input": request}, Context())
    machine.storage.ledger.end_run("anew")
    resolve.handler.handler({"run": "anew", "input": request, "redrives": 1}, Context())
    control = machine.storage.ledger.control("anew")
    assert (control.ended, control.redrives) == (False, 1)
