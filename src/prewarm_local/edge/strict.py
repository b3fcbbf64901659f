"""The strictest setting of each switch of the simulation: the one that shows a judgement's fault soonest. Pure.

Tests and the demo run with it (`tests/support/strict_edge.py`), so that what is green here has the least help. A
setting is stricter if it gives less evidence, or if it makes a mistake cost more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SEPARATE_SERVERS = True
"""Whether each address of a POP has a cache of its own in strict simulations."""

POLICY_ID = "5a1e0000-0000-4000-8000-000000000001"

SWITCHES: dict[str, Any] = {
    # A Hit may be of any layer, and nothing says which ("Server-Timing header": only where a policy has it).
    "regional_hits_visible": True,
    "separate_servers": SEPARATE_SERVERS,
    # The answer to a HEAD reaches viewers, errors included.
    "head_serves_get": True,
    # CloudFront's defaults (All distribution settings reference, "Connection attempts", "Connection timeout").
    "origin_attempts": 3,
    "connection_timeout": 10,
    "second_origin_fails": True,
    # The edge compresses: weak ETags, no Content-Length ("Serve compressed files").
    "origin_compresses": False,
    # A stale copy looks like a fresh one, and WAF's answers do not say that the edge made them.
    "revalidating_x_cache": "Hit",
    "waf_x_cache": "",
    # Concurrent requests of a regional edge cache are one request to the origin, as documented.
    "regional_collapsing": True,
    # Lambda's resolver drops the client subnet of a query.
    "resolver_passes_subnets": False,
    # An error that is kept is read again by a retry that comes too early.
    "expires_keeps_4xx": True,
    "zero_keeps_4xx": True,
}
"""The fields of EdgeConfig that choose between behaviours of CloudFront, each with its strictest setting.

The layers before the origin (areas, Origin Shield, a bypassed regional cache) belong to the scene: with each of
them a first Hit is as ambiguous as `regional_hits_visible` makes it.
"""

CACHE_POLICY: dict[str, Any] = {
    "Name": "strict",
    "MinTTL": 0,
    "DefaultTTL": 86_400,
    "MaxTTL": 31_536_000,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
    },
}
"""CachePolicyConfig (API Reference) that honours `no-store` and `private` and makes each query string a key."""


def distribution_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the DistributionConfig of a strict distribution, with the time-outs of a simulation's `config`."""
    origin = {
        "Id": "origin",
        "DomainName": "origin.invalid",
        "ConnectionAttempts": config.get("origin_attempts", SWITCHES["origin_attempts"]),
        "ConnectionTimeout": config.get("connection_timeout", SWITCHES["connection_timeout"]),
        "CustomOriginConfig": {"OriginReadTimeout": config.get("origin_timeout", 30)},
    }
    return {
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "origin", "CachePolicyId": POLICY_ID, "Compress": True},
    }


def strict(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a simulation's configuration (JSON form of EdgeConfig) with the strictest setting of each switch.

    What `config` sets stays. A distribution without `config` gets one that compresses, and has no Server-Timing.
    """
    whole = SWITCHES | dict(config)
    policy = CACHE_POLICY | ({"DefaultTTL": whole["default_ttl"]} if "default_ttl" in whole else {})
    whole["cache_policies"] = {POLICY_ID: policy} | dict(whole.get("cache_policies", {}))
    whole["distributions"] = [
        {"server_timing": False, "config": distribution_config(whole)} | dict(each) for each in whole["distributions"]
    ]
    return whole
