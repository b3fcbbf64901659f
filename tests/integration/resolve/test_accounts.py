"""Distributions of several accounts, with moto's STS: found, warmed and invalidated by the role of their account."""

import gzip
import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudfront.models import CloudFrontBackend, cloudfront_backends
from moto.sts.models import STSBackend, sts_backends

import resolve.invalidate_handler
from prewarm.errors import BrokenSetting, TransientError
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import storage
from prewarm_local.stack.moto_accounts import patch_assumed_roles
from prewarm_local.stack.moto_patches import MotoPatches
from resolve.diagnose import diagnose
from resolve.distributions.assumed_roles import RoleRefused, assumed_roles
from resolve.distributions.finder import DistributionFinder
from tests.support.edge_urls import HOST
from tests.support.handlers import (
    ACCOUNT,
    BUCKET,
    DOMAIN,
    OTHER_DOMAIN,
    OTHER_HOST,
    SYDNEY,
    TABLE,
    Context,
    Machine,
    add_distribution,
    client,
    document,
    keys,
)

OTHER = "222222222222"
ROLE, EXTERNAL_ID = f"arn:aws:iam::{OTHER}:role/prewarm", "ext-7f3a"
EXACT = "api.wild.example.com"
OWN_URL, OTHER_URL, EXACT_URL = f"https://{HOST}/own", f"https://{OTHER_HOST}/other", f"https://{EXACT}/exact"
GOOD: dict[str, Any] = {"region_type": "pop", "region": SYDNEY[:1]}


def move(distribution_id: str) -> None:
    """Move a distribution into the other account."""
    made = cloudfront_backends[ACCOUNT]["aws"].distributions.pop(distribution_id)
    cloudfront_backends[OTHER]["aws"].distributions[distribution_id] = made


@pytest.fixture
def roles() -> dict[str, str]:
    """The roles that may be assumed, with their external ids; a test may remove one."""
    return {ROLE: EXTERNAL_ID}


@pytest.fixture(autouse=True)
def two_accounts(
    account: SimpleNamespace, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    """The second distribution, and one that names a host of its wildcard, are in another account."""
    monkeypatch.setenv("PREWARM_DISTRIBUTION_ROLES", ROLE)
    monkeypatch.setenv("PREWARM_DISTRIBUTION_EXTERNAL_ID", EXTERNAL_ID)
    account.exact = add_distribution("d888abcdef8.cloudfront.net", [EXACT])
    for moved in (account.distribution_ids[1], account.exact):
        move(moved)
    for owner in (ACCOUNT, OTHER):
        cloudfront_backends[owner]["aws"].invalidations.clear()
    assumed_roles.cache_clear()
    with MotoPatches() as patches:
        patch_assumed_roles(patches, roles)
        yield account
    assumed_roles.cache_clear()


def step(run: str, progress: dict[str, Any], redrives: int = 0) -> dict[str, Any]:
    event = {"run": run, "redrives": redrives, "invalidation": progress}
    after: dict[str, Any] = resolve.invalidate_handler.handler(event, Context(900.0))
    return after


def invalidated(owner: str) -> dict[str, list[str]]:
    """Return the paths of an account's invalidations by distribution."""
    backend = cloudfront_backends[owner]["aws"]
    return {made: [path for each in listed for path in each.paths] for made, listed in backend.invalidations.items()}


def test_hosts_of_two_accounts_are_warmed_in_one_run_and_settings_are_read_by_the_role(
    machine: Machine, two_accounts: SimpleNamespace
) -> None:
    ran = machine.run(GOOD | {"url_list": [OWN_URL, OTHER_URL]}, "both")
    assert ran.output["warm"]
    groups = document("both", "plan/plan.json")["groups"]
    assert [(group["distribution_id"], group["account"]) for group in groups] == [
        (two_accounts.distribution_ids[0], ""),
        (two_accounts.distribution_ids[1], OTHER),
    ]
    warnings = document("both", "summary.json")["warnings"]
    assert not any("could not be read" in text or "settings are unknown" in text for text in warnings)
    (assumed,) = sts_backends[OTHER]["aws"].assumed_roles
    assert (assumed.role_arn, assumed.external_id, assumed.session_name) == (ROLE, EXTERNAL_ID, "cloudfront-prewarm")


def test_role_is_assumed_once_for_several_runs(machine: Machine) -> None:
    for _ in range(3):
        machine.resolve(GOOD | {"url_list": [OTHER_URL]})
    assert len(sts_backends[OTHER]["aws"].assumed_roles) == 1


def test_exact_name_in_another_account_is_closer_than_a_wildcard_in_the_services_own(
    two_accounts: SimpleNamespace,
) -> None:
    found = DistributionFinder(Settings.from_environment()).find([EXACT, "x.wild.example.com"], None).distributions
    assert [(each.id, each.account) for each in found.values()] == [
        (two_accounts.exact, OTHER),
        (two_accounts.distribution_ids[0], ""),
    ]


def test_dry_run_names_the_account(machine: Machine) -> None:
    machine.resolve(GOOD | {"url_list": [OWN_URL, OTHER_URL], "dry_run": True}, "dry")
    listed = document("dry", "dry_run.json")["distributions"]
    assert [each["account"] for each in listed] == [None, OTHER]


def test_paths_are_invalidated_and_checked_in_the_account_of_their_distribution(
    machine: Machine, two_accounts: SimpleNamespace
) -> None:
    resolved = machine.resolve(GOOD | {"url_list": [OWN_URL, OTHER_URL], "invalidate": True}, "fresh").resolved
    progress = step("fresh", resolved["invalidation"])
    assert [each.get("account") for each in progress["created"]] == [None, OTHER]
    own, other = two_accounts.distribution_ids
    assert invalidated(ACCOUNT) == {own: ["/own"]}
    assert invalidated(OTHER) == {other: ["/other"]}
    assert step("fresh", progress)["done"] == 0
    for owner in (ACCOUNT, OTHER):
        for (each,) in cloudfront_backends[owner]["aws"].invalidations.values():
            each.status = "Completed"
    # As after a redrive, in a function that has no credentials yet.
    assumed_roles.cache_clear()
    assert step("fresh", progress, redrives=1)["status"] == "completed"


def test_run_whose_role_was_removed_since_says_what_to_add(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = machine.resolve(GOOD | {"url_list": [OTHER_URL], "invalidate": True}, "removed").resolved
    monkeypatch.setenv("PREWARM_DISTRIBUTION_ROLES", "")
    with pytest.raises(
        BrokenSetting, match=f"account {OTHER}, but DistributionRoles has no role of it; add the role"
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
    assert "give it the rights of examples/distribution-role.yaml" in cause


def test_short_failure_of_sts_is_retried_by_the_state_machine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any, **__: Any) -> Any:
        response: Any = {"Error": {"Code": "Throttling", "Message": "no"}}
        raise ClientError(response, "AssumeRole")

    monkeypatch.setattr(STSBackend, "assume_role", throttled)
    with pytest.raises(TransientError, match="sts AssumeRole"):
        machine.resolve(GOOD | {"url_list": [OWN_URL]})


@pytest.mark.parametrize("allowed", [OTHER_DOMAIN, f"{DOMAIN},{OTHER_DOMAIN}"])
def test_allowed_distributions_apply_to_every_account(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    monkeypatch.setenv("PREWARM_ALLOWED_DISTRIBUTIONS", allowed)
    assert "rejection" not in machine.resolve(GOOD | {"url_list": [OTHER_URL]}).resolved
    cause = machine.resolve(GOOD | {"url_list": [EXACT_URL]}).resolved["rejection"]["cause"]
    assert "is not among the distributions that the service may warm" in cause


def test_credentials_are_in_no_document_state_item_or_log_line(machine: Machine, roles: dict[str, str]) -> None:
    written, handler_level = io.StringIO(), logger.log_level
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    logger.setLevel("DEBUG")
    request = GOOD | {"url_list": [OTHER_URL, OWN_URL], "invalidate": True}
    ran = machine.resolve(request, "kept")
    progress = step("kept", ran.resolved["invalidation"])
    for item in machine.items(ran):
        machine.warm(ran, item)
    machine.aggregate(ran)
    logger.setLevel(handler_level)
    logger._logger.removeHandler(handler)
    held = list(assumed_roles()._kept.values())
    secrets = [text for each in held for text in (each.access_key, each.secret_key, each.token)]
    assert len(secrets) == 3
    bodies = [client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys("runs/kept/")]
    texts = [(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("latin-1") for body in bodies]
    items = json.dumps(client("dynamodb").scan(TableName=TABLE)["Items"], default=str)
    everything = "\n".join([*texts, items, json.dumps([ran.resolved, progress]), written.getvalue()])
    assert OTHER in everything
    assert not [secret for secret in secrets if secret in everything]


def test_plan_stored_by_an_earlier_version_is_invalidated_in_the_services_own_account(
    machine: Machine, two_accounts: SimpleNamespace
) -> None:
    resolved = machine.resolve(GOOD | {"url_list": [OWN_URL], "invalidate": True}, "old").resolved
    plan = document("old", "plan/plan.json")
    for group in plan["groups"]:
        del group["account"]
    client("s3").put_object(Bucket=BUCKET, Key="runs/old/plan/plan.json", Body=json.dumps(plan))
    (key,) = [key for key in keys("runs/old/plan/") if "invalidation" in key]
    batches = plan_or_list(key)
    for batch in batches:
        del batch["account"]
    packed = json.dumps(batches).encode()
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(packed) if key.endswith(".gz") else packed)
    step("old", resolved["invalidation"])
    assert invalidated(ACCOUNT) == {two_accounts.distribution_ids[0]: ["/own"]}


def plan_or_list(key: str) -> Any:
    body = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return json.loads(gzip.decompress(body) if key.endswith(".gz") else body)


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
