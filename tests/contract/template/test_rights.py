"""The rights in template.yaml as AWS receives them: existing actions, narrow resources, a role per function.

Each rule is a function that lists its violations; a test shows that it finds one in a broken copy.
"""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from prewarm.distribution_roles import roles_of
from tests.support.definitions import (
    MACHINE_ID,
    Document,
    find_statement,
    many,
    name_of,
    resources,
    state_machine,
    template,
    translate,
    translated,
)
from tests.support.policies import ACTIONS_ON_EVERYTHING, arn_of, rights, shared_policies, statements

# AWS's managed policies that SAM attaches.
AWS_POLICIES = {
    "service-role/AWSLambdaBasicExecutionRole": "for every function: logs",
    "AWSXrayWriteOnlyAccess": "for functions and state machines with tracing",
    "service-role/AWSLambdaVPCAccessExecutionRole": "for functions with VpcConfig, even an empty one",
}

# The template's own managed policies, and the roles that have them.
FINISHING_ROLES = {"AggregateFunctionRole", "RunEndedFunctionRole"}
OTHER_ROLES = {
    "ApiFunctionRole",
    "ResolveFunctionRole",
    "InvalidateFunctionRole",
    "WarmFunctionRole",
    f"{MACHINE_ID}Role",
}
# The roles that act in other accounts.
ASSUMING_ROLES = {"ResolveFunctionRole", "InvalidateFunctionRole"}
SHARED_POLICIES = {
    "UseKeyPolicy": FINISHING_ROLES | OTHER_ROLES,
    "FinishRunPolicy": FINISHING_ROLES,
    "AssumeDistributionRolesPolicy": ASSUMING_ROLES,
}

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


def test_actions_exist_and_are_narrow() -> None:
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
def test_broad_action_is_reported(change: Document, complaint: str) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "ReadPlan").update(change)
    (problem,) = broad_rights(translate(broken, state_machine()))
    assert problem.startswith("WarmFunctionRole: ")
    assert problem.endswith(complaint)


def test_every_listed_action_on_everything_is_used() -> None:
    used = {a for _, s in statements(translated()) if s["Resource"] == "*" for a in many(s["Action"])}
    assert used == set(ACTIONS_ON_EVERYTHING)


def crossed_rights(document: Document) -> list[str]:
    """List actions on a resource of the wrong type, which IAM would deny (an object action on a bucket)."""
    problems: list[str] = []
    for role, statement in statements(document):
        arns = [arn_of(resource, document) for resource in many(statement["Resource"])]
        for action in many(statement["Action"]):
            service, _, name = action.partition(":")
            reference = authorization_reference()[service]
            kinds = reference["Actions"][name.lower()].get("Resources", [])
            formats = [arn for kind in kinds for arn in reference["Resources"][kind]["ARNFormats"]]
            patterns = [re.sub(r"\$\{\w+\}", "[^:]*", arn) for arn in formats]
            # cfn-lint's copy of the reference merges the two relevant S3 formats into one.
            if service == "s3":
                patterns = ["arn:aws:s3:::[^/]*" if "bucket" in kinds else "arn:aws:s3:::[^/]*/.*"]
            problems.extend(
                f"{role}: {action} does not apply to {arn}"
                for arn in arns
                if arn != "*" and not any(re.fullmatch(pattern, arn) for pattern in patterns)
            )
    return problems


def test_actions_apply_to_their_resource_types() -> None:
    assert crossed_rights(translated()) == []


@pytest.mark.parametrize(
    ("owner", "sid", "resource"),
    [
        ("FinishRunPolicy", "ReadPlan", {"Fn::GetAtt": ["RunsBucket", "Arn"]}),
        ("ResolveFunction", "ReadRequest", {"Fn::GetAtt": ["RunsBucket", "Arn"]}),
        ("ResolveFunction", "DistinguishMissingFromForbidden", {"Fn::Sub": "${RunsBucket.Arn}/runs/*"}),
        ("ApiFunction", "DescribeAndStopRun", {"Ref": MACHINE_ID}),
        ("WarmFunction", "WriteLedger", {"Fn::GetAtt": ["RunsBucket", "Arn"]}),
    ],
)
def test_action_on_wrong_resource_type_is_reported(owner: str, sid: str, resource: Document) -> None:
    broken = template()
    find_statement(broken, owner, sid)["Resource"] = resource
    assert crossed_rights(translate(broken, state_machine()))


def shared_or_nameless_rights(document: Document) -> list[str]:
    """List shared roles, managed policies on roles that should not have them, and statements without a unique Sid."""
    problems = []
    machines = resources(document, "AWS::StepFunctions::StateMachine")
    owners = {**resources(document, "AWS::Lambda::Function"), **machines}
    for name, properties in owners.items():
        role = properties.get("Role", properties.get("RoleArn"))
        if role != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
            problems.append(f"{name} does not have its own role")
    for role, properties in resources(document, "AWS::IAM::Role").items():
        sids = [s.get("Sid") for owner, s in statements(document) if owner == role]
        if not sids or None in sids or len(set(sids)) < len(sids):
            problems.append(f"{role} has no statements, or statements without a unique Sid")
        arns = [policy for policy in properties["ManagedPolicyArns"] if isinstance(policy, str)]
        foreign = [arn for arn in arns if arn.partition(":policy/")[2] not in AWS_POLICIES]
        foreign += [name for name in shared_policies(properties) if role not in SHARED_POLICIES[name]]
        problems.extend(f"{role} has {policy}" for policy in foreign)
    return problems


def test_each_function_has_its_own_role_with_named_statements() -> None:
    assert shared_or_nameless_rights(translated()) == []
    assert set(resources(translated(), "AWS::IAM::ManagedPolicy")) == set(SHARED_POLICIES)


def test_managed_policy_is_attached_to_the_listed_roles() -> None:
    roles = resources(translated(), "AWS::IAM::Role")
    for name, expected in SHARED_POLICIES.items():
        assert {role for role, properties in roles.items() if name in shared_policies(properties)} == expected


def test_shared_role_and_nameless_statement_are_reported() -> None:
    broken = template()
    broken["Resources"]["ApiFunction"]["Properties"]["Policies"].append("AmazonS3FullAccess")
    broken["Resources"]["WarmFunction"]["Properties"]["Policies"].append({"Ref": "FinishRunPolicy"})
    del find_statement(broken, "WarmFunction", "ReadPlan")["Sid"]
    document = translate(broken, state_machine())
    document["Resources"]["AggregateFunction"]["Properties"]["Role"] = {"Fn::GetAtt": ["ApiFunctionRole", "Arn"]}
    problems = "\n".join(shared_or_nameless_rights(document))
    assert "AggregateFunction does not have its own role" in problems
    assert "WarmFunctionRole has no statements, or statements without a unique Sid" in problems
    assert "WarmFunctionRole has FinishRunPolicy" in problems
    assert re.search("ApiFunctionRole has .*AmazonS3FullAccess", problems)


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


def invalidating_roles(document: Document) -> set[str]:
    return {
        role
        for role, statement in statements(document)
        if any("Invalidation" in action for action in many(statement["Action"]))
    }


def test_one_role_may_create_and_check_invalidations_of_distributions_and_tenants() -> None:
    assert invalidating_roles(translated()) == {"InvalidateFunctionRole"}
    actions = {
        action
        for role, statement in statements(translated())
        if role == "InvalidateFunctionRole"
        for action in many(statement["Action"])
        if action.startswith("cloudfront:")
    }
    assert actions == {
        f"cloudfront:{verb}Invalidation{kind}" for verb in ("Create", "Get") for kind in ("", "ForDistributionTenant")
    }
    broken = template()
    find_statement(broken, MACHINE_ID, "RedriveChildExecutions")["Action"] = "cloudfront:GetInvalidation"
    assert invalidating_roles(translate(broken, state_machine())) == {"InvalidateFunctionRole", f"{MACHINE_ID}Role"}


def assuming_rights(document: Document) -> set[tuple[str, str, str]]:
    """Return role, action and resource of each right of STS."""
    return {right for right in rights(document) if right[1].startswith("sts:")}


def test_roles_are_assumed_by_two_functions_exactly_as_listed_and_only_if_there_are_any() -> None:
    expected = {(role, "sts:AssumeRole", "DistributionRoles") for role in ASSUMING_ROLES}
    assert assuming_rights(translated()) == expected
    policy = translated()["Resources"]["AssumeDistributionRolesPolicy"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::Split": [",", {"Ref": "DistributionRoles"}]}
    assert policy["Condition"] == "HasDistributionRoles"
    assert template()["Conditions"]["HasDistributionRoles"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "DistributionRoles"}, ""]}]
    }
    attached = {"Fn::If": ["HasDistributionRoles", {"Ref": "AssumeDistributionRolesPolicy"}, {"Ref": "AWS::NoValue"}]}
    for role in ASSUMING_ROLES:
        assert attached in resources(translated(), "AWS::IAM::Role")[role]["ManagedPolicyArns"]


def test_right_to_assume_any_role_is_detected() -> None:
    broken = template()
    find_statement(broken, "AssumeDistributionRolesPolicy", "AssumeDistributionRoles")["Resource"] = "*"
    document = translate(broken, state_machine())
    assert ("ResolveFunctionRole", "sts:AssumeRole", "*") in assuming_rights(document)
    assert any("sts:AssumeRole on every resource has no reason" in problem for problem in broad_rights(document))


ROLES = {
    "": True,
    "arn:aws:iam::111111111111:role/prewarm": True,
    "arn:aws:iam::111111111111:role/a,arn:aws-cn:iam::222222222222:role/team/b_+=.@-": True,
    "arn:aws:iam::111111111111:role/*": False,
    "arn:aws:iam::111111111111:role/a, arn:aws:iam::222222222222:role/b": False,
    "arn:aws:iam::111111111111:role/a,": False,
    "*": False,
}


@pytest.mark.parametrize(("value", "valid"), ROLES.items())
def test_parameter_accepts_what_the_functions_accept(value: str, *, valid: bool) -> None:
    """A space would be part of an ARN in the policy, so that it would fit no role."""
    assert bool(re.fullmatch(template()["Parameters"]["DistributionRoles"]["AllowedPattern"], value)) is valid
    if valid:
        assert len(roles_of(value, "external-id")) == len(value.split(",") if value else [])


def test_missing_right_of_state_machine_is_detected() -> None:
    broken = template()
    find_statement(broken, MACHINE_ID, "RedriveChildExecutions")["Action"] = "states:DescribeExecution"
    assert ("states:RedriveExecution", f"{EXECUTION_ARN}/*") not in machine_rights(translate(broken, state_machine()))
