"""Which cache behaviour a URL meets, and what its settings will do to warming."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve.distributions.cache_behaviours import behaviours, by_behaviour, path_expression, policy_ids
from resolve.distributions.config_warnings import settings_warnings
from tests.support.builders import parsed

OPTIMIZED: dict[str, Any] = {
    "Name": "Managed-CachingOptimized",
    "MinTTL": 1,
    "DefaultTTL": 86_400,
    "MaxTTL": 31_536_000,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    },
}
DISABLED: dict[str, Any] = {"Name": "Managed-CachingDisabled", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0}
PAGE = ["https://www.example.com/a?token=s3cret"]


def policy(**parameters: Any) -> dict[str, Any]:
    inner = OPTIMIZED["ParametersInCacheKeyAndForwardedToOrigin"] | parameters
    return OPTIMIZED | {"ParametersInCacheKeyAndForwardedToOrigin": inner}


def listed(*names: str) -> dict[str, Any]:
    return {"HeaderBehavior": "whitelist", "Headers": {"Quantity": len(names), "Items": list(names)}}


def warned(
    default: dict[str, Any] | None = None,
    known: dict[str, Any] | None = None,
    urls: list[str] | None = None,
    variants: list[str] | None = None,
    headers: dict[str, str] | None = None,
    **config: Any,
) -> str:
    """The warnings of a distribution whose default behaviour has a policy P."""
    behaviour = {"CachePolicyId": "P", "ViewerProtocolPolicy": "allow-all"} | (default or {})
    whole = {"DefaultCacheBehavior": behaviour} | config
    told = settings_warnings(
        "d111.cloudfront.net",
        whole,
        behaviours(whole, {"P": OPTIMIZED if known is None else known}),
        parsed(*(urls or PAGE)),
        variants or ["br, gzip"],
        headers or {},
    )
    return "\n".join(told)


def test_a_plain_distribution_gives_no_warning() -> None:
    assert warned() == ""


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "/", True),
        ("/images/*", "/images/", True),
        ("images/*", "/images/a/b.jpg", True),
        ("/images/*", "/Images/a.jpg", False),
        ("*.jpg", "/a/b.jpg", True),
        ("*.jpg", "/a/b.jpg.gz", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a.c", "/abc", False),
        ("/api/*/v[1]", "/api/x/v[1]", True),
    ],
)
def test_path_patterns_are_read_as_cloudfront_reads_them(pattern: str, path: str, *, matches: bool) -> None:
    assert bool(path_expression(pattern).fullmatch(path)) is matches


@given(st.lists(st.sampled_from(["/a/*", "*.js", "/b?", "/a/b*", "x*"]), max_size=5, unique=True))
def test_every_url_meets_exactly_one_behaviour_the_first_that_matches(patterns: list[str]) -> None:
    urls = parsed(*(f"https://www.example.com{path}" for path in ("/", "/a/b", "/b1?q=.js", "/x/y.js", "/a/b/c.js")))
    items = [{"PathPattern": pattern} for pattern in patterns]
    found = behaviours({"CacheBehaviors": {"Quantity": len(items), "Items": items}, "DefaultCacheBehavior": {}}, {})
    spread = by_behaviour(found, urls)
    assert sorted(url.fetch for those in spread.values() for url in those) == sorted(url.fetch for url in urls)
    for number, those in spread.items():
        for url in those:
            path = "/" + url.fetch.split("/", 3)[3].partition("?")[0]
            assert found[number].expression.fullmatch(path)
            assert not any(each.expression.fullmatch(path) for each in found[:number])


def test_each_behaviour_is_judged_for_the_urls_that_meet_it() -> None:
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "CachePolicyId": "OFF"}]},
        "DefaultCacheBehavior": {"CachePolicyId": "P"},
    }
    assert policy_ids(config) == {"OFF", "P"}
    urls = parsed("https://www.example.com/api/1", "https://www.example.com/api/2", "https://www.example.com/b")
    found = behaviours(config, {"OFF": DISABLED, "P": OPTIMIZED})
    (told,) = settings_warnings("d1.cloudfront.net", config, found, urls, ["br"], {})
    assert told.startswith("d1.cloudfront.net, behaviour /api/* (2 URLs, such as https://www.example.com/api/1): ")
    assert "Managed-CachingDisabled keeps nothing" in told


def test_examples_show_no_secrets() -> None:
    assert "s3cret" not in warned(known=DISABLED)
    assert "token=…" in warned(known=DISABLED)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"known": DISABLED}, "keeps nothing (maximum TTL 0); warming it is in vain"),
        ({"known": OPTIMIZED | {"MinTTL": 0, "DefaultTTL": 0}}, "only what the origin gives a lifetime"),
        ({"variants": ["br, gzip", "gzip, br"]}, "'br, gzip' and 'gzip, br' are one cached copy (br,gzip)"),
        ({"variants": ["gzip", "gzip, br;q=0"]}, "are one cached copy (gzip)"),
        (
            {"known": policy(EnableAcceptEncodingBrotli=False), "variants": ["br", "identity"]},
            "one cached copy (identity)",
        ),
        (
            {"known": policy(EnableAcceptEncodingBrotli=False, EnableAcceptEncodingGzip=False)},
            "compressed copies are not kept apart",
        ),
        (
            {"known": policy(HeadersConfig=listed("CloudFront-Viewer-Country"))},
            "cloudfront-viewer-country in the cache key",
        ),
        ({"known": policy(HeadersConfig=listed("CloudFront-Is-Mobile-Viewer"))}, "only one device's copy is warmed"),
        ({"known": policy(HeadersConfig=listed("User-Agent"))}, "set user_agent"),
        ({"known": policy(HeadersConfig=listed("Accept-Language"))}, "accept-language in the cache key"),
        ({"known": policy(CookiesConfig={"CookieBehavior": "all"})}, "cookies are in the cache key (all)"),
        (
            {
                "known": policy(QueryStringsConfig={"QueryStringBehavior": "none"}),
                "urls": ["https://www.example.com/a?1", "https://www.example.com/a?2"],
            },
            "these URLs are 1 objects",
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
        ({"WebACLId": "arn:acl"}, "allow its User-Agent"),
        ({"HttpVersion": "http1.1"}, "HTTP/2 is off"),
        (
            {"CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 300}]}},
            "keeps errors for up to 300 s",
        ),
    ],
)
def test_what_the_settings_will_do_is_said(given: dict[str, Any], words: str) -> None:
    assert words in warned(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"urls": ["https://www.example.com/"], "default": {"ViewerProtocolPolicy": "redirect-to-https"}},
        {"known": policy(HeadersConfig=listed("Accept-Language")), "headers": {"accept-language": "de"}},
        {"known": policy(CookiesConfig={"CookieBehavior": "all"}), "headers": {"Cookie": "a=b"}},
        {"default": {"FunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "origin-request"}]}}},
        {"HttpVersion": "http2and3"},
        {"CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 10}]}},
        {"variants": ["br, gzip", "identity"]},
    ],
)
def test_what_does_no_harm_is_not_told(given: dict[str, Any]) -> None:
    assert warned(**given) == ""


def test_settings_of_the_legacy_kind_are_read_too() -> None:
    forwarded = {"QueryString": True, "Cookies": {"Forward": "all"}, "Headers": {"Quantity": 1, "Items": ["*"]}}
    legacy = {"CachePolicyId": None, "ForwardedValues": forwarded, "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 60}
    told = warned(legacy, variants=["br", "identity"])
    assert "all headers are in the cache key" in told
    assert "only what the origin gives a lifetime" in told
    # They know no brotli.
    assert "are one cached copy (identity)" in told
