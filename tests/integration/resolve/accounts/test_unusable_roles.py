"""Roles that cannot be used: what a run still warms, and what it says about the rest."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudfront.models import CloudFrontBackend
from moto.sts.models import STSBackend

from prewarm.errors import BrokenSetting, TransientError
from prewarm.settings import Settings
from prewarm.storage.run_store import storage
from resolve.diagnose import diagnose
from resolve.distributions.assumed_roles import RoleRefused, assumed_roles
from tests.support.handlers import (
    DOMAIN,
    OTHER_DOMAIN,
    OTHER_HOST,
    Machine,
    document,
)
from tests.support.two_accounts import EXACT, EXACT_URL, GOOD, OTHER, OTHER_URL, OWN_URL, ROLE, invalidated, step


def test_run_whose_role_was_removed_since_says_what_to_add(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = machine.resolve(GOOD | {"url_list": [OTHER_URL], "invalidate": True}, "removed").resolved
    monkeypatch.setenv("PREWARM_DISTRIBUTION_ROLES", "")
    with pytest.raises(
        BrokenSetting, match=f"account {OTHER}, but DistributionRoles has no role for it; add the role"
    ):
        step("removed", resolved["invalidation"])


def test_role_that_is_refused_to_the_invalidating_function_fails_the_state_by_name(
    machine: Machine, roles: dict[str, str]
) -> None:
    resolved = machine.resolve(GOOD | {"url_list": [OTHER_URL], "invalidate": True}, "halfway").resolved
    assumed_roles.cache_clear()
    roles.clear()
    with pytest.raises(RoleRefused, match=f"account {OTHER} cannot be used: its role {ROLE} cannot be assumed"):
        step("halfway", resolved["invalidation"])
    assert invalidated(OTHER) == {}


REASON = f"account {OTHER} cannot be used: its role {ROLE} cannot be assumed (AccessDenied); check that it exists"


def test_hosts_of_an_account_whose_role_is_refused_have_that_as_their_reason_and_the_others_are_warmed(
    machine: Machine, roles: dict[str, str]
) -> None:
    roles[ROLE] = "another external id"
    ran = machine.run(GOOD | {"url_list": [OTHER_URL, OWN_URL]}, "partly")
    assert not ran.output["warm"]
    summary = document("partly", "summary.json")
    assert (summary["success"], summary["failed"]) == (1, 1)
    first, second, *_ = summary["warnings"]
    assert first.startswith(REASON)
    assert second.startswith(
        f"not warmed: no distribution of the accounts that could be read has the alias {OTHER_HOST}"
    )
    assert REASON in second


def test_run_without_any_other_host_is_refused_with_the_role(machine: Machine, roles: dict[str, str]) -> None:
    roles.clear()
    for more in ({}, {"cf_domain": OTHER_DOMAIN}, {"cf_domain": OTHER_DOMAIN, "dry_run": True}):
        cause = machine.resolve(GOOD | {"url_list": [OTHER_URL]} | more).resolved["rejection"]["cause"]
        assert cause.startswith(f"cf_domain: {OTHER_DOMAIN} is not" if more else "url_list: none of its hosts")
        assert REASON in cause


def test_cf_domain_of_an_account_that_is_readable_is_warmed_with_a_warning(
    machine: Machine, roles: dict[str, str]
) -> None:
    roles.clear()
    machine.resolve(GOOD | {"url_list": [OWN_URL], "cf_domain": DOMAIN}, "own")
    assert document("own", "plan/plan.json")["warnings"][0].startswith(REASON)


def test_host_of_a_wildcard_is_warmed_but_not_invalidated_while_an_account_is_unknown(
    machine: Machine, roles: dict[str, str], two_accounts: SimpleNamespace
) -> None:
    """Its copies may belong to a distribution of that account; removing others would leave a run green and old."""
    roles.clear()
    machine.resolve(GOOD | {"url_list": [EXACT_URL]}, "wild")
    (group,) = document("wild", "plan/plan.json")["groups"]
    assert group["distribution_id"] == two_accounts.distribution_ids[0]
    machine.resolve(GOOD | {"url_list": [EXACT_URL, OWN_URL], "invalidate": True}, "doubtful")
    plan = document("doubtful", "plan/plan.json")
    assert [group["url_to"] for group in plan["groups"]] == [1]
    covered = f"not warmed: {EXACT} is covered by a wildcard of {DOMAIN} only, and another distribution may name it"
    assert any(text.startswith(covered) and REASON in text for text in plan["warnings"])


def test_role_that_may_not_list_is_named_with_the_rights_to_give(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.account_id == OTHER:
            response: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
            raise ClientError(response, "ListDistributions")
        return original(self, *arguments, **options)

    original = CloudFrontBackend.list_distributions
    monkeypatch.setattr(CloudFrontBackend, "list_distributions", denied)
    cause = machine.resolve(GOOD | {"url_list": [OTHER_URL]}).resolved["rejection"]["cause"]
    assert f"account {OTHER} cannot be used: its role {ROLE} may not ListDistributions (AccessDenied)" in cause
    assert "give it the permissions of examples/distribution-role.yaml" in cause


def test_short_failure_of_sts_is_retried_by_the_state_machine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any, **__: Any) -> Any:
        response: Any = {"Error": {"Code": "Throttling", "Message": "no"}}
        raise ClientError(response, "AssumeRole")

    monkeypatch.setattr(STSBackend, "assume_role", throttled)
    with pytest.raises(TransientError, match="sts AssumeRole"):
        machine.resolve(GOOD | {"url_list": [OWN_URL]})


def test_diagnosis_warns_about_a_role_that_cannot_be_assumed(machine: Machine, roles: dict[str, str]) -> None:
    settings = Settings.from_environment()

    def row() -> dict[str, Any]:
        checks = diagnose(None, settings, storage())["checks"]
        return next(check for check in checks if check["check"] == "cloudfront_api")

    assert row()["result"] == "ok"
    roles.clear()
    assumed_roles.cache_clear()
    refused = row()
    assert refused["result"] == "warning"
    assert ROLE in refused["detail"]
