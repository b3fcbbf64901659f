"""The handler of ResolveTargets: a dry run invoked by an execution, and one invoked directly by the API."""

from typing import Any

import resolve.handler
from tests.support.edge_urls import fresh
from tests.support.handlers import SYDNEY, Context, Machine, document, keys


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
