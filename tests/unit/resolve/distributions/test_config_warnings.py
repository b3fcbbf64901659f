"""Warnings about a distribution's settings."""

from typing import Any

import pytest

from resolve.distributions.cache_behaviours import behaviours, policy_ids
from resolve.distributions.config_warnings import settings_warnings
from tests.support.builders import parsed
from tests.support.cache_policies import DISABLED, OPTIMIZED, header_list, policy

# Accept-Encoding is in the key as any other header.
LITERAL = policy(
    EnableAcceptEncodingGzip=False,
    EnableAcceptEncodingBrotli=False,
    HeadersConfig=header_list("Accept-Encoding"),
)
PAGE = ["https://www.example.com/a?token=s3cret"]


def warned(
    default: dict[str, Any] | None = None,
    cache_policy: dict[str, Any] | None = None,
    urls: list[str] | None = None,
    variants: list[str] | None = None,
    headers: dict[str, str] | None = None,
    *,
    invalidates: bool = False,
    **config: Any,
) -> str:
    """Return the warnings of a distribution whose default behaviour has the policy P, one per line."""
    behaviour = {"CachePolicyId": "P", "ViewerProtocolPolicy": "allow-all"} | (default or {})
    whole = {"DefaultCacheBehavior": behaviour} | config
    warnings = settings_warnings(
        "d111.cloudfront.net",
        whole,
        behaviours(whole, {"P": OPTIMIZED if cache_policy is None else cache_policy}),
        parsed(*(urls or PAGE)),
        variants,
        headers or {},
        invalidates=invalidates,
    )
    return "\n".join(warnings)


def test_plain_distribution_has_no_warning() -> None:
    assert warned() == ""


def test_each_behaviour_is_checked_for_the_urls_that_match_it() -> None:
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "CachePolicyId": "OFF"}]},
        "DefaultCacheBehavior": {"CachePolicyId": "P"},
    }
    assert policy_ids(config) == {"OFF", "P"}
    urls = parsed("https://www.example.com/api/1", "https://www.example.com/api/2", "https://www.example.com/b")
    in_order = behaviours(config, {"OFF": DISABLED, "P": OPTIMIZED})
    (warning,) = settings_warnings("d1.cloudfront.net", config, in_order, urls, ["br"], {})
    assert warning.startswith("d1.cloudfront.net, behaviour /api/* (2 URLs, such as https://www.example.com/api/1): ")
    assert "Managed-CachingDisabled caches nothing" in warning


def test_example_url_is_redacted() -> None:
    assert "s3cret" not in warned(cache_policy=DISABLED)
    assert "token=…" in warned(cache_policy=DISABLED)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cache_policy": DISABLED}, "caches nothing (maximum TTL 0), so warming has no effect"),
        (
            {"cache_policy": OPTIMIZED | {"MinTTL": 0, "DefaultTTL": 0}},
            "only responses with a lifetime from the origin",
        ),
        ({"variants": ["br, gzip", "gzip, br"]}, "'br, gzip' and 'gzip, br' select one cached copy (br,gzip)"),
        ({"variants": ["gzip", "gzip, br;q=0"]}, "select one cached copy (gzip)"),
        (
            {"cache_policy": policy(EnableAcceptEncodingBrotli=False), "variants": ["br", "identity"]},
            "select one cached copy (identity)",
        ),
        (
            {"cache_policy": policy(EnableAcceptEncodingBrotli=False, EnableAcceptEncodingGzip=False)},
            "the cache key ignores Accept-Encoding",
        ),
        (
            {"cache_policy": policy(HeadersConfig=header_list("CloudFront-Viewer-Country"))},
            "cloudfront-viewer-country in the cache key",
        ),
        (
            {"cache_policy": policy(HeadersConfig=header_list("CloudFront-Is-Mobile-Viewer"))},
            "only one device's copy is warmed",
        ),
        ({"cache_policy": policy(HeadersConfig=header_list("User-Agent"))}, "set user_agent"),
        ({"cache_policy": policy(HeadersConfig=header_list("Accept-Language"))}, "accept-language in the cache key"),
        (
            {"cache_policy": policy(HeadersConfig=header_list("Origin")), "headers": {"ORIGIN": "https://a.example"}},
            "origin in the cache key: only the copy for the value in headers is warmed",
        ),
        (
            {"cache_policy": policy(CookiesConfig={"CookieBehavior": "all"})},
            "cookies are in the cache key (all): only the copy without cookies is warmed",
        ),
        (
            {"cache_policy": policy(CookiesConfig={"CookieBehavior": "all"}), "headers": {"Cookie": "session=mine"}},
            "cookies are in the cache key (all): only the copy for the Cookie in headers is warmed",
        ),
        (
            {"cache_policy": LITERAL},
            "exactly 'br, gzip' get a warmed copy; add what browsers send to accept_encodings: 'gzip, deflate, ",
        ),
        (
            {"cache_policy": LITERAL, "urls": ["http://www.example.com/"], "variants": ["gzip"]},
            "exactly 'gzip' get a warmed copy; add what browsers send to accept_encodings: 'gzip, deflate'",
        ),
        (
            {"cache_policy": LITERAL, "variants": ["gzip, deflate, br, zstd"]},
            "accept_encodings: 'gzip, deflate, br'",
        ),
        (
            {
                "urls": [*PAGE, "http://www.example.com/b?token=s3cret", "http://www.example.com/c"],
                "variants": ["br, gzip", "identity"],
            },
            "2 http:// URLs, such as http://www.example.com/b?token=…: browsers do not accept br over http",
        ),
        (
            {
                "cache_policy": policy(EnableAcceptEncodingGzip=False),
                "urls": ["http://www.example.com/"],
                "variants": ["br"],
            },
            "get the copy for identity, which is not warmed; add 'gzip' to accept_encodings",
        ),
        (
            {"default": {"CachePolicyId": "gone"}, "urls": ["http://www.example.com/"], "variants": ["br, gzip"]},
            "get the copy for gzip, which is not warmed",
        ),
        (
            {
                "default": {"FunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "viewer-request"}]}},
                "invalidates": True,
            },
            "then both URIs have to be invalidated; use patterns in invalidate that cover both",
        ),
        (
            {
                "cache_policy": policy(QueryStringsConfig={"QueryStringBehavior": "none"}),
                "urls": ["https://www.example.com/a?1", "https://www.example.com/a?2"],
            },
            "these URLs map to 1 cached objects; the other requests are redundant",
        ),
        (
            {"default": {"ViewerProtocolPolicy": "redirect-to-https"}, "urls": ["http://www.example.com/"]},
            "redirected to https://",
        ),
        (
            {"default": {"ViewerProtocolPolicy": "https-only"}, "urls": ["http://www.example.com/"]},
            "refused with 403",
        ),
        ({"default": {"TrustedKeyGroups": {"Enabled": True, "Quantity": 1}}}, "only signed URLs"),
        ({"default": {"TrustedSigners": {"Enabled": True, "Quantity": 1}}}, "only signed URLs"),
        (
            {"default": {"FunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "viewer-request"}]}}},
            "CloudFront Functions on viewer-request",
        ),
        (
            {"default": {"LambdaFunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "viewer-request"}]}}},
            "Lambda@Edge on viewer-request",
        ),
        ({"default": {"CachePolicyId": "gone"}}, "its cache policy could not be read"),
        (
            {"Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["DE"]}}},
            "geographic restriction (whitelist: DE)",
        ),
        ({"WebACLId": "arn:acl"}, "by a secret header"),
        ({"ContinuousDeploymentPolicyId": "c1"}, "staging distribution, which has a separate cache that stays cold"),
        ({"HttpVersion": "http1.1"}, "HTTP/2 is off"),
        (
            {"CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 300}]}},
            "a 5xx is retried after that time, or not at all if the run ends first",
        ),
    ],
)
def test_setting_that_affects_warming_is_a_warning(changes: dict[str, Any], words: str) -> None:
    assert words in warned(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"urls": ["https://www.example.com/"], "default": {"ViewerProtocolPolicy": "redirect-to-https"}},
        {"cache_policy": LITERAL, "variants": ["gzip, deflate, br, zstd", "gzip, deflate, br"]},
        {"urls": [*PAGE, "http://www.example.com/"]},
        {"cache_policy": policy(HeadersConfig=header_list("CloudFront-Forwarded-Proto", "Host"))},
        {"urls": ["http://www.example.com/"], "variants": ["br, gzip", "gzip"]},
        {"urls": ["http://www.example.com/"], "variants": ["gzip, deflate"]},
        {
            "cache_policy": policy(EnableAcceptEncodingBrotli=False),
            "urls": ["http://www.example.com/"],
            "variants": ["br, gzip"],
        },
        {
            "default": {"LambdaFunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "origin-request"}]}},
            "invalidates": True,
        },
        {"default": {"FunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "origin-request"}]}}},
        {"HttpVersion": "http2and3"},
        {"CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 10}]}},
        {"variants": ["br, gzip", "identity"]},
    ],
)
def test_harmless_setting_is_not_a_warning(changes: dict[str, Any]) -> None:
    assert warned(**changes) == ""


@pytest.mark.parametrize("policy_of_viewers", ["redirect-to-https", "https-only"])
def test_http_urls_that_are_never_served_get_no_warning_about_their_copy(policy_of_viewers: str) -> None:
    default = {"ViewerProtocolPolicy": policy_of_viewers}
    warnings = warned(default, urls=["http://www.example.com/"], variants=["br, gzip"])
    assert "over http" not in warnings
    assert warnings.count("\n") == 0


def test_values_of_sent_headers_are_not_shown() -> None:
    key = policy(CookiesConfig={"CookieBehavior": "all"}, HeadersConfig=header_list("Authorization"))
    warnings = warned(cache_policy=key, headers={"Cookie": "session=s3cret", "Authorization": "s3cret"})
    assert "authorization in the cache key: only the copy for the value in headers" in warnings
    assert "s3cret" not in warnings


def test_accept_encoding_in_a_legacy_key_is_a_warning() -> None:
    forwarded = {"QueryString": True, "Cookies": {"Forward": "none"}, "Headers": {"Items": ["Accept-Encoding"]}}
    warnings = warned({"CachePolicyId": None, "ForwardedValues": forwarded, "MaxTTL": 60})
    assert "only viewers that send exactly 'br, gzip' get a warmed copy" in warnings


def test_legacy_settings_are_checked_without_brotli() -> None:
    forwarded = {"QueryString": True, "Cookies": {"Forward": "all"}, "Headers": {"Quantity": 1, "Items": ["*"]}}
    legacy = {"CachePolicyId": None, "ForwardedValues": forwarded, "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 60}
    warnings = warned(legacy, variants=["br", "identity"])
    assert "all headers are in the cache key" in warnings
    assert "only responses with a lifetime from the origin" in warnings
    # They do not support brotli.
    assert "select one cached copy (identity)" in warnings
