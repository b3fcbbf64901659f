"""Distributions of several accounts, with moto's STS: found, warmed and invalidated by the role of their account."""

import gzip
import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudfront.models import cloudfront_backends
from moto.sts.models import sts_backends

from prewarm.observability import logger
from prewarm.settings import Settings
from resolve.distributions.assumed_roles import assumed_roles
from resolve.distributions.finder import DistributionFinder
from tests.support.handlers import (
    ACCOUNT,
    BUCKET,
    DOMAIN,
    OTHER_DOMAIN,
    TABLE,
    Machine,
    client,
    document,
    keys,
)
from tests.support.two_accounts import (
    EXACT,
    EXACT_URL,
    EXTERNAL_ID,
    GOOD,
    OTHER,
    OTHER_URL,
    OWN_URL,
    ROLE,
    invalidated,
    step,
)


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
