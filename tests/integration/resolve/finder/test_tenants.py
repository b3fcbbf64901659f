"""Tenants of multi-tenant distributions: found by their domain, within the time of a run's look-ups."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.stub import Stubber

from prewarm.settings import Settings
from resolve.distributions import finder as finder_module
from resolve.distributions import lookup_time
from resolve.distributions.cnames import Chains
from resolve.distributions.finder import DistributionFinder
from tests.support.edge_urls import HOST
from tests.support.listed_distributions import (
    CLOUDFRONT,
    ENDPOINT,
    MINE,
    MULTI,
    TENANT_HOST,
    finder,
    listed,
    tenant,
)


def test_domain_without_a_tenant_has_no_distribution(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MULTI])
    domain = {"Domain": TENANT_HOST}
    stub.add_client_error("get_distribution_tenant_by_domain", "EntityNotFound", "none", expected_params=domain)
    assert "no distribution of this account" in finder(settings).find([TENANT_HOST], None).reasons[TENANT_HOST]


def test_tenant_domain_has_its_connection_groups_routing_endpoint(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE, MULTI])
    tenant(stub, TENANT_HOST)
    shared = finder(settings)
    found = shared.find([HOST, TENANT_HOST], None).distributions
    assert (found[TENANT_HOST].domain, found[TENANT_HOST].tenant, found[TENANT_HOST].id) == (ENDPOINT, "dt_1", "E4")
    assert found[HOST].tenant == ""
    assert shared.find([TENANT_HOST], ENDPOINT).distributions == {TENANT_HOST: found[TENANT_HOST]}


def test_tenants_domain_is_closer_than_a_wildcard(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE, MULTI])
    tenant(stub, "shop.wild.example.com")
    found = finder(settings).find(["shop.wild.example.com"], None).distributions
    assert found["shop.wild.example.com"].tenant == "dt_1"


def test_tenants_are_not_requested_without_multi_tenant_distributions(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE])
    assert finder(settings).find(["unserved.example"], None).reasons["unserved.example"] == (
        "no distribution of this account has the alias unserved.example, and its DNS does not point to CloudFront"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"status": "inactive", "group": False}, "no distribution of this account"), ({"enabled": False}, "disabled")],
)
def test_inactive_or_disabled_tenant_is_not_warmed(
    stub: Stubber, settings: Settings, changes: dict[str, Any], words: str
) -> None:
    listed(stub, [MULTI])
    tenant(stub, TENANT_HOST, **changes)
    found = finder(settings).find([TENANT_HOST], None)
    assert found.distributions == {}
    assert words in found.reasons[TENANT_HOST]


@pytest.mark.parametrize(
    ("allowed", "warmed"), [(ENDPOINT, True), ("d4.cloudfront.net", True), ("d1.cloudfront.net", False)]
)
def test_allowed_list_accepts_tenants_by_endpoint_or_distribution(
    stub: Stubber, settings: Settings, allowed: str, *, warmed: bool
) -> None:
    listed(stub, [MINE, MULTI])
    tenant(stub, TENANT_HOST)
    found = finder(settings, (allowed,)).find([TENANT_HOST], None)
    assert bool(found.distributions) is warmed


class SlowTenants:
    """A CloudFront client whose tenant look-ups take a while, and whose account has one multi-tenant distribution."""

    exceptions = CLOUDFRONT.exceptions

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self) -> list[Any]:
        return [{"DistributionList": {"Items": [MULTI]}}]

    def get_distribution_tenant_by_domain(self, Domain: str) -> Any:  # noqa: N803 - boto3's
        time.sleep(0.05)
        raise CLOUDFRONT.exceptions.EntityNotFound({"Error": {"Code": "EntityNotFound", "Message": Domain}}, "Get")


def test_dns_hints_and_tenants_of_a_run_share_one_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_time, "SECONDS_AT_MOST", 1.0)
    given: list[float] = []

    def half(hosts: Sequence[str], _settings: Settings, seconds: float) -> Chains:
        given.append(seconds)
        time.sleep(0.5)
        return Chains({host: [] for host in hosts})

    monkeypatch.setattr(finder_module, "cname_chains", half)
    client: Any = SlowTenants()
    hosts = [f"h{number}.example" for number in range(40_000)]
    shared = DistributionFinder(settings, {"": client})
    started = time.monotonic()
    reasons = shared.find(hosts, None).reasons
    assert time.monotonic() - started < 15
    late = [host for host, reason in reasons.items() if "a run may spend 1 s on looking up hosts" in reason]
    assert 39_000 < len(late) < 40_000
    assert "the alias h0.example, and its DNS does not point to CloudFront" in reasons["h0.example"]
    # The time is spent for the rest of the run too.
    assert "a run may spend 1 s" in shared.find(["later.example"], None).reasons["later.example"]
    assert given[0] == pytest.approx(1.0)
    assert given[1] == 0


def test_hosts_that_were_not_looked_up_refuse_the_run_with_the_reason(
    stub: Stubber, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(stub, [MINE])
    monkeypatch.setattr(finder_module, "cname_chains", lambda *_: Chains({}, "not looked up, since X"))
    reasons = finder(settings, "any").find(["a.example"], None).reasons
    assert reasons == {
        "a.example": "no distribution of this account has the alias a.example, and it was not looked up, since X"
    }
