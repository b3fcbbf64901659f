"""Names of executions in the embedded stack, as AWS gives and accepts them."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from prewarm_local.stack.moto_names import patch_names
from prewarm_local.stack.moto_patches import MotoPatches

DEFINITION = json.dumps({"StartAt": "Nothing", "States": {"Nothing": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/x"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """Return a client, and the ARN of a state machine that moto interprets, with the patch in force."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws(), MotoPatches() as patches:
        patches.configure("stepfunctions", "execute_state_machine", value=True)
        patch_names(patches)
        client = boto3.client("stepfunctions", region_name="eu-west-1")
        created = client.create_state_machine(name="m", definition=DEFINITION, roleArn=ROLE)
        yield client, created["stateMachineArn"]


def test_execution_without_a_name_gets_a_uuid_of_its_own(machine: tuple[Any, str]) -> None:
    client, arn = machine
    arns = [client.start_execution(stateMachineArn=arn, input="{}")["executionArn"] for _ in range(2)]
    names = [each.rpartition(":")[2] for each in arns]
    assert len({uuid.UUID(name) for name in names}) == 2
    for each in arns:
        deadline = time.monotonic() + 10
        while (status := client.describe_execution(executionArn=each)["status"]) == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert status == "SUCCEEDED"
    listed = client.list_executions(stateMachineArn=arn)["executions"]
    assert {each["name"] for each in listed} == set(names)


@pytest.mark.parametrize("name", ["two words", "a/b", "a:b", "a\x00b"])
def test_name_that_aws_refuses_is_refused(machine: tuple[Any, str], name: str) -> None:
    client, arn = machine
    with pytest.raises(client.exceptions.InvalidName):
        client.start_execution(stateMachineArn=arn, name=name)


def test_given_name_is_kept(machine: tuple[Any, str]) -> None:
    client, arn = machine
    started = client.start_execution(stateMachineArn=arn, name="a-b_1.2")
    assert started["executionArn"].endswith(":a-b_1.2")
