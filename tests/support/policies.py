"""The IAM statements of a translated template, by role: inline ones and those of the template's managed policies."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.definitions import Document, as_if, many, name_of, resources

# The roles that act in other accounts.
ASSUMING_ROLES = {"ResolveFunctionRole", "InvalidateFunctionRole"}
# Actions on the resource "*", and the reason: no such action has resource-level permissions.
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


def shared_policies(properties: Document) -> list[str]:
    """Return the logical ids of the template's own managed policies that a role has."""
    attached = map(as_if, properties.get("ManagedPolicyArns", []))
    return [policy["Ref"] for policy in attached if isinstance(policy, dict) and "Ref" in policy]


def statements(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield each role's logical id with each of its statements.

    Statements of the template's managed policies are included.
    """
    shared = resources(document, "AWS::IAM::ManagedPolicy")
    for role, properties in resources(document, "AWS::IAM::Role").items():
        policies = [*properties.get("Policies", []), *(shared[name] for name in shared_policies(properties))]
        for policy in policies:
            for statement in map(as_if, policy["PolicyDocument"]["Statement"]):
                yield role, statement


def arn_of(resource: Any, document: Document) -> str:
    """Return a resource of a statement as a whole ARN, which shows its type."""
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
    if text == "DistributionRoles":
        return "arn:aws:iam::x:role/x"
    if text.removesuffix(".Arn") in arns:
        return arns[text.removesuffix(".Arn")]
    text = re.sub(r"\$\{(\w+)\.Arn\}", lambda match: arns[match[1]], text)
    text = text.replace("${AWS::Partition}:s3", "aws:s3")
    return re.sub(r"\$\{[\w:.]+\}", "x", text)


def rights(document: Document) -> set[tuple[str, str, str]]:
    """Return all rights as triples of role, action and resource."""
    return {
        (role, action, name_of(resource))
        for role, statement in statements(document)
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


@cache
def authorization_reference() -> Document:
    """Return AWS's Service Authorization Reference from cfn-lint's copy: actions and resources by service."""
    # Found without an import, which takes over a second.
    found = find_spec("cfnlint")
    assert found is not None
    assert found.origin is not None
    data: Document = json.loads((Path(found.origin).parent / "data/AdditionalSpecs/Policies.json").read_text())
    return data


def broad_rights(document: Document) -> list[str]:
    """List actions that do not exist, contain a wildcard, or apply to "*" without a stated reason."""
    existing = {service: entry["Actions"] for service, entry in authorization_reference().items()}
    problems = []
    for role, statement in statements(document):
        everything = "*" in [name_of(resource) for resource in many(statement["Resource"])]
        for action in many(statement["Action"]):
            service, _, name = action.partition(":")
            if "*" in action:
                problems.append(f"{role}: {action} is a wildcard")
            elif name.lower() not in existing.get(service, {}):
                problems.append(f"{role}: {action} does not exist")
            elif everything and action not in ACTIONS_ON_EVERYTHING:
                problems.append(f"{role}: {action} on every resource has no reason")
            elif everything and "Resources" in existing[service][name.lower()]:
                problems.append(f"{role}: {action} can be narrowed to resources")
    return problems
