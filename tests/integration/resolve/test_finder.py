"""The distribution of each host, by the CloudFront API and the AllowedDistributions setting."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from prewarm.errors import InvalidRequest
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.distributions import finder as finder_module
from resolve.distributions import lookup_time
from resolve.distributions.cnames import Chains
from resolve.distributions.finder import DistributionFinder
from tests.support.edge_urls import HOST
from tests.support.handlers import DOMAIN, REGION

TENANT_HOST, ENDPOINT = "shop.customer.example", "d777abcdef8.cloudfront.net"
CLOUDFRONT = boto3.Session().client(
    "cloudfront", region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-"
)


def summary(number: int, *aliases: str, **changes: Any) -> dict[str, Any]:
    """Return an entry of ListDistributions with all fields that its shape requires."""
    none: Any = {"Quantity": 0}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"}
    return {
        "Id": f"E{number}",
        "ARN": f"arn:aws:cloudfront::123456789012:distribution/E{number}",
        "Status": "Deployed",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
        "DomainName": f"d{number}.cloudfront.net",
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example.com"}]},
        "DefaultCacheBehavior": behaviour,
        "CacheBehaviors": none,
        "CustomErrorResponses": none,
        "Comment": "",
        "PriceClass": "PriceClass_100",
        "Enabled": True,
        "ViewerCertificate": {},
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "Staging": False,
    } | changes


MINE = summary(1, HOST, "*.wild.example.com")
OFF = summary(2, "off.example.com", Enabled=False)
STAGING = summary(3, Staging=True)
MULTI = summary(4, ConnectionMode="tenant-only")


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(CLOUDFRONT) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def settings(edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch) -> Settings:
    stores = {"PREWARM_BUCKET": "bucket", "PREWARM_TABLE": "table"}
    return Settings.from_environment(edge.settings() | stores)


def listed(stub: Stubber, *pages: list[dict[str, Any]]) -> None:
    for number, items in enumerate(pages):
        last = number == len(pages) - 1
        response: dict[str, Any] = {"Marker": "", "MaxItems": 100, "IsTruncated": not last, "Quantity": len(items)}
        more = {} if last else {"NextMarker": f"m{number + 1}"}
        parameters = {"Marker": f"m{number}"} if number else {}
        stub.add_response("list_distributions", {"DistributionList": response | {"Items": items} | more}, parameters)


def tenant(stub: Stubber, domain: str, *, status: str = "active", enabled: bool = True, group: bool = True) -> None:
    found = {
        "Id": "dt_1",
        "DistributionId": "E4",
        "Name": "customer",
        "Domains": [{"Domain": domain, "Status": status}],
        "ConnectionGroupId": "cg_1",
        "Enabled": enabled,
        "Status": "Deployed",
    }
    stub.add_response("get_distribution_tenant_by_domain", {"DistributionTenant": found}, {"Domain": domain})
    if group:
        endpoint = {"ConnectionGroup": {"Id": "cg_1", "RoutingEndpoint": ENDPOINT, "Enabled": True}}
        stub.add_response("get_connection_group", endpoint, {"Identifier": "cg_1"})


def finder(settings: Settings, allowed: str | tuple[str, ...] = "account") -> DistributionFinder:
    return DistributionFinder(replace(settings, allowed_distributions=allowed), {"": CLOUDFRONT})


def test_hosts_are_found_on_every_page_and_distributions_are_listed_once(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(5, "a.example.com")], [summary(6, "b.example.com")], [MINE])
    shared = finder(settings)
    for _ in range(2):
        found = shared.find(["b.example.com", "x.y.wild.example.com", HOST, "d5.cloudfront.net"], None)
        assert {host: each.id for host, each in found.distributions.items()} == {
            "b.example.com": "E6",
            "x.y.wild.example.com": "E1",
            HOST: "E1",
            "d5.cloudfront.net": "E5",
        }
    assert found.reasons == {}
    assert found.distributions[HOST].price_class == "PriceClass_100"


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
    ("host", "words"),
    [
        ("off.example.com", "belongs to d2.cloudfront.net, which is disabled; enable it"),
        ("d3.cloudfront.net", "is a staging distribution, .* warm the primary"),
        ("d4.cloudfront.net", "only through its tenants' domains"),
    ],
)
def test_distribution_that_viewers_do_not_reach_is_the_reason(
    stub: Stubber, settings: Settings, host: str, words: str
) -> None:
    listed(stub, [MINE, OFF, STAGING, MULTI])
    found = finder(settings).find([host], None)
    assert found.distributions == {}
    assert re.search(words, found.reasons[host])


def test_cname_is_a_hint_and_not_a_proof(stub: Stubber, settings: Settings) -> None:
    """The simulation's DNS points HOST to its distribution, which this account does not have."""
    listed(stub, [summary(9)])
    found = finder(settings).find([HOST], None)
    assert found.distributions == {}
    assert found.reasons[HOST] == f"DNS points {HOST} to {DOMAIN}, which is not a distribution of this account"


def test_cname_to_an_own_distribution_without_the_alias_is_not_a_proof(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(9, DomainName=DOMAIN)])
    reason = finder(settings).find([HOST], None).reasons[HOST]
    assert reason == f"DNS points {HOST} to {DOMAIN}, but that distribution does not list it; add it to its aliases"


def test_cname_counts_if_any_distribution_is_allowed(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(9)])
    found = finder(settings, "any").find([HOST, "d999.cloudfront.net", "unserved.example"], None)
    assert {host: (each.id, each.domain) for host, each in found.distributions.items()} == {
        HOST: ("", DOMAIN),
        "d999.cloudfront.net": ("", "d999.cloudfront.net"),
    }
    assert "its DNS does not point to CloudFront" in found.reasons["unserved.example"]


def test_foreign_cf_domain_is_accepted_only_if_any_distribution_is_allowed(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(9)])
    found = finder(settings, "any").find(["unserved.example"], "d999.cloudfront.net").distributions
    assert found["unserved.example"].domain == "d999.cloudfront.net"
    listed(stub, [summary(9)])
    with pytest.raises(InvalidRequest, match=r"cf_domain: d999.cloudfront.net is not a distribution of this account"):
        finder(settings).find(["unserved.example"], "d999.cloudfront.net")


def test_allowed_list_excludes_other_distributions(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE, summary(8, "other.example.com")])
    shared = finder(settings, ("d1.cloudfront.net",))
    found = shared.find([HOST, "other.example.com"], None)
    assert list(found.distributions) == [HOST]
    assert "is not among the distributions that the service may warm" in found.reasons["other.example.com"]
    with pytest.raises(InvalidRequest, match=r"d8\.cloudfront\.net is not among"):
        shared.find(["other.example.com"], "d8.cloudfront.net")


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


def test_wildcard_does_not_serve_a_host_that_another_distribution_names(stub: Stubber, settings: Settings) -> None:
    """The edge routes by Host: it would respond, and cache, for the other distribution."""
    listed(stub, [MINE, summary(8, "api.wild.example.com")])
    reasons = finder(settings).find(["api.wild.example.com"], "d1.cloudfront.net").reasons
    whose = "api.wild.example.com is served by d8.cloudfront.net"
    assert reasons == {"api.wild.example.com": f"{whose}, not by the cf_domain d1.cloudfront.net"}


@pytest.mark.parametrize(
    ("cf_domain", "words"),
    [
        ("d2.cloudfront.net", "cf_domain: d2.cloudfront.net is disabled"),
        ("d3.cloudfront.net", "cf_domain: d3.cloudfront.net is a staging distribution"),
    ],
)
def test_idle_cf_domain_is_rejected(stub: Stubber, settings: Settings, cf_domain: str, words: str) -> None:
    listed(stub, [MINE, OFF, STAGING])
    with pytest.raises(InvalidRequest, match=words):
        finder(settings).find([HOST], cf_domain)


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
