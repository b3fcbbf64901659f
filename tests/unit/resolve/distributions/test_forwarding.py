"""Headers that the origin receives and the cache key does not have: whom the run's copies harm."""

from typing import Any

import pytest

from resolve.distributions.cache_behaviours import behaviours, first_matches, harmless_vary
from resolve.distributions.config_warnings import settings_warnings
from resolve.distributions.forwarding import Policies, Unread
from resolve.distributions.managed_policies import ORIGIN_REQUEST, RESPONSE_HEADERS
from tests.support.builders import parsed
from tests.support.cache_policies import DISABLED, OPTIMIZED, header_list, policy

CORS_S3, CORS_CUSTOM = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "59781a5b-3903-41f3-afcb-af62929ccde1"
ALL_VIEWER, EXCEPT_HOST = "216adef6-5c7f-47e4-b989-5492eafa07d3", "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ALL_AND_CLOUDFRONT = "33f36d7e-f396-46d9-90e0-52428a34d9dc"
MEDIA_TAILOR, HOST_ONLY = "775133bc-15f2-49f9-abea-afb2e0bf67d2", "bf0718e1-ba1e-49d1-88b1-f726733018ae"
AGENT_REFERER = "acba4595-bd28-49b8-b9fe-13317c0390fa"
SIMPLE_CORS, SECURITY = "60669652-455b-4ae9-85a4-c4c02393f86c", "67f7725c-6f97-4210-82d7-5512b31e9d03"
NO_CORS_HEADERS = "may have no CORS headers (Access-Control-Allow-Origin)"


def warned(
    default: dict[str, Any],
    *,
    cache_policy: dict[str, Any] = OPTIMIZED,
    requests: dict[str, Any] | None = None,
    responses: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> str:
    """Return the warnings of a distribution whose default behaviour has these policies."""
    config = {"DefaultCacheBehavior": {"CachePolicyId": "P", "ViewerProtocolPolicy": "allow-all"} | default}
    in_order = behaviours(config, {"P": cache_policy}, Policies(requests or {}, responses or {}))
    urls = parsed("https://www.example.com/fonts/body.woff2")
    return "\n".join(settings_warnings("d1.cloudfront.net", config, in_order, urls, ["br, gzip"], headers or {}))


def own(behaviour: str, *names: str, cookies: str = "none") -> dict[str, Any]:
    """Return an OriginRequestPolicyConfig."""
    headers = header_list(*names) | {"HeaderBehavior": behaviour}
    return {"Name": "ours", "HeadersConfig": headers, "CookiesConfig": {"CookieBehavior": cookies}}


@pytest.mark.parametrize(
    "policy_id", [CORS_S3, CORS_CUSTOM, ALL_VIEWER, EXCEPT_HOST, ALL_AND_CLOUDFRONT, MEDIA_TAILOR]
)
def test_managed_policy_that_forwards_origin_is_a_warning(policy_id: str) -> None:
    warning = warned({"OriginRequestPolicyId": policy_id})
    assert f"its origin request policy {ORIGIN_REQUEST[policy_id]['Name']} forwards Origin" in warning
    assert NO_CORS_HEADERS in warning
    assert "response headers policy that sets the CORS headers, or add Origin to the cache key" in warning


@pytest.mark.parametrize(
    ("behaviour", "names"),
    [
        ("whitelist", ["origin"]),
        ("allViewer", []),
        ("allExcept", ["Host", "Referer"]),
        ("allViewerAndWhitelistCloudFront", ["CloudFront-Viewer-Country"]),
    ],
)
def test_policy_of_the_account_that_forwards_origin_is_a_warning(behaviour: str, names: list[str]) -> None:
    warning = warned({"OriginRequestPolicyId": "R"}, requests={"R": own(behaviour, *names)})
    assert "its origin request policy ours forwards Origin" in warning


@pytest.mark.parametrize(("behaviour", "names"), [("none", []), ("whitelist", ["Host"]), ("allExcept", ["ORIGIN"])])
def test_policy_that_does_not_forward_origin_has_no_warning(behaviour: str, names: list[str]) -> None:
    assert warned({"OriginRequestPolicyId": "R"}, requests={"R": own(behaviour, *names)}) == ""
    assert warned({"OriginRequestPolicyId": HOST_ONLY}) == ""


@pytest.mark.parametrize("policy_id", sorted(RESPONSE_HEADERS.keys() - {SECURITY}))
def test_managed_policy_with_cors_headers_prevents_the_harm(policy_id: str) -> None:
    for request_policy in (CORS_S3, ALL_VIEWER):
        default = {"OriginRequestPolicyId": request_policy, "ResponseHeadersPolicyId": policy_id}
        assert warned(default) == ""


@pytest.mark.parametrize(
    "response_policy",
    [
        {"CorsConfig": {"AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://a.example"]}}},
        {"CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "access-control-ALLOW-origin", "Value": "*"}]}},
    ],
)
def test_policy_of_the_account_with_cors_headers_prevents_the_harm(response_policy: dict[str, Any]) -> None:
    default = {"OriginRequestPolicyId": CORS_S3, "ResponseHeadersPolicyId": "H"}
    assert warned(default, responses={"H": response_policy}) == ""


@pytest.mark.parametrize(
    "response_policy",
    [
        RESPONSE_HEADERS[SECURITY],
        {"Name": "h", "CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-A", "Value": "1"}]}},
        {"Name": "h", "CorsConfig": {"AccessControlAllowOrigins": {"Quantity": 0}}},
    ],
)
def test_response_headers_policy_without_cors_headers_prevents_nothing(response_policy: dict[str, Any]) -> None:
    default = {"OriginRequestPolicyId": CORS_S3, "ResponseHeadersPolicyId": "H"}
    assert NO_CORS_HEADERS in warned(default, responses={"H": response_policy})


def test_origin_in_the_cache_key_has_no_such_warning() -> None:
    with_origin = policy(HeadersConfig=header_list("Origin"))
    warning = warned({"OriginRequestPolicyId": CORS_S3}, cache_policy=with_origin)
    assert "CORS" not in warning
    assert "origin in the cache key: viewers that send them get other copies" in warning


def test_legacy_headers_are_all_in_the_cache_key() -> None:
    forwarded = {"QueryString": False, "Headers": {"Quantity": 1, "Items": ["Origin"]}}
    legacy = {"CachePolicyId": None, "ForwardedValues": forwarded, "DefaultTTL": 60, "MaxTTL": 60}
    warning = warned(legacy)
    assert "origin in the cache key" in warning
    assert "which the cache key does not have" not in warning


def test_nothing_that_is_not_cached_can_harm() -> None:
    warning = warned({"OriginRequestPolicyId": CORS_S3}, cache_policy=DISABLED)
    assert "caches nothing" in warning
    assert "CORS" not in warning


def test_origin_that_the_run_sends_is_a_warning_unless_the_policy_replaces_the_headers() -> None:
    cors = {"AccessControlAllowOrigins": {"Quantity": 1, "Items": ["*"]}}
    default = {"OriginRequestPolicyId": CORS_S3, "ResponseHeadersPolicyId": "H"}
    sent = {"Origin": "https://a.example"}
    kept = warned(default, responses={"H": {"CorsConfig": cors}}, headers=sent)
    assert "the copy for this run's Origin, with its CORS headers, is given to the viewers of all sites" in kept
    replaced = {"CorsConfig": cors | {"OriginOverride": True}}
    assert warned(default, responses={"H": replaced}, headers=sent) == ""


@pytest.mark.parametrize(
    ("policy_id", "names"), [(AGENT_REFERER, "referer, user-agent"), (MEDIA_TAILOR, "user-agent")]
)
def test_other_header_that_is_forwarded_by_name_is_a_warning(policy_id: str, names: str) -> None:
    assert f"forwards {names}, which the cache key does not have" in warned({"OriginRequestPolicyId": policy_id})


def test_headers_of_the_cache_key_are_not_listed_and_long_lists_are_cut() -> None:
    country = policy(HeadersConfig=header_list("CloudFront-Viewer-Country", "Origin"))
    warning = warned({"OriginRequestPolicyId": ALL_AND_CLOUDFRONT}, cache_policy=country)
    (line,) = [each for each in warning.splitlines() if "ManagedAll" in each or "Managed-AllViewer" in each]
    assert "cloudfront-forwarded-proto" in line
    assert "and 15 more" in line


def test_header_of_the_request_that_reaches_the_origin_without_the_key_is_a_warning() -> None:
    warning = warned({"OriginRequestPolicyId": EXCEPT_HOST}, headers={"Authorization": "x", "Host": "y"})
    assert "forwards authorization, which the cache key does not have" in warning


def test_cookie_of_the_request_that_reaches_the_origin_without_the_key_is_a_warning() -> None:
    requests = {"R": own("none", cookies="all")}
    assert "run's cookies is given to all viewers" in warned(
        {"OriginRequestPolicyId": "R"}, requests=requests, headers={"Cookie": "a=b"}
    )
    assert warned({"OriginRequestPolicyId": "R"}, requests=requests) == ""


def test_policy_that_cannot_be_read_is_a_warning_that_it_was_not_checked() -> None:
    warning = warned({"OriginRequestPolicyId": "R"}, requests={"R": Unread("AccessDenied")})
    assert "its origin request policy R could not be read (AccessDenied), so it was not checked" in warning
    assert "allow cloudfront:GetOriginRequestPolicy" in warning
    default = {"OriginRequestPolicyId": CORS_S3, "ResponseHeadersPolicyId": "H"}
    warning = warned(default, responses={"H": Unread("AccessDenied")})
    assert NO_CORS_HEADERS in warning
    assert "could not be checked (AccessDenied): allow cloudfront:GetResponseHeadersPolicy" in warning
    assert warned({"ResponseHeadersPolicyId": "H"}, responses={"H": Unread("AccessDenied")}) == ""


def test_only_the_behaviour_of_the_urls_path_is_checked() -> None:
    fonts = {"PathPattern": "/fonts/*", "CachePolicyId": "P", "OriginRequestPolicyId": CORS_S3}
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [fonts]},
        "DefaultCacheBehavior": {"CachePolicyId": "P", "ViewerProtocolPolicy": "allow-all"},
    }
    in_order = behaviours(config, {"P": OPTIMIZED})

    def of(*urls: str) -> list[str]:
        return settings_warnings("d1.cloudfront.net", config, in_order, parsed(*urls), ["br"], {})

    assert of("https://www.example.com/img/a.png") == []
    (warning,) = of("https://www.example.com/img/a.png", "https://www.example.com/fonts/a.woff2")
    assert warning.startswith("d1.cloudfront.net, behaviour /fonts/* (https://www.example.com/fonts/a.woff2): ")


def test_headers_that_a_vary_may_name_are_those_of_the_key_and_of_added_cors() -> None:
    key = policy(HeadersConfig=header_list("Accept-Language"), CookiesConfig={"CookieBehavior": "all"})
    items = [
        {"PathPattern": "/cors/*", "CachePolicyId": "P", "ResponseHeadersPolicyId": SIMPLE_CORS},
        {"PathPattern": "/key/*", "CachePolicyId": "K"},
        {"PathPattern": "/unknown/*", "CachePolicyId": "gone"},
    ]
    config = {
        "CacheBehaviors": {"Quantity": 3, "Items": items},
        "DefaultCacheBehavior": {"CachePolicyId": "P"},
    }
    urls = parsed(*(f"https://www.example.com/{path}" for path in ("cors/a", "key/a", "unknown/a", "a")))
    in_order = behaviours(config, {"P": OPTIMIZED, "K": key})
    found = harmless_vary(in_order, first_matches(in_order, urls))
    assert found == {0: "origin", 1: "accept-language,cookie", 2: "*"}
