"""What the simulated edge sends to the origin beyond the cache key.

Sources: CloudFront Developer Guide, "Control origin requests with a policy" and "Understand how origin request
policies and cache policies work together"; API Reference, "OriginRequestPolicyConfig".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from prewarm_local.edge.behaviour import Behaviour
from prewarm_local.edge.policies import Behaviours
from prewarm_local.edge.request import Request

if TYPE_CHECKING:
    from prewarm_local.edge.behaviour import Want

VIEWER = {
    ":method": "GET", "host": "www.example.com", "accept-encoding": "br", "origin": "https://a.example",
    "user-agent": "Viewer/1",
    "x-device": "tv", "cookie": "id=7; theme=dark", "if-none-match": '"1"',
}  # fmt: skip


def names(kind: str, *listed: str) -> dict[str, Any]:
    return {"HeaderBehavior": kind, "Headers": {"Quantity": len(listed), "Items": list(listed)}}


def wanted(policy: dict[str, Any], keys: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Want:
    config = {"DefaultCacheBehavior": {"CachePolicyId": "P", "OriginRequestPolicyId": "R"}}
    cache_policy = {"ParametersInCacheKeyAndForwardedToOrigin": keys or {}}
    request = Request("GET", "www.example.com", "/a?x=1&y=2", VIEWER | (headers or {}))
    found = Behaviours(config, {"P": cache_policy}, Behaviour(), {"R": policy}).find(request)
    return found.want("d1.cloudfront.net", request, separate=False)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (names("none"), set()),
        (names("whitelist", "Origin", "X-Absent"), {"origin"}),
        (names("allViewer"), {"origin", "user-agent", "x-device"}),
        (names("allViewerAndWhitelistCloudFront", "CloudFront-Viewer-Country"), {"origin", "user-agent", "x-device"}),
        (names("allExcept", "Host", "X-Device"), {"origin", "user-agent"}),
    ],
)
def test_headers_of_the_policy_are_sent_and_not_in_the_key(headers: dict[str, Any], sent: set[str]) -> None:
    want = wanted({"HeadersConfig": headers})
    assert dict(want.forwarded) == {name: VIEWER[name] for name in sent}
    assert want.key == wanted({}).key


@pytest.mark.parametrize(
    ("kind", "listed", "target", "cookie"),
    [
        ("none", [], "/a", ""),
        ("all", [], "/a?x=1&y=2", "id=7; theme=dark"),
        ("whitelist", ["y", "theme"], "/a?y=2", "theme=dark"),
        ("allExcept", ["y", "theme"], "/a?x=1", "id=7"),
    ],
)
def test_queries_and_cookies_of_the_policy_are_sent_and_not_in_the_key(
    kind: str, listed: list[str], target: str, cookie: str
) -> None:
    policy = {
        "QueryStringsConfig": {"QueryStringBehavior": kind, "QueryStrings": {"Items": listed}},
        "CookiesConfig": {"CookieBehavior": kind, "Cookies": {"Items": listed}},
    }
    want = wanted(policy)
    assert (want.target, dict(want.forwarded).get("cookie", "")) == (target, cookie)
    assert want.key == ("d1.cloudfront.net", "/a", "")


# "All URL query strings, HTTP headers, and cookies that you specify in the cache key ... are automatically included".
def test_parts_of_the_key_are_sent_too() -> None:
    keys = {
        "HeadersConfig": names("whitelist", "Origin"),
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": {"Items": ["x"]}},
        "CookiesConfig": {"CookieBehavior": "allExcept", "Cookies": {"Items": ["theme"]}},
    }
    policy = {
        "HeadersConfig": names("whitelist", "X-Device"),
        "QueryStringsConfig": {"QueryStringBehavior": "allExcept", "QueryStrings": {"Items": ["x", "z"]}},
        "CookiesConfig": {"CookieBehavior": "none"},
    }
    want = wanted(policy, keys)
    assert dict(want.forwarded) == {"origin": "https://a.example", "x-device": "tv", "cookie": "id=7"}
    assert want.target == "/a?x=1&y=2"
    other = wanted(policy, keys, {"x-device": "phone"})
    assert (other.key, other.key[1]) == (want.key, "/a?x=1")
    assert wanted(policy, keys, {"origin": "https://b.example"}).key != want.key
