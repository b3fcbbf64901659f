"""How a distribution answers errors: its error pages, and what it refuses."""

from typing import Any

import pytest

from resolve.distributions.cache_behaviours import behaviours, has_pragma_in_key, refusals
from resolve.distributions.error_responses import error_pages, refusing_settings
from tests.support.builders import parsed


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
    assert refusals(behaviours(config, {}), urls) == {1: "signed URLs"}


def test_pragma_in_a_cache_key_is_found() -> None:
    whitelist = {"ForwardedValues": {"Headers": {"Items": ["Pragma"]}}}
    assert has_pragma_in_key(behaviours({"DefaultCacheBehavior": whitelist}, {}))
    assert not has_pragma_in_key(behaviours({"DefaultCacheBehavior": {}}, {}))
