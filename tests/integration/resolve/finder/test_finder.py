"""The distribution of each host, by the CloudFront API and the AllowedDistributions setting."""

import re

import pytest
from botocore.stub import Stubber

from prewarm.errors import InvalidRequest
from prewarm.settings import Settings
from tests.support.edge_urls import HOST
from tests.support.handlers import DOMAIN
from tests.support.listed_distributions import (
    MINE,
    MULTI,
    OFF,
    STAGING,
    finder,
    listed,
    summary,
)


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
