"""Rights in other accounts: which functions assume which roles, and what the parameter accepts."""

import re

import pytest

from prewarm.distribution_roles import roles_of
from tests.support.definitions import (
    Document,
    find_statement,
    resources,
    state_machine,
    template,
    translate,
    translated,
)
from tests.support.policies import ASSUMING_ROLES, broad_rights, rights


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
