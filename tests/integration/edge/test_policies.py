"""The simulated edge with CloudFront's own configuration: cache policies, error pages, compression, attempts.

The objects have the JSON form of the API (GetDistributionConfig, GetCachePolicy), which the product reads too.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, DOMAIN, HOST, TOKYO, TOKYO_2, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = "11111111-2222-3333-4444-555555555555"
ENCODINGS = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True}
ORIGIN = {"Id": "site", "DomainName": "origin.example.com", "ConnectionAttempts": 1, "ConnectionTimeout": 1}


@contextmanager
def _edge(
    policy: dict[str, Any] | None = None,
    keys: dict[str, Any] | None = None,
    *,
    config: dict[str, Any] | None = None,
    origin: dict[str, Any] | None = None,
    **more: Any,
) -> Iterator[Client]:
    """Run a simulation whose only behaviour has one cache policy."""
    distribution_config = {
        "DefaultCacheBehavior": {"TargetOriginId": "site", "CachePolicyId": POLICY, "Compress": True},
        "Origins": {"Quantity": 1, "Items": [ORIGIN | (origin or {})]},
    } | (config or {})
    distribution = {"domain": DOMAIN, "aliases": [HOST], "server_timing": True, "config": distribution_config}
    policies = {
        POLICY: {"Name": "test", "MinTTL": 0, "ParametersInCacheKeyAndForwardedToOrigin": keys or {}} | (policy or {})
    }
    with SimulatedCloudFront(CONFIG | {"distributions": [distribution], "cache_policies": policies} | more) as edge:
        yield Client(edge)
        assert edge.errors == ""


def _results(client: Client, path: str, count: int = 2) -> list[str]:
    return [client.request(path).x_cache for _ in range(count)]


def _put(client: Client, path: str, headers: dict[str, str]) -> str:
    client.edge.put_object(path, {"headers": headers})
    return path


# Developer Guide, "Control the cache key with a policy": query strings, headers and cookies are all, some or none in
# the key, and only those are sent to the origin.
@pytest.mark.parametrize(
    ("behaviour", "names", "hits"),
    [
        ("none", [], {"/a?x=2", "/a?y=1", "/a", "/a?x=1&y=2"}),
        ("whitelist", ["y"], {"/a?x=2", "/a"}),
        ("allExcept", ["y"], {"/a?x=1&y=2"}),
        ("all", [], set()),
    ],
)
def test_query_strings_are_in_the_key_as_the_policy_says(behaviour: str, names: list[str], hits: set[str]) -> None:
    queries = {"QueryStringBehavior": behaviour, "QueryStrings": {"Quantity": len(names), "Items": names}}
    with _edge(keys={"QueryStringsConfig": queries}) as client:
        assert client.request("/a?x=1").x_cache == "Miss"
        found = set()
        for target in ("/a?x=2", "/a?y=1", "/a", "/a?x=1&y=2"):
            client.edge.purge(["/*"])  # each against the first request alone
            client.request("/a?x=1")
            if client.request(target).x_cache == "Hit":
                found.add(target)
        assert found == hits


@pytest.mark.parametrize(("name", "value"), [("Accept-Language", "de"), ("Cookie", "theme=dark; id=7")])
def test_listed_header_or_cookie_is_in_the_key(name: str, value: str) -> None:
    keys = {
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Accept-Language"]}},
        "CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": {"Quantity": 1, "Items": ["theme"]}},
    }
    with _edge(keys=keys) as client:
        client.request("/a")
        assert client.request("/a", headers={name: value}).x_cache == "Miss"
        assert client.request("/a", headers={name: value}).x_cache == "Hit"
        assert client.request("/a", headers={"Cookie": "id=8", "X-Other": "1"}).x_cache == "Hit"


# "Specify the amount of time that CloudFront caches objects", table "Minimum TTL > 0 seconds".
@pytest.mark.parametrize("directive", ["no-store", "private", "no-cache"])
def test_minimum_ttl_overrides_what_forbids_caching(directive: str) -> None:
    with _edge({"MinTTL": 60}) as client:
        assert _results(client, _put(client, "/a", {"Cache-Control": directive})) == ["Miss", "Hit"]


def test_expires_and_maximum_ttl_limit_freshness() -> None:
    with _edge({"DefaultTTL": 60, "MaxTTL": 100}) as client:
        past = "Thu, 01 Jan 2026 00:00:00 GMT"
        assert _results(client, _put(client, "/old", {"Expires": past})) == ["Miss", "RefreshHit"]
        assert _results(client, _put(client, "/plain", {})) == ["Miss", "Hit"]
    with _edge({"DefaultTTL": 1, "MaxTTL": 1}) as client:
        _put(client, "/a", {"Cache-Control": "max-age=3600"})
        assert _results(client, "/a") == ["Miss", "Hit"]
        time.sleep(1.1)
        assert client.request("/a").x_cache == "RefreshHit"


def test_maximum_ttl_of_zero_caches_nothing_and_bypasses_the_regional_cache() -> None:
    with _edge({"DefaultTTL": 0, "MaxTTL": 0}) as client:
        got = [client.request("/a", pop) for pop in (TOKYO, TOKYO, TOKYO_2)]
        assert [each.x_cache for each in got] == ["Miss"] * 3
        assert all('cdn-upstream-layer;desc="EDGE"' in each.headers["server-timing"] for each in got)


def test_first_matching_path_pattern_chooses_the_behaviour() -> None:
    static = {"PathPattern": "static/*", "TargetOriginId": "site", "CachePolicyId": POLICY}
    legacy = {"TargetOriginId": "site", "ForwardedValues": {"QueryString": True}, "MinTTL": 0, "MaxTTL": 0}
    config = {"CacheBehaviors": {"Quantity": 1, "Items": [static]}, "DefaultCacheBehavior": legacy}
    with _edge(config=config) as client:
        assert _results(client, "/static/a.css") == ["Miss", "Hit"]
        assert _results(client, "/other.html") == ["Miss", "Miss"]


# "Control how long CloudFront caches errors": no-store counts for a 404, and is ignored for a 503. Which errors are
# kept for how long: tests/unit/prewarm_local/edge/test_freshness.py.
@pytest.mark.parametrize(("status", "asked"), [(503, 1), (404, 2)])
def test_error_with_no_store_is_cached_for_its_error_ttl_or_not_at_all(status: int, asked: int) -> None:
    errors = {"Quantity": 1, "Items": [{"ErrorCode": status, "ErrorCachingMinTTL": 60}]}
    with _edge(config={"CustomErrorResponses": errors}) as client:
        client.edge.put_object("/gone", {"status": status, "headers": {"Cache-Control": "no-store"}})
        assert [client.request("/gone").status for _ in range(2)] == [status, status]
        assert client.asked("/gone") == asked


# "Generate custom error responses".
def test_custom_error_page_has_the_configured_status_and_is_cached_with_the_error() -> None:
    item = {"ErrorCode": 404, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 60}
    with _edge(config={"CustomErrorResponses": {"Quantity": 1, "Items": [item]}}) as client:
        client.edge.put_object("/route", {"status": 404})
        index = client.request("/index.html")
        first, second = client.request("/route"), client.request("/route")
        assert (first.status, first.x_cache, first.headers["etag"]) == (200, "Error", index.headers["etag"])
        assert (second.status, second.x_cache, client.asked("/route")) == (200, "Error", 1)


def test_status_of_the_page_is_returned_if_the_page_fails() -> None:
    item = {"ErrorCode": 404, "ResponsePagePath": "/page", "ResponseCode": "200", "ErrorCachingMinTTL": 60}
    with _edge(config={"CustomErrorResponses": {"Quantity": 1, "Items": [item]}}) as client:
        client.edge.put_object("/route", {"status": 404})
        client.edge.put_object("/page", {"status": 503})
        assert client.request("/route").status == 503


# "Serve compressed files".
@pytest.mark.parametrize(
    ("stored", "compressed"),
    [
        ({"size": 1_000}, True),
        ({"size": 999}, False),
        ({"size": 10_000_001}, False),
        ({"size": 5_000, "content_type": "image/png"}, False),
        ({"size": 5_000, "chunked": True}, False),
    ],
)
def test_edge_compresses_listed_types_of_certain_sizes(stored: dict[str, Any], compressed: bool) -> None:
    with _edge(keys=ENCODINGS, origin_compresses=False) as client:
        client.edge.put_object("/a.html", stored)
        got = client.request("/a.html", accept="gzip", keep=False)
        assert (got.headers.get("content-encoding") == "gzip") is compressed
        assert got.headers["etag"].startswith("W/") is compressed
        if compressed:
            assert "content-length" not in got.headers
        assert client.request("/a.html", accept="gzip", keep=False).x_cache == "Hit"
        assert "content-encoding" not in client.request("/a.html", keep=False).headers


def test_response_of_unknown_length_does_not_hold_up_the_edge() -> None:
    with _edge(keys=ENCODINGS, origin_compresses=False) as client:
        targets = [f"/{number}.html" for number in range(4)]
        for target in targets:
            client.edge.put_object(target, {"size": 500_000, "chunked": True})
        client.request("/small.html")
        before = _cpu_seconds(client.edge.pid)
        for target in targets:
            assert client.request(target, accept="gzip", keep=False).status == 200
        assert _cpu_seconds(client.edge.pid) - before < 1


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_plain_copy_stays_where_a_busy_pop_skipped_compression() -> None:
    with _edge(keys=ENCODINGS, origin_compresses=False) as client:
        client.edge.fault("/a.html", "uncompressed", pops=[TOKYO], times=1)
        first, second = (client.request("/a.html", accept="br") for _ in range(2))
        assert [got.headers.get("content-encoding") for got in (first, second)] == [None, None]
        assert second.x_cache == "Hit"
        assert client.request("/a.html", TOKYO_2, accept="br").headers["content-encoding"] == "br"


# "All distribution settings reference": connection attempts, connection timeout, response timeout.
@pytest.mark.parametrize(
    ("fault", "origin", "seconds"),
    [
        ("no_answer", {"ConnectionAttempts": 3, "CustomOriginConfig": {"OriginReadTimeout": 1}}, 3),
        ("unreachable", {"ConnectionAttempts": 2, "ConnectionTimeout": 1}, 2),
    ],
)
def test_origin_is_tried_as_often_as_configured(fault: str, origin: dict[str, Any], seconds: float) -> None:
    with _edge(origin=origin) as client:
        client.edge.fault("/a", fault)
        began = time.monotonic()
        assert client.request("/a").status == 504
        assert seconds <= time.monotonic() - began < seconds + 2
        assert client.asked("/a") == (origin["ConnectionAttempts"] if fault == "no_answer" else 0)


# "Optimize high availability with CloudFront origin failover": a time-out fails over where 504 is among the criteria.
@pytest.mark.parametrize(
    ("criteria", "second_fails", "status", "seconds"),
    [([504], False, 200, 1), ([504], True, 504, 2), ([500], False, 504, 1)],
)
def test_origin_group_asks_its_second_origin(
    criteria: list[int],
    second_fails: bool,
    status: int,
    seconds: float,
) -> None:
    group = {
        "Id": "group",
        "FailoverCriteria": {"StatusCodes": {"Quantity": 1, "Items": criteria}},
        "Members": {"Quantity": 2, "Items": [{"OriginId": "site"}, {"OriginId": "second"}]},
    }
    config = {
        "OriginGroups": {"Quantity": 1, "Items": [group]},
        "DefaultCacheBehavior": {"TargetOriginId": "group", "CachePolicyId": POLICY},
    }
    origin = {"CustomOriginConfig": {"OriginReadTimeout": 1}}
    with _edge(config=config, origin=origin, second_origin_fails=second_fails) as client:
        client.edge.fault("/a", "no_answer")
        began = time.monotonic()
        assert client.request("/a").status == status
        assert seconds <= time.monotonic() - began < seconds + 1
