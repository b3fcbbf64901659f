"""CachePolicyConfig documents as GetCachePolicy returns them."""

from typing import Any

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


def policy(**parameters: Any) -> dict[str, Any]:
    """Return the optimized policy with changes to its cache key."""
    inner = OPTIMIZED["ParametersInCacheKeyAndForwardedToOrigin"] | parameters
    return OPTIMIZED | {"ParametersInCacheKeyAndForwardedToOrigin": inner}


def header_list(*names: str) -> dict[str, Any]:
    """Return a HeadersConfig that adds headers to the cache key."""
    return {"HeaderBehavior": "whitelist", "Headers": {"Quantity": len(names), "Items": list(names)}}
