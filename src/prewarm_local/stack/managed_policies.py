"""CloudFront's managed policies in the embedded account, in the form of GetCachePolicy and GetOriginRequestPolicy."""

from typing import Any

# Managed policies (Developer Guide, "Use managed cache policies").
_ENCODED = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True}
MANAGED_POLICIES: dict[str, dict[str, Any]] = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": {
        "Name": "Managed-CachingOptimized",
        "MinTTL": 1,
        "DefaultTTL": 86_400,
        "MaxTTL": 31_536_000,
        "ParametersInCacheKeyAndForwardedToOrigin": _ENCODED
        | {
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    },
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": {
        "Name": "Managed-CachingDisabled",
        "MinTTL": 0,
        "DefaultTTL": 0,
        "MaxTTL": 0,
    },
}


def _origin_request(name: str, headers: str, *listed: str, others: str = "none") -> dict[str, Any]:
    return {
        "Name": f"Managed-{name}",
        "HeadersConfig": {"HeaderBehavior": headers, "Headers": {"Quantity": len(listed), "Items": list(listed)}},
        "CookiesConfig": {"CookieBehavior": others},
        "QueryStringsConfig": {"QueryStringBehavior": others},
    }


# Those of "Use managed origin request policies" (Developer Guide) that need no headers of the edge's own.
ORIGIN_REQUEST_POLICIES: dict[str, dict[str, Any]] = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin_request("AllViewer", "allViewer", others="all"),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin_request(
        "AllViewerExceptHostHeader", "allExcept", "Host", others="all"
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": _origin_request("CORS-CustomOrigin", "whitelist", "Origin"),
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin_request(
        "CORS-S3Origin", "whitelist", "Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"
    ),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin_request(
        "UserAgentRefererHeaders", "whitelist", "User-Agent", "Referer"
    ),
}
