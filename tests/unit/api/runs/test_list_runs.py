"""The list of runs under trouble: bounded calls, bounded tokens, and throttling that is named."""

import base64
import datetime as dt
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from api.runs.executions import Executions
from api.runs.list_runs import MAX_LOOKUPS, list_runs
from prewarm.errors import InvalidRequest, TransientError

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:prewarm"
EXECUTIONS = MACHINE.replace("stateMachine", "execution")
NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


class FailedRuns:
    """A Step Functions client with endless failed runs, which counts its calls."""

    exceptions = boto3.client("stepfunctions", region_name="eu-west-1").exceptions

    def __init__(self) -> None:
        self.listed = self.described = 0

    def list_executions(self, *, maxResults: int, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.listed += 1
        runs = [f"run{self.listed}-{number}" for number in range(maxResults)]
        entry = {"status": "FAILED", "startDate": NOW, "stopDate": NOW}
        return {
            "executions": [entry | {"name": run, "executionArn": f"{EXECUTIONS}:{run}"} for run in runs],
            "nextToken": "more",
        }

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        self.described += 1
        return {"status": "FAILED", "error": "Prewarm.NotWarm", "startDate": NOW, "stopDate": NOW}


def test_search_for_a_rare_status_makes_a_bounded_number_of_calls() -> None:
    client = FailedRuns()
    found = list_runs(Executions(MACHINE, client), "TIMEOUT", "100")  # type: ignore[arg-type]
    assert found == {"runs": [], "nextToken": "more"}
    assert client.described <= MAX_LOOKUPS
    assert client.listed <= 10


@pytest.mark.parametrize("operation", ["list_executions", "describe_execution"])
def test_throttled_call_is_a_named_transient_error(operation: str) -> None:
    client = boto3.client("stepfunctions", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    executions = Executions(MACHINE, client)
    with Stubber(client) as stub:
        stub.add_client_error(operation, "ThrottlingException", http_status_code=400)
        with pytest.raises(TransientError) as caught:
            list_runs(executions) if operation == "list_executions" else executions.describe("a")
    assert caught.value.throttled


@pytest.mark.parametrize("token", ["", "x" * 1_025, base64.b64encode(b"x" * 100_000).decode()])
def test_token_of_an_impossible_length_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match="nextToken: invalid or expired"):
        list_runs(Executions(MACHINE, FailedRuns()), token=token)  # type: ignore[arg-type]
