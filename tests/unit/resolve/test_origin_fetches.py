"""The estimate of origin fetches: regional edge caches, and where they are bypassed.

Developer Guide, "How CloudFront works with regional edge caches": dynamic requests, and requests for an S3 bucket in
the Region of the nearest regional edge cache, go to the origin directly.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue, regions_of_caches
from prewarm.planning.plan import Group
from resolve.distributions.cache_behaviours import behaviours
from resolve.origin_fetches import OriginFetches, origin_fetches
from tests.support.builders import parsed
from tests.support.cache_policies import DISABLED, OPTIMIZED, header_list, policy

# Two POPs behind Frankfurt, one behind Tokyo.
POPS = ("FRA2-C1", "FRA50-P1", "NRT57-P3")
DOMAIN = "d111.cloudfront.net"
POLICIES = {"optimized": OPTIMIZED, "disabled": DISABLED, "all": policy(HeadersConfig=header_list("*"))}


def estimate(
    behaviour: dict[str, Any], origin: dict[str, Any], *, variants: int = 1, share: float = 0.0
) -> OriginFetches:
    config = {
        "Origins": {"Items": [{"Id": "o", **origin}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", **behaviour},
    }
    urls = parsed(*(f"https://www.example.com/{n}" for n in range(10)))
    group = Group(DOMAIN, "E1", 0, 10, POPS, 3)
    return origin_fetches([(group, behaviours(config, POLICIES), None)], urls, variants, share, catalogue())


CACHED = {"CachePolicyId": "optimized"}
CUSTOM = {"DomainName": "origin.example.com"}
BUCKET = {"DomainName": "b.s3.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize(("variants", "share"), [(1, 0.0), (2, 1.0)])
def test_objects_are_fetched_once_for_each_regional_cache(variants: int, share: float) -> None:
    found = estimate(CACHED, CUSTOM, variants=variants, share=share)
    assert (found.fetches, found.direct) == (10 * 2 * variants, 0)


def test_bucket_in_the_region_of_a_regional_cache_is_asked_by_each_of_its_pops() -> None:
    found = estimate(CACHED, BUCKET)
    assert (found.fetches, found.direct) == (10 * 2 + 10, 10 * 2)
    (bypass,) = found.bypasses
    assert (bypass.reason, bypass.region, bypass.urls, bypass.pops) == ("s3_same_region", "eu-central-1", 10, 2)
    assert "20 fetches go to the origin directly" in bypass.warning()
    assert "S3 bucket is in eu-central-1" in bypass.warning()


def test_bucket_in_another_region_bypasses_nothing() -> None:
    assert estimate(CACHED, {"DomainName": "b.s3.ca-central-1.amazonaws.com"}).bypasses == ()


@pytest.mark.parametrize("behaviour", [{"CachePolicyId": "disabled"}, {"CachePolicyId": "all"}])
def test_dynamic_requests_all_reach_the_origin_verifications_too(behaviour: dict[str, Any]) -> None:
    found = estimate(behaviour, CUSTOM, share=1.0)
    assert (found.fetches, found.direct) == (60, 60)
    assert "60 fetches go to the origin directly" in found.bypasses[0].warning()
    assert "dynamic requests" in found.bypasses[0].warning()


def test_origin_shield_makes_it_one_fetch() -> None:
    found = estimate(CACHED, BUCKET | {"OriginShield": {"Enabled": True, "OriginShieldRegion": "eu-central-1"}})
    assert (found.fetches, found.bypasses) == (10, ())


def test_distribution_with_unknown_settings_is_estimated_by_regional_caches() -> None:
    urls = parsed("https://www.example.com/a")
    assert origin_fetches([(Group(DOMAIN, "", 0, 1, POPS, 3), [], None)], urls, 1, 0.0, catalogue()).fetches == 2


def test_every_regional_cache_has_a_region() -> None:
    assert set(regions_of_caches()) == set(catalogue().regional_caches)


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=30),
    st.sampled_from(["optimized", "disabled", "all", "missing", ""]),
    st.sampled_from([CUSTOM, BUCKET, BUCKET | {"OriginShield": {"Enabled": True}}]),
    st.sampled_from([0.0, 1.0]),
)
def test_pairs_are_estimated_as_the_sum_of_their_urls(
    masks: list[int], policy_id: str, origin: dict[str, Any], share: float
) -> None:
    config = {
        "Origins": {"Items": [{"Id": "o", **origin}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "CachePolicyId": policy_id},
    }
    in_order = behaviours(config, POLICIES) if policy_id else []
    urls = parsed(*(f"https://www.example.com/{n}" for n in range(len(masks))))
    group = Group(DOMAIN, "E1", 0, len(urls), POPS, 3)
    found = origin_fetches([(group, in_order, masks)], urls, 2, share, catalogue())
    alone = [
        origin_fetches([(Group(DOMAIN, "E1", n, n + 1, POPS, 3), in_order, [mask])], urls, 2, share, catalogue())
        for n, mask in enumerate(masks)
    ]
    assert (found.fetches, found.direct) == (sum(each.fetches for each in alone), sum(each.direct for each in alone))
    if found.bypasses:
        assert found.bypasses[0].pops == max(each.bypasses[0].pops for each in alone if each.bypasses)
    # A rectangle has the same estimate as all of its pairs.
    whole, pairs = (
        origin_fetches([(group, in_order, listed)], urls, 2, share, catalogue()) for listed in (None, [7] * len(urls))
    )
    assert whole == pairs
