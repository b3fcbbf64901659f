"""cloudsplaining's findings on the roles' policies: no escalation, no wildcard, no unexplained open resource."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument

from tests.support.definitions import Document, find_statement, many, state_machine, template, translate, translated
from tests.support.policies import ACTIONS_ON_EVERYTHING, arn_of, statements

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
    """Yield each role with all its statements as one policy, their resources as whole ARNs."""
    roles: dict[str, list[Document]] = {}
    for role, statement in statements(document):
        whole = statement | {"Resource": [arn_of(resource, document) for resource in many(statement["Resource"])]}
        roles.setdefault(role, []).append(json.loads(json.dumps(whole)))
    for role, collected in roles.items():
        yield role, PolicyDocument({"Version": "2012-10-17", "Statement": collected})


def findings(document: Document) -> list[str]:
    """Return the linter's findings, and actions on every resource without a stated reason."""
    problems = []
    for role, policy in policies(document):
        problems += [f"{role}: {name}: {hits}" for name in FINDINGS if (hits := getattr(policy, name))]
        loose = {action.lower() for action in policy.all_allowed_unrestricted_actions}
        unexplained = sorted(loose - {action.lower() for action in ACTIONS_ON_EVERYTHING})
        problems += [f"{role}: unrestricted: {action}" for action in unexplained]
    return problems


def test_policies_have_no_findings() -> None:
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
def test_broad_statement_is_reported(change: dict[str, Any], finding: str) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "ReadPlan").update(change)
    assert any(finding in problem for problem in findings(translate(broken, state_machine())))
