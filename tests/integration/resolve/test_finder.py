"""Which distribution serves each host, as the CloudFront API says it, and what the operator's setting allows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from prewarm.errors import InvalidRequest
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.distributions.finder import Directory
from tests.support.edge_urls import HOST
from tests.support.handlers import DOMAIN, REGION

TENANT_HOST, ENDPOINT = "shop.customer.example", "d777abcdef8.cloudfront.net"
CLOUDFRONT = boto3.Session().client(
    "cloudfront", region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-"
)


def summary(number: int, *aliases: str, **changes: Any) -> dict[str, Any]:
    """One entry of ListDistributions, with all that its shape requires."""
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
        asked = {"Marker": f"m{number}"} if number else {}
        stub.add_response("list_distributions", {"DistributionList": response | {"Items": items} | more}, asked)


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


def directory(settings: Settings, allowed: str | tuple[str, ...] = "account") -> Directory:
    return Directory(replace(settings, allowed_distributions=allowed), CLOUDFRONT)


def test_hosts_get_their_distributions_from_every_page_and_each_question_is_asked_once(
    stub: Stubber, settings: Settings
) -> None:
    listed(stub, [summary(5, "a.example.com")], [summary(6, "b.example.com")], [MINE])
    known = directory(settings)
    for _ in range(2):
        found = known.find(["b.example.com", "x.y.wild.example.com", HOST, "d5.cloudfront.net"], None)
        assert {host: each.id for host, each in found.distributions.items()} == {
            "b.example.com": "E6",
            "x.y.wild.example.com": "E1",
            HOST: "E1",
            "d5.cloudfront.net": "E5",
        }
    assert found.reasons == {}
    assert found.distributions[HOST].price_class == "PriceClass_100"


def test_a_domain_of_no_tenant_has_no_distribution(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MULTI])
    domain = {"Domain": TENANT_HOST}
    stub.add_client_error("get_distribution_tenant_by_domain", "EntityNotFound", "none", expected_params=domain)
    assert "no distribution of this account" in directory(settings).find([TENANT_HOST], None).reasons[TENANT_HOST]


def test_a_tenants_domain_leads_to_its_connection_groups_routing_endpoint(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE, MULTI])
    tenant(stub, TENANT_HOST)
    known = directory(settings)
    found = known.find([HOST, TENANT_HOST], None).distributions
    assert (found[TENANT_HOST].domain, found[TENANT_HOST].tenant, found[TENANT_HOST].id) == (ENDPOINT, "dt_1", "E4")
    assert found[HOST].tenant == ""
    assert known.find([TENANT_HOST], ENDPOINT).distributions == {TENANT_HOST: found[TENANT_HOST]}


def test_an_account_without_multi_tenant_distributions_is_not_asked_for_tenants(
    stub: Stubber, settings: Settings
) -> None:
    listed(stub, [MINE])
    assert directory(settings).find(["nobody.example"], None).reasons["nobody.example"] == (
        "no distribution of this account names nobody.example, and DNS does not lead it to CloudFront"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [({"status": "inactive", "group": False}, "no distribution of this account"), ({"enabled": False}, "disabled")],
)
def test_a_tenant_that_serves_nobody_is_not_warmed(
    stub: Stubber, settings: Settings, given: dict[str, Any], words: str
) -> None:
    listed(stub, [MULTI])
    tenant(stub, TENANT_HOST, **given)
    found = directory(settings).find([TENANT_HOST], None)
    assert found.distributions == {}
    assert words in found.reasons[TENANT_HOST]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("off.example.com", "belongs to d2.cloudfront.net, which is disabled; enable it"),
        ("d3.cloudfront.net", "is a staging distribution, .* warm the primary"),
        ("d4.cloudfront.net", "only by its tenants' domains"),
    ],
)
def test_what_viewers_do_not_reach_is_said_to_be_so(stub: Stubber, settings: Settings, host: str, words: str) -> None:
    listed(stub, [MINE, OFF, STAGING, MULTI])
    found = directory(settings).find([host], None)
    assert found.distributions == {}
    assert re.search(words, found.reasons[host])


def test_a_cname_is_a_hint_and_no_proof(stub: Stubber, settings: Settings) -> None:
    """DNS of the simulation leads HOST to its distribution, which this account does not have."""
    listed(stub, [summary(9)])
    found = directory(settings).find([HOST], None)
    assert found.distributions == {}
    assert found.reasons[HOST] == f"DNS leads {HOST} to {DOMAIN}, which is no distribution of this account"


def test_a_cname_to_a_distribution_of_ours_that_does_not_list_the_host_is_no_proof_either(
    stub: Stubber, settings: Settings
) -> None:
    listed(stub, [summary(9, DomainName=DOMAIN)])
    reason = directory(settings).find([HOST], None).reasons[HOST]
    assert reason == f"DNS leads {HOST} to {DOMAIN}, but that distribution does not list it; add it to its aliases"


def test_only_where_the_operator_trusts_everybody_a_cname_counts(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(9)])
    found = directory(settings, "any").find([HOST, "d999.cloudfront.net", "nobody.example"], None)
    assert {host: (each.id, each.domain) for host, each in found.distributions.items()} == {
        HOST: ("", DOMAIN),
        "d999.cloudfront.net": ("", "d999.cloudfront.net"),
    }
    assert "DNS does not lead it to CloudFront" in found.reasons["nobody.example"]


def test_a_domain_given_is_taken_on_trust_only_where_everybody_is_trusted(stub: Stubber, settings: Settings) -> None:
    listed(stub, [summary(9)])
    found = directory(settings, "any").find(["nobody.example"], "d999.cloudfront.net").distributions
    assert found["nobody.example"].domain == "d999.cloudfront.net"
    listed(stub, [summary(9)])
    with pytest.raises(InvalidRequest, match=r"cf_domain: d999.cloudfront.net is no distribution of this account"):
        directory(settings).find(["nobody.example"], "d999.cloudfront.net")


def test_a_list_allows_its_distributions_alone(stub: Stubber, settings: Settings) -> None:
    listed(stub, [MINE, summary(8, "other.example.com")])
    known = directory(settings, ("d1.cloudfront.net",))
    found = known.find([HOST, "other.example.com"], None)
    assert list(found.distributions) == [HOST]
    assert "is not among the distributions that this service may warm" in found.reasons["other.example.com"]
    with pytest.raises(InvalidRequest, match=r"d8\.cloudfront\.net is not among"):
        known.find(["other.example.com"], "d8.cloudfront.net")


@pytest.mark.parametrize(
    ("allowed", "warmed"), [(ENDPOINT, True), ("d4.cloudfront.net", True), ("d1.cloudfront.net", False)]
)
def test_a_list_allows_tenants_by_routing_endpoint_or_by_their_distribution(
    stub: Stubber, settings: Settings, allowed: str, *, warmed: bool
) -> None:
    listed(stub, [MINE, MULTI])
    tenant(stub, TENANT_HOST)
    found = directory(settings, (allowed,)).find([TENANT_HOST], None)
    assert bool(found.distributions) is warmed


def test_a_host_that_another_distribution_names_more_closely_is_not_warmed_through_a_wildcard(
    stub: Stubber, settings: Settings
) -> None:
    """The edge routes by Host: it would response, and cache, for the other distribution."""
    listed(stub, [MINE, summary(8, "api.wild.example.com")])
    reasons = directory(settings).find(["api.wild.example.com"], "d1.cloudfront.net").reasons
    whose = "api.wild.example.com is served by d8.cloudfront.net"
    assert reasons == {"api.wild.example.com": f"{whose}, not by the cf_domain d1.cloudfront.net"}


@pytest.mark.parametrize(
    ("cf_domain", "words"),
    [
        ("d2.cloudfront.net", "cf_domain: d2.cloudfront.net is disabled"),
        ("d3.cloudfront.net", "cf_domain: d3.cloudfront.net is a staging distribution"),
    ],
)
def test_a_domain_given_that_serves_nobody_is_refused(
    stub: Stubber, settings: Settings, cf_domain: str, words: str
) -> None:
    listed(stub, [MINE, OFF, STAGING])
    with pytest.raises(InvalidRequest, match=words):
        directory(settings).find([HOST], cf_domain)
