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
from prewarm.storage.run_list import RunPage

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


class NoRuns:
    """A storage whose list of runs is empty, as before the first run of this version."""

    retention_days = 30

    def __init__(self) -> None:
        self.runs = self

    def months(self, *_: Any) -> RunPage:
        return RunPage([], None)

    def listed(self, _: list[str]) -> set[str]:
        return set()


STORE: Any = NoRuns()


def test_search_for_a_rare_status_makes_a_bounded_number_of_calls_and_continues() -> None:
    client = FailedRuns()
    query = {"status": "TIMEOUT", "limit": "100"}
    found = list_runs(Executions(MACHINE, client), STORE, query)  # type: ignore[arg-type]
    assert found["runs"] == []
    assert 0 < client.described <= MAX_LOOKUPS
    assert client.listed <= 10
    more = list_runs(Executions(MACHINE, client), STORE, query | {"nextToken": found["nextToken"]})  # type: ignore[arg-type]
    assert more["nextToken"]


@pytest.mark.parametrize("operation", ["list_executions", "describe_execution"])
def test_throttled_call_is_a_named_transient_error(operation: str) -> None:
    client = boto3.client("stepfunctions", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    executions = Executions(MACHINE, client)
    with Stubber(client) as stub:
        stub.add_client_error(operation, "ThrottlingException", http_status_code=400)
        with pytest.raises(TransientError) as caught:
            list_runs(executions, STORE, {}) if operation == "list_executions" else executions.describe("a")
    assert caught.value.throttled


@pytest.mark.parametrize("token", ["", "x", "x" * 2_049, base64.b64encode(b"x" * 100_000).decode()])
def test_token_that_is_not_the_services_own_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match="nextToken: invalid or expired"):
        list_runs(Executions(MACHINE, FailedRuns()), STORE, {"nextToken": token})  # type: ignore[arg-type]


def test_listed_execution_without_a_name_is_named_by_its_arn_and_hides_no_other() -> None:
    entry = {"status": "RUNNING", "startDate": NOW}

    class OneUnnamed(FailedRuns):
        def list_executions(self, **_: Any) -> dict[str, Any]:
            named = entry | {"executionArn": f"{EXECUTIONS}:second", "name": "second"}
            return {"executions": [entry | {"executionArn": f"{EXECUTIONS}:None"}, named]}

    executions, _ = Executions(MACHINE, OneUnnamed()).page(10, None)  # type: ignore[arg-type]
    assert [each.run for each in executions] == ["None", "second"]
