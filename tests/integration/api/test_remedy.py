"""GET /status: the remedy of a failed run."""

from typing import Any

import pytest

from tests.support.rest import call, describe_executions_as


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        # Its URLs failed by a 403 and for want of a distribution, as they would again.
        ({"status": "FAILED", "error": "Prewarm.NotWarm"}, "fix"),
        ({"status": "FAILED", "error": "Prewarm.DeadlinePassed"}, "fix"),
        ({"status": "TIMED_OUT"}, "fix"),
        ({"status": "ABORTED"}, "fix"),
        ({"status": "FAILED", "error": "Prewarm.InvalidRequest"}, "fix"),
        ({"status": "FAILED", "error": "Prewarm.InvalidationTimedOut"}, "fix"),
        ({"status": "FAILED", "error": "States.ItemReaderFailed"}, "redrive"),
        ({"status": "FAILED", "error": "Lambda.TooManyRequestsException"}, "redrive"),
    ],
)
@pytest.mark.usefixtures("ran")
def test_failed_run_has_a_remedy(monkeypatch: pytest.MonkeyPatch, described: dict[str, Any], kind: str) -> None:
    describe_executions_as(monkeypatch, **described)
    response = call("GET", "/status", query={"requestID": "reported"})[1]
    assert response["remedy"]["kind"] == kind
    if kind == "redrive":
        assert (
            f"aws stepfunctions redrive-execution --execution-arn {response['requestID']}"
            in response["remedy"]["how"]
        )


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE", "SUCCEEDED"])
@pytest.mark.usefixtures("ran")
def test_running_or_successful_run_has_no_remedy(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    describe_executions_as(monkeypatch, status=status)
    assert "remedy" not in call("GET", "/status", query={"requestID": "reported"})[1]
