"""The example role of other accounts: the rights of the service's own functions, for them and with an external id."""

from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.contract.template.test_policy_lint import findings
from tests.support.definitions import ROOT, Document, translated
from tests.support.policies import rights

# The parser has no type hints.
parse: Any = yaml_parse
OWN_ROLES = ("ResolveFunctionRole", "InvalidateFunctionRole")


def example() -> Document:
    document: Document = parse((ROOT / "examples/distribution-role.yaml").read_text(encoding="utf-8"))
    document["Resources"]["DistributionRole"]["Properties"]["ManagedPolicyArns"] = []
    return document


def cloudfront_rights(document: Document, *roles: str) -> set[tuple[str, str]]:
    """Return action and resource of each right of CloudFront."""
    return {
        (action, resource)
        for role, action, resource in rights(document)
        if role in roles and action.startswith("cloudfront:")
    }


def test_role_has_exactly_the_rights_that_the_service_has_in_its_own_account() -> None:
    own = cloudfront_rights(translated(), *OWN_ROLES)
    assert len(own) > 8
    assert cloudfront_rights(example(), "DistributionRole") == own
    assert len(rights(example())) == len(own)


def test_policy_of_the_role_has_no_findings() -> None:
    assert findings(example()) == []


def open_trust(document: Document) -> list[str]:
    """List statements of trust policies without named principals or without the external id."""
    problems = []
    for name, resource in document["Resources"].items():
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            if statement["Principal"] != {"AWS": {"Ref": "ServiceRoles"}}:
                problems.append(f"{name}: others than the service's roles may assume it")
            if statement.get("Condition") != {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}:
                problems.append(f"{name}: it may be assumed without the external id")
            if statement["Action"] != "sts:AssumeRole":
                problems.append(f"{name}: more than assuming is allowed")
    return problems


def test_role_trusts_the_services_roles_with_the_external_id_only() -> None:
    assert open_trust(example()) == []
    assert "Default" not in example()["Parameters"]["ExternalId"]
    assert translated()["Outputs"]["FunctionRoleArns"]["Value"] == {
        "Fn::Join": [",", [{"Fn::GetAtt": [role, "Arn"]} for role in OWN_ROLES]]
    }


@pytest.mark.parametrize(
    "change", [{"Principal": {"AWS": "*"}}, {"Condition": {}}, {"Action": ["sts:AssumeRole", "sts:TagSession"]}]
)
def test_open_trust_is_reported(change: Document) -> None:
    broken = example()
    properties = broken["Resources"]["DistributionRole"]["Properties"]
    properties["AssumeRolePolicyDocument"]["Statement"][0].update(change)
    assert open_trust(broken)
