"""How a distribution answers errors: its error pages, and what it refuses."""

from typing import Any

import pytest

from resolve.distributions.cache_behaviours import behaviours, first_matches, has_pragma_in_key, refusals
from resolve.distributions.error_responses import error_pages, error_seconds, errors_with_page, refusing_settings
from resolve.distributions.longest_lifetimes import longest_lifetimes, other_ttls
from tests.support.builders import parsed
from tests.support.cache_policies import DISABLED, OPTIMIZED


def entry(error: int, response: str = "", seconds: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"ErrorCode": error, "ResponsePagePath": "/index.html" if response else ""}
    if response:
        made["ResponseCode"] = response
    return made if seconds is None else made | {"ErrorCachingMinTTL": seconds}


@pytest.mark.parametrize(
    ("entries", "pages"),
    [
        ([], {}),
        ([entry(404, "200", 600)], {200: 600}),
        ([entry(404, "200", 600), entry(403, "200", 30)], {200: 30}),
        ([entry(404, "200")], {200: 10}),
        ([entry(404, "200", 0)], {200: 0}),
        ([entry(404, "404", 600)], {}),
        ([entry(404, seconds=600)], {}),
        ([entry(404, "503", 60)], {503: 60}),
        ([entry(500, "503", 60)], {}),
        ([entry(500, "200", 60)], {200: 60}),
    ],
)
def test_statuses_that_custom_error_responses_send_have_their_shortest_ttl(
    entries: list[dict[str, Any]], pages: dict[int, int]
) -> None:
    assert error_pages({"CustomErrorResponses": {"Quantity": len(entries), "Items": entries}}) == pages


def test_distribution_without_custom_error_responses_has_no_error_pages() -> None:
    assert error_pages({}) == error_pages({"CustomErrorResponses": {"Quantity": 0}}) == {}


@pytest.mark.parametrize(
    ("config", "behaviour", "words"),
    [
        ({}, {}, ""),
        ({"WebACLId": "arn:aws:wafv2:us-east-1:1:global/webacl/x"}, {}, "a web ACL"),
        ({"Restrictions": {"GeoRestriction": {"RestrictionType": "none"}}}, {}, ""),
        ({"Restrictions": {"GeoRestriction": {"RestrictionType": "blacklist"}}}, {}, "a geographic restriction"),
        ({}, {"TrustedKeyGroups": {"Enabled": True}}, "signed URLs"),
        ({"WebACLId": "x"}, {"TrustedSigners": {"Enabled": True}}, "a web ACL, signed URLs"),
        ({}, {"ViewerProtocolPolicy": "https-only"}, "https-only"),
    ],
)
def test_settings_that_refuse_requests_are_named(
    config: dict[str, Any], behaviour: dict[str, Any], words: str
) -> None:
    assert refusing_settings(config, behaviour) == words


def test_refusals_are_those_of_each_urls_behaviour() -> None:
    config = {
        "CacheBehaviors": {"Items": [{"PathPattern": "/paid/*", "TrustedKeyGroups": {"Enabled": True}}]},
        "DefaultCacheBehavior": {},
    }
    urls = parsed("https://www.example.com/a", "https://www.example.com/paid/b")
    in_order = behaviours(config, {})
    assert refusals(in_order, first_matches(in_order, urls)) == {1: "signed URLs"}


def test_pragma_in_a_cache_key_is_found() -> None:
    whitelist = {"ForwardedValues": {"Headers": {"Items": ["Pragma"]}}}
    assert has_pragma_in_key(behaviours({"DefaultCacheBehavior": whitelist}, {}))
    assert not has_pragma_in_key(behaviours({"DefaultCacheBehavior": {}}, {}))


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        ([], {}),
        ([entry(503, seconds=60)], {503: 60}),
        ([entry(503, seconds=0)], {503: 0}),
        ([entry(503)], {503: 10}),
        ([entry(503, "500", 60)], {500: 60}),
        # The origin's own 500 is kept for the default time.
        ([entry(503, "500", 2)], {500: 10}),
        ([entry(503, "500", 2), entry(500, seconds=5)], {500: 5}),
        ([entry(503, "200", 60)], {}),
        ([entry(503, "500", 60), entry(502, "500", 90)], {500: 90}),
    ],
)
def test_errors_are_kept_for_the_time_of_their_entry_by_the_status_that_viewers_see(
    entries: list[dict[str, Any]], kept: dict[int, int]
) -> None:
    assert error_seconds({"CustomErrorResponses": {"Quantity": len(entries), "Items": entries}}) == kept


@pytest.mark.parametrize(
    ("entries", "statuses"),
    [
        ([], set()),
        ([entry(503, seconds=60)], set()),
        ([entry(503) | {"ResponsePagePath": "/busy.html"}], {503}),
        ([entry(404, "503") | {"ResponsePagePath": "/busy.html"}], {503}),
        ([entry(404, "200") | {"ResponsePagePath": "/index.html"}], set()),
    ],
)
def test_statuses_with_a_page_of_their_own_are_known(entries: list[dict[str, Any]], statuses: set[int]) -> None:
    config = {"CustomErrorResponses": {"Quantity": len(entries), "Items": entries}, "DefaultCacheBehavior": {}}
    assert errors_with_page(config) == statuses
    assert behaviours(config, {})[0].paged_errors == statuses


def test_maximum_ttl_is_that_of_each_urls_behaviour_and_left_out_where_it_limits_nothing() -> None:
    config = {
        "CacheBehaviors": {
            "Items": [
                {"PathPattern": "/api/*", "CachePolicyId": "D"},
                {"PathPattern": "/minute/*", "MaxTTL": 60},
                {"PathPattern": "/all/*", "ForwardedValues": {"Headers": {"Items": ["*"]}}},
                {"PathPattern": "/unread/*", "CachePolicyId": "U"},
            ]
        },
        "DefaultCacheBehavior": {"CachePolicyId": "O"},
    }
    urls = parsed(*(f"https://www.example.com/{path}" for path in ("a", "api/b", "minute/c", "all/d", "unread/e")))
    in_order = behaviours(config, {"D": DISABLED, "O": OPTIMIZED})
    assert longest_lifetimes(in_order, first_matches(in_order, urls)) == {1: 0, 2: 60, 3: 0}
    assert longest_lifetimes([], first_matches([], urls)) == {}


def test_other_ttls_are_those_that_a_run_may_notice() -> None:
    config = {
        "CacheBehaviors": {
            "Items": [
                {"PathPattern": "/short/*", "DefaultTTL": 60},
                {"PathPattern": "/kept/*", "MinTTL": 300},
                {"PathPattern": "/unread/*", "CachePolicyId": "U"},
            ]
        },
        "DefaultCacheBehavior": {"CachePolicyId": "O"},
    }
    urls = parsed(*(f"https://www.example.com/{path}" for path in ("a", "short/b", "kept/c", "unread/d")))
    in_order = behaviours(config, {"O": OPTIMIZED})
    assert other_ttls(in_order, first_matches(in_order, urls)) == {1: [0, 60], 2: [300, 86_400]}
    assert other_ttls([], first_matches([], urls)) == {}
