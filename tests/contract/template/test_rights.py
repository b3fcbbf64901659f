"""The rights in template.yaml as AWS receives them: existing actions, narrow resources, a role per function.

Each rule is a function that lists its violations; a test shows that it finds one in a broken copy.
"""

import re

import pytest

from tests.support.definitions import (
    MACHINE_ID,
    Document,
    find_statement,
    many,
    resources,
    state_machine,
    template,
    translate,
    translated,
)
from tests.support.policies import (
    ACTIONS_ON_EVERYTHING,
    ASSUMING_ROLES,
    arn_of,
    authorization_reference,
    broad_rights,
    shared_policies,
    statements,
)

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
SHARED_POLICIES = {
    "UseKeyPolicy": FINISHING_ROLES | OTHER_ROLES,
    "FinishRunPolicy": FINISHING_ROLES,
    "AssumeDistributionRolesPolicy": ASSUMING_ROLES,
}


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
