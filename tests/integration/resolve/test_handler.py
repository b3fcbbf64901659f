"""The handler of ResolveTargets: a dry run invoked by an execution, and one invoked directly by the API."""

from typing import Any

import pytest

import resolve.handler
import resolve.plan_store
from prewarm.storage.ledger import Ledger
from tests.support.edge_urls import fresh
from tests.support.handlers import SYDNEY, TOKYO, Context, Machine, document, keys


def dry_run(machine: Machine, run: str, **event: Any) -> dict[str, Any]:
    request = {"url_list": fresh(2), "region_type": "pop", "region": SYDNEY, "dry_run": True, "invalidate": True}
    key = machine.storage.put_request(run, request)
    response = resolve.handler.handler({"run": run, "input": {"requestKey": key}} | event, Context())
    assert set(response) == {"dryRun"}, response
    figures: dict[str, Any] = response["dryRun"]
    return figures


def test_dry_run_of_an_execution_stores_the_document_and_returns_its_figures(machine: Machine) -> None:
    figures = dry_run(machine, "execution")
    stored = document("execution", "dry_run.json")
    assert figures == {name: stored[name] for name in ("urls", "targets", "batches", "stages", "fetches")}
    assert keys("runs/execution/") == ["runs/execution/dry_run.json", "runs/execution/request.json"]


def test_direct_dry_run_returns_the_document_and_stores_nothing(machine: Machine) -> None:
    returned = dry_run(machine, "direct", direct=True)
    assert keys("runs/direct/") == ["runs/direct/request.json"]
    dry_run(machine, "execution")
    assert set(returned) == set(document("execution", "dry_run.json"))
    assert (returned["urls"], returned["targets"]) == (2, 2 * len(SYDNEY))
    assert returned["invalidation"] == {
        "paths": 2, "rounds": 1, "dollars": 0.01, "minutes": 1, "patterns": []
    }  # fmt: skip
    assert returned["cost"]["dollars"] > 0


def test_direct_dry_run_of_an_invalid_request_returns_the_rejection(machine: Machine) -> None:
    event = {"run": "direct", "input": {"url_list": []}, "direct": True}
    response = resolve.handler.handler(event, Context())
    assert response["rejection"]["error"] == "Prewarm.InvalidRequest"
    assert response["rejection"]["details"]


def request_of(*pops: str) -> dict[str, Any]:
    return {"url_list": fresh(3), "region_type": "pop", "region": list(pops), "verify": "none"}


def test_second_delivery_returns_the_first_plan_and_replaces_nothing(machine: Machine) -> None:
    """The plans of two deliveries may differ: here the second one has another POP."""
    first = machine.resolve(request_of(*SYDNEY), "planned-twice")
    plan = document("planned-twice", "plan/plan.json")
    urls = document("planned-twice", "plan/urls.json.gz")
    second = machine.resolve(request_of(TOKYO), "planned-twice")
    assert second.resolved == first.resolved
    assert document("planned-twice", "plan/plan.json") == plan
    assert document("planned-twice", "plan/urls.json.gz") == urls
    for item in machine.items(second):
        machine.warm(second, item)
    assert machine.aggregate(second)["passed"]


def test_worker_killed_before_its_plan_was_stored_is_repeated_with_a_new_plan(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(machine.storage, "_put_once", die)
        with pytest.raises(Killed):
            machine.resolve(request_of(*SYDNEY), "planned-again")
    ran = machine.resolve(request_of(TOKYO), "planned-again")
    assert document("planned-again", "plan/plan.json")["groups"][0]["pops"] == [TOKYO]
    for item in machine.items(ran):
        machine.warm(ran, item)
    assert machine.aggregate(ran)["passed"]


def test_run_that_was_cancelled_while_it_was_planned_gets_no_plan(machine: Machine) -> None:
    machine.storage.ledger.end_run("cancelled-early")
    with pytest.raises(resolve.plan_store.RunEnded):
        machine.resolve(request_of(*SYDNEY), "cancelled-early")
    assert machine.storage.get_plan("cancelled-early") is None
    # A redrive of ResolveTargets opens the run again.
    event = {"run": "cancelled-early", "input": request_of(*SYDNEY), "redrives": 1}
    assert resolve.handler.handler(event, Context())["batches"] == 1
    assert not machine.storage.ledger.control("cancelled-early").ended


def test_run_that_was_cancelled_while_its_plan_was_stored_keeps_no_plan(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Ledger.open_run

    def open_and_cancel(ledger: Ledger, run: str, *given: Any) -> bool:
        is_open = opened(ledger, run, *given)
        ledger.end_run(run)
        return is_open

    monkeypatch.setattr(Ledger, "open_run", open_and_cancel)
    with pytest.raises(resolve.plan_store.RunEnded):
        machine.resolve(request_of(*SYDNEY), "cancelled-late")
    assert machine.storage.get_plan("cancelled-late") is None
