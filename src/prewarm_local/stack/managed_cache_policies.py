"""The managed cache policies that the embedded account has, in the form of GetCachePolicy."""

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
