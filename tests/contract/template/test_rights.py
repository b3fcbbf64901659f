"""The rights in template.yaml as AWS will see them: real, narrow, each function's own.

Each rule is a function that lists what breaks it; each is shown to find a break in a broken copy.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.support.definitions import (
    MACHINE_ID,
    Document,
    as_if,
    find_statement,
    many,
    name_of,
    resources,
    state_machine,
    template,
    translate,
    translated,
)

# Actions on the resource "*", and why they must be: no such action has resource-level permissions.
ACTIONS_ON_EVERYTHING = {
    "cloudfront:ListDistributions": "a list names no distribution",
    "logs:CreateLogDelivery": "log delivery belongs to the account",
    "logs:GetLogDelivery": "log delivery belongs to the account",
    "logs:UpdateLogDelivery": "log delivery belongs to the account",
    "logs:DeleteLogDelivery": "log delivery belongs to the account",
    "logs:ListLogDeliveries": "log delivery belongs to the account",
    "logs:PutResourcePolicy": "CloudWatch Logs' resource policies belong to the account",
    "logs:DescribeResourcePolicies": "CloudWatch Logs' resource policies belong to the account",
    "logs:DescribeLogGroups": "a list names no log group",
}

# AWS's own policies that SAM attaches: to write logs, and to send traces.
MANAGED_POLICIES = {
    "service-role/AWSLambdaBasicExecutionRole": "SAM gives it to every function: logs",
    "AWSXrayWriteOnlyAccess": "SAM gives it where tracing is on",
    "service-role/AWSLambdaVPCAccessExecutionRole": "SAM gives it where VpcConfig stands, even if empty",
}

MACHINE_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-prewarm"
EXECUTION_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${AWS::StackName}-prewarm"
# All that the state machine may do; of these, AWS documents the map's own rights under "IAM policies for
# using Distributed Map states".
MACHINE_RIGHTS = {
    ("lambda:InvokeFunction", "ResolveFunction.Arn"),
    ("lambda:InvokeFunction", "InvalidateFunction.Arn"),
    ("lambda:InvokeFunction", "WarmFunction.Arn"),
    ("lambda:InvokeFunction", "AggregateFunction.Arn"),
    ("cloudfront:GetInvalidation", "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"),
    (
        "cloudfront:GetInvalidationForDistributionTenant",
        "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution-tenant/*",
    ),
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


def statements(document: Document) -> Iterator[tuple[str, Document]]:
    """Give every statement of every role of a translated template, with the role's logical id."""
    for role, properties in resources(document, "AWS::IAM::Role").items():
        for policy in properties.get("Policies", []):
            for statement in map(as_if, policy["PolicyDocument"]["Statement"]):
                yield role, statement


@cache
def authorization_reference() -> Document:
    """Read AWS's Service Authorization Reference as cfn-lint carries it: actions and resources by service."""
    data: Document = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    return data


def broad_rights(document: Document) -> list[str]:
    """List actions that do not exist, hold a wildcard, or lie on "*" without a reason."""
    known = {service: entry["Actions"] for service, entry in authorization_reference().items()}
    problems = []
    for role, statement in statements(document):
        everything = "*" in [name_of(resource) for resource in many(statement["Resource"])]
        for action in many(statement["Action"]):
            service, _, name = action.partition(":")
            if "*" in action:
                problems.append(f"{role}: {action} is a wildcard")
            elif name.lower() not in known.get(service, {}):
                problems.append(f"{role}: {action} does not exist")
            elif everything and action not in ACTIONS_ON_EVERYTHING:
                problems.append(f"{role}: {action} on every resource has no reason")
            elif everything and "Resources" in known[service][name.lower()]:
                problems.append(f"{role}: {action} can be narrowed to resources")
    return problems


def test_rights_exist_and_are_narrow() -> None:
    assert broad_rights(translated()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"Action": "s3:*"}, "is a wildcard"),
        ({"Action": "*"}, "is a wildcard"),
        ({"Action": "s3:GetObjects"}, "does not exist"),
        ({"Resource": "*"}, "has no reason"),
    ],
)
def test_broad_rights_are_found(change: Document, complaint: str) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "ReadPlan").update(change)
    (problem,) = broad_rights(translate(broken, state_machine()))
    assert problem.startswith("WarmFunctionRole: ")
    assert problem.endswith(complaint)


def test_reasons_for_every_resource_are_all_needed() -> None:
    used = {a for _, s in statements(translated()) if s["Resource"] == "*" for a in many(s["Action"])}
    assert used == set(ACTIONS_ON_EVERYTHING)


def arn_of(resource: Any, document: Document) -> str:
    """Write a resource as a whole ARN, so that its kind can be told."""
    samples = {
        "AWS::S3::Bucket": "arn:aws:s3:::bucket",
        "AWS::DynamoDB::Table": "arn:aws:dynamodb:x:x:table/table",
        "AWS::Lambda::Function": "arn:aws:lambda:x:x:function:function",
        "AWS::StepFunctions::StateMachine": "arn:aws:states:x:x:stateMachine:machine",
        "AWS::SNS::Topic": "arn:aws:sns:x:x:topic",
    }
    arns = {name: samples.get(r["Type"], "") for name, r in document["Resources"].items()}
    text = name_of(resource)
    if text == "KmsKeyArn":
        return "arn:aws:kms:x:x:key/x"
    if text.removesuffix(".Arn") in arns:
        return arns[text.removesuffix(".Arn")]
    text = re.sub(r"\$\{(\w+)\.Arn\}", lambda found: arns[found[1]], text)
    text = text.replace("${AWS::Partition}:s3", "aws:s3")
    return re.sub(r"\$\{[\w:.]+\}", "x", text)


def crossed_rights(document: Document) -> list[str]:
    """List actions on a resource of another kind: they would be refused when used (an object right on a bucket)."""
    problems: list[str] = []
    for role, statement in statements(document):
        arns = [arn_of(resource, document) for resource in many(statement["Resource"])]
        for action in many(statement["Action"]):
            service, _, name = action.partition(":")
            reference = authorization_reference()[service]
            kinds = reference["Actions"][name.lower()].get("Resources", [])
            formats = [arn for kind in kinds for arn in reference["Resources"][kind]["ARNFormats"]]
            patterns = [re.sub(r"\$\{\w+\}", "[^:]*", arn) for arn in formats]
            # cfn-lint's copy of the reference has cut the two S3 formats that matter to one.
            if service == "s3":
                patterns = ["arn:aws:s3:::[^/]*" if "bucket" in kinds else "arn:aws:s3:::[^/]*/.*"]
            problems.extend(
                f"{role}: {action} does not go with {arn}"
                for arn in arns
                if arn != "*" and not any(re.fullmatch(pattern, arn) for pattern in patterns)
            )
    return problems


def test_actions_go_with_their_resources() -> None:
    assert crossed_rights(translated()) == []


@pytest.mark.parametrize(
    ("function", "sid", "resource"),
    [
        ("ResolveFunction", "ReadRequest", {"Fn::GetAtt": ["RunsBucket", "Arn"]}),
        ("ResolveFunction", "TellMissingFromForbidden", {"Fn::Sub": "${RunsBucket.Arn}/runs/*"}),
        ("ApiFunction", "DescribeAndStopRun", {"Ref": MACHINE_ID}),
        ("WarmFunction", "WriteLedger", {"Fn::GetAtt": ["RunsBucket", "Arn"]}),
    ],
)
def test_crossed_rights_are_found(function: str, sid: str, resource: Document) -> None:
    broken = template()
    find_statement(broken, function, sid)["Resource"] = resource
    assert crossed_rights(translate(broken, state_machine()))


def shared_or_nameless_rights(document: Document) -> list[str]:
    """List functions without a role of their own, foreign managed policies, and statements without a Sid."""
    problems = []
    machines = resources(document, "AWS::StepFunctions::StateMachine")
    owners = {**resources(document, "AWS::Lambda::Function"), **machines}
    for name, properties in owners.items():
        role = properties.get("Role", properties.get("RoleArn"))
        if role != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
            problems.append(f"{name} has not its own role")
    for role, properties in resources(document, "AWS::IAM::Role").items():
        sids = [s.get("Sid") for owner, s in statements(document) if owner == role]
        if not sids or None in sids or len(set(sids)) < len(sids):
            problems.append(f"{role} has not its own statements, each with its own Sid")
        foreign = [p for p in properties["ManagedPolicyArns"] if p.partition(":policy/")[2] not in MANAGED_POLICIES]
        problems.extend(f"{role} takes {policy}" for policy in foreign)
    return problems


def test_each_function_has_its_own_named_rights() -> None:
    assert shared_or_nameless_rights(translated()) == []


def test_shared_and_nameless_rights_are_found() -> None:
    broken = template()
    broken["Resources"]["ApiFunction"]["Properties"]["Policies"].append("AmazonS3FullAccess")
    del find_statement(broken, "WarmFunction", "ReadPlan")["Sid"]
    document = translate(broken, state_machine())
    document["Resources"]["AggregateFunction"]["Properties"]["Role"] = {"Fn::GetAtt": ["ApiFunctionRole", "Arn"]}
    problems = "\n".join(shared_or_nameless_rights(document))
    assert "AggregateFunction has not its own role" in problems
    assert "WarmFunctionRole has not its own statements" in problems
    assert re.search("ApiFunctionRole takes .*AmazonS3FullAccess", problems)


def machine_rights(document: Document) -> set[tuple[str, str]]:
    return {
        (action, name_of(resource))
        for role, statement in statements(document)
        if role == f"{MACHINE_ID}Role"
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def test_the_state_machine_may_do_what_its_states_need_and_no_more() -> None:
    assert machine_rights(translated()) == MACHINE_RIGHTS


def test_a_right_missing_from_the_state_machine_is_found() -> None:
    broken = template()
    find_statement(broken, MACHINE_ID, "RedriveChildExecutions")["Action"] = "states:DescribeExecution"
    assert ("states:RedriveExecution", f"{EXECUTION_ARN}/*") not in machine_rights(translate(broken, state_machine()))
