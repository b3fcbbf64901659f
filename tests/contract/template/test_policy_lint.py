"""The roles' policies as cloudsplaining sees them: no escalation, no wildcard, nothing unrestricted unsaid."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument

from tests.contract.template.test_rights import ACTIONS_ON_EVERYTHING, arn_of, statements
from tests.support.definitions import Document, find_statement, many, state_machine, template, translate, translated

FINDINGS = (
    "allows_privilege_escalation",
    "allows_data_exfiltration_actions",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
    "contains_statement_using_not_action",
)


def policies(document: Document) -> Iterator[tuple[str, PolicyDocument]]:
    """Give each role's own statements as one policy, its resources as whole ARNs."""
    roles: dict[str, list[Document]] = {}
    for role, statement in statements(document):
        whole = statement | {"Resource": [arn_of(resource, document) for resource in many(statement["Resource"])]}
        roles.setdefault(role, []).append(json.loads(json.dumps(whole)))
    for role, found in roles.items():
        yield role, PolicyDocument({"Version": "2012-10-17", "Statement": found})


def findings(document: Document) -> list[str]:
    """List what the linter finds, and actions on every resource that nobody explains."""
    problems = []
    for role, policy in policies(document):
        problems += [f"{role}: {name}: {found}" for name in FINDINGS if (found := getattr(policy, name))]
        loose = {action.lower() for action in policy.all_allowed_unrestricted_actions}
        unexplained = sorted(loose - {action.lower() for action in ACTIONS_ON_EVERYTHING})
        problems += [f"{role}: unrestricted: {action}" for action in unexplained]
    return problems


def test_the_linter_finds_nothing() -> None:
    assert findings(translated()) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"Action": ["iam:CreateAccessKey"], "Resource": "*"}, "allows_privilege_escalation"),
        ({"Action": ["s3:GetObject"], "Resource": "*"}, "allows_data_exfiltration_actions"),
        ({"Action": ["dynamodb:*"], "Resource": "*"}, "service_wildcard"),
        ({"Action": ["dynamodb:DeleteTable"], "Resource": "*"}, "infrastructure_modification"),
        ({"Action": ["dynamodb:DescribeTable"], "Resource": "*"}, "unrestricted"),
    ],
)
def test_what_a_policy_should_not_say_is_found(change: dict[str, Any], finding: str) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "ReadPlan").update(change)
    assert any(finding in problem for problem in findings(translate(broken, state_machine())))
