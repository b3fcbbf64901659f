"""The end of a run that was stopped or timed out: its summary, and what is written later."""

from typing import Any

import pytest

import aggregate.handler
import aggregate.run_ended_handler
from prewarm.storage.ledger import Ledger
from tests.support.edge_urls import fresh
from tests.support.handlers import SYDNEY, TOKYO, Context, Machine, document, keys


def request(urls: list[str]) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": [SYDNEY[0], TOKYO], "verify": "none"}


def change(run: str, status: str) -> dict[str, Any]:
    """Return EventBridge's event, as in the Step Functions Developer Guide ("Events from Step Functions")."""
    return {
        "version": "0",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"executionArn": f"arn:aws:states:x:1:execution:m:{run}", "name": run, "status": status},
    }


@pytest.mark.parametrize(("status", "reason"), [("TIMED_OUT", "deadline"), ("ABORTED", "cancelled")])
@pytest.mark.usefixtures("small_batches")
def test_stopped_run_has_a_summary_and_refuses_late_results(machine: Machine, status: str, reason: str) -> None:
    ran = machine.resolve(request(fresh(250)))
    first, *others = machine.items(ran)
    machine.warm(ran, first)
    aggregate.run_ended_handler.handler(change(ran.name, status), Context())
    summary = document(ran.name, "summary.json")
    assert summary["unfinishedAs"] == reason
    assert summary["success"] == first["url_to"] - first["url_from"]
    assert summary["outcomes"][reason] == sum(item["targets"] for item in others)
    assert machine.storage.ledger.control(ran.name).ended
    aggregate.run_ended_handler.handler(change(ran.name, status), Context())
    assert document(ran.name, "summary.json")["outcomes"] == summary["outcomes"]


def test_run_whose_plan_is_stored_while_its_end_is_marked_has_a_summary(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_run = Ledger.end_run

    def plan_and_end(ledger: Ledger, run: str, *given: Any) -> bool:
        if machine.storage.get_plan(run) is None:
            machine.resolve(request(fresh(2)), run)
        return end_run(ledger, run, *given)

    monkeypatch.setattr(Ledger, "end_run", plan_and_end)
    aggregate.run_ended_handler.handler(change("planned-late", "ABORTED"), Context())
    assert document("planned-late", "summary.json")["outcomes"] == {"cancelled": 4}


@pytest.mark.usefixtures("machine")
def test_run_stopped_before_its_plan_writes_nothing() -> None:
    aggregate.run_ended_handler.handler(change("never-planned", "ABORTED"), Context())
    assert keys("runs/never-planned/") == []
    with pytest.raises(FileNotFoundError):
        aggregate.handler.handler({"run": "never-planned"}, Context())
