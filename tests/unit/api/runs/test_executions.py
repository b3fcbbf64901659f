"""Executions: the REST API's status and the outcome of unfinished targets, by Step Functions' status."""

from dataclasses import replace

import pytest

from api.runs.executions import Executions
from prewarm.errors import RunNotFound
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


MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:prewarm"


@pytest.mark.parametrize(
    ("request_id", "reason"),
    [
        (
            "arn:aws:states:eu-west-1:123456789012:execution:other:the-run",
            f"is not an execution of this service's state machine {MACHINE}",
        ),
        (MACHINE, f"is not an execution of this service's state machine {MACHINE}"),
        ("two words", "does not exist"),
    ],
)
def test_arn_of_another_state_machine_is_named_as_such(request_id: str, reason: str) -> None:
    executions = Executions(MACHINE, object())  # type: ignore[arg-type]
    with pytest.raises(RunNotFound) as refused:
        executions.name_and_arn(request_id)
    assert (str(refused.value), refused.value.reason) == (request_id, reason)
