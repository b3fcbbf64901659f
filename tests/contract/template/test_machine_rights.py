"""The rights of the state machine's role: exactly those of its states."""

from tests.support.definitions import (
    MACHINE_ID,
    Document,
    find_statement,
    many,
    name_of,
    state_machine,
    template,
    translate,
    translated,
)
from tests.support.policies import ACTIONS_ON_EVERYTHING, statements

MACHINE_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-prewarm"


EXECUTION_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${AWS::StackName}-prewarm"


# All rights of the state machine. AWS documents those of the Distributed Map under "IAM policies for using
# Distributed Map states".
MACHINE_RIGHTS = {
    ("lambda:InvokeFunction", "ResolveFunction.Arn"),
    ("lambda:InvokeFunction", "InvalidateFunction.Arn"),
    ("lambda:InvokeFunction", "WarmFunction.Arn"),
    ("lambda:InvokeFunction", "AggregateFunction.Arn"),
    ("states:StartExecution", MACHINE_ARN),
    ("states:DescribeExecution", f"{EXECUTION_ARN}:*"),
    ("states:DescribeExecution", f"{EXECUTION_ARN}/*"),
    ("states:StopExecution", f"{EXECUTION_ARN}:*"),
    ("states:StopExecution", f"{EXECUTION_ARN}/*"),
    ("states:RedriveExecution", f"{EXECUTION_ARN}/*"),
    ("s3:GetObject", "${RunsBucket.Arn}/runs/*"),
    ("s3:PutObject", "${RunsBucket.Arn}/runs/*/map/*"),
    ("s3:GetObject", "${RunsBucket.Arn}/runs/*/map/*"),
    ("s3:ListMultipartUploadParts", "${RunsBucket.Arn}/runs/*/map/*"),
    ("s3:AbortMultipartUpload", "${RunsBucket.Arn}/runs/*/map/*"),
    ("kms:Decrypt", "KmsKeyArn"),
    ("kms:GenerateDataKey", "KmsKeyArn"),
    *((action, "*") for action in ACTIONS_ON_EVERYTHING if action.startswith("logs:")),
}


def machine_rights(document: Document) -> set[tuple[str, str]]:
    return {
        (action, name_of(resource))
        for role, statement in statements(document)
        if role == f"{MACHINE_ID}Role"
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def test_state_machine_has_exactly_the_rights_of_its_states() -> None:
    assert machine_rights(translated()) == MACHINE_RIGHTS


def test_missing_right_of_state_machine_is_detected() -> None:
    broken = template()
    find_statement(broken, MACHINE_ID, "RedriveChildExecutions")["Action"] = "states:DescribeExecution"
    assert ("states:RedriveExecution", f"{EXECUTION_ARN}/*") not in machine_rights(translate(broken, state_machine()))
