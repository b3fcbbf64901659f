"""`prewarm doctor`: the credentials, rights and limits of the AWS account."""

import pytest

from prewarm.diagnosis import FAILURE, OK, WARNING, Row
from prewarm_cli.doctor.account import Account
from prewarm_cli.doctor.trials import trial
from tests.support.doctor_world import (
    ALWAYS,
    THREE,
    URL,
    Denied,
    DoctorWorld,
    Reply,
    explained,
)

pytestmark = pytest.mark.xdist_group("doctor")


def test_missing_credentials_are_a_warning(world: DoctorWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    row = Account(world.stack.state_machine_arn).credentials()
    assert row.result == WARNING
    assert row.detail.startswith("not checked: no AWS credentials")
    assert explained(row)


def test_credentials_that_aws_refuses_are_found(world: DoctorWorld) -> None:
    world.aws.add("sts:.*", Denied("sts:GetCallerIdentity"), times=ALWAYS)
    row = Account(world.stack.state_machine_arn).credentials()
    assert row.result == FAILURE
    assert explained(row)


def test_credentials_of_another_account_are_found(world: DoctorWorld) -> None:
    row = Account(world.stack.state_machine_arn.replace("123456789012", "210987654321")).credentials()
    assert (row.result, "123456789012" in row.detail) == (WARNING, True)


@pytest.mark.parametrize(("unreserved", "result"), [(4, FAILURE), (14, WARNING), (15, OK)])
def test_concurrency_below_that_of_requests_is_found(
    world: DoctorWorld, account: Account, unreserved: int, result: str
) -> None:
    limits = {"ConcurrentExecutions": 20, "UnreservedConcurrentExecutions": unreserved}
    world.aws.add("lambda:GET .*account-settings.*", Reply({"AccountLimit": limits}), times=ALWAYS)
    row = account.concurrency(5)
    assert row.result == result
    assert result == OK or explained(row)


def test_missing_right_to_read_the_concurrency_is_a_warning(world: DoctorWorld, account: Account) -> None:
    world.aws.add("lambda:GET .*account-settings.*", Denied("lambda:GetAccountSettings"), times=ALWAYS)
    row = account.concurrency(5)
    assert (row.result, "lambda:GetAccountSettings" in row.action) == (WARNING, True)


def test_missing_right_to_start_directly_is_found(world: DoctorWorld, account: Account) -> None:
    world.aws.add("stepfunctions:StartExecution", Denied("states:StartExecution", status=400), times=ALWAYS)
    row = account.start("direct", trial(URL, THREE, dry_run=True))
    assert isinstance(row, Row)
    assert (row.result, row.check, "StartExecution" in row.detail) == (WARNING, "direct_start", True)
    assert explained(row)
