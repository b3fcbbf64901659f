"""Executions: the REST API's status and the outcome of unfinished targets, by Step Functions' status."""

from dataclasses import replace

import pytest

from prewarm.results.outcome import Outcome
from tests.support.fake_store import RUNNING


@pytest.mark.parametrize(
    ("status", "error", "expected", "outcome"),
    [
        ("RUNNING", "", "IN_PROGRESS", None),
        ("PENDING_REDRIVE", "", "IN_PROGRESS", None),
        ("PENDING_REDRIVE", "Prewarm.DeadlinePassed", "IN_PROGRESS", None),
        ("SUCCEEDED", "", "COMPLETED", Outcome.LOST),
        ("TIMED_OUT", "", "TIMEOUT", Outcome.DEADLINE),
        ("FAILED", "Prewarm.DeadlinePassed", "TIMEOUT", Outcome.DEADLINE),
        ("FAILED", "Prewarm.NotWarm", "FAILED", Outcome.LOST),
        ("FAILED", "", "FAILED", Outcome.LOST),
        ("FAILED", "Prewarm.InvalidRequest", "FAILED", Outcome.REJECTED),
        ("ABORTED", "", "FAILED", Outcome.CANCELLED),
    ],
)
def test_each_execution_status_maps_to_a_contract_status(
    status: str, error: str, expected: str, outcome: Outcome | None
) -> None:
    execution = replace(RUNNING, status=status, error=error)
    assert execution.contract_status == expected
    assert execution.unfinished_outcome is outcome
    assert execution.running is (expected == "IN_PROGRESS")
