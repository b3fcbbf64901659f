"""Read cache behaviours from CloudFront's own objects, in the JSON form of its API.

`DistributionConfig` (API_DistributionConfig: DefaultCacheBehavior, CacheBehaviors, CustomErrorResponses, Origins,
OriginGroups), `CachePolicyConfig` and `OriginRequestPolicyConfig` by policy id, as GetDistributionConfig,
GetCachePolicy and GetOriginRequestPolicy return them.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prewarm_local.edge.behaviour import Behaviour, OriginSettings, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.edge.freshness import Ttl
    from prewarm_local.edge.request import Request

Json = dict[str, Any]
KINDS = {"all": "all", "none": "none", "whitelist": "whitelist", "allExcept": "allExcept"}
# Those of the headers of an origin request policy. The CloudFront headers of the second one are not simulated.
ALL_VIEWER = {"allViewer": "all", "allViewerAndWhitelistCloudFront": "all"}


def _items(raw: Json | None) -> list[Any]:
    return list((raw or {}).get("Items") or [])


def _selection(config: Json, kind: str, names: str, *, lower: bool = False) -> Selection:
    listed = _items(config.get(names))
    return Selection(
        (KINDS | ALL_VIEWER)[config.get(kind, "none")], frozenset(n.lower() if lower else n for n in listed)
    )


def _selections(policy: Json) -> tuple[Selection, Selection, Selection]:
    """Return the query strings, headers and cookies of a policy."""
    return (
        _selection(policy.get("QueryStringsConfig") or {}, "QueryStringBehavior", "QueryStrings"),
        _selection(policy.get("HeadersConfig") or {}, "HeaderBehavior", "Headers", lower=True),
        _selection(policy.get("CookiesConfig") or {}, "CookieBehavior", "Cookies"),
    )


def _legacy(raw: Json) -> Json:
    """Return the policy that a behaviour's ForwardedValues and TTLs amount to."""
    values = raw.get("ForwardedValues") or {}
    cookies, headers = values.get("Cookies") or {}, _items(values.get("Headers"))
    keys = _items(values.get("QueryStringCacheKeys"))
    queries = "none" if not values.get("QueryString") else "whitelist" if keys else "all"
    return {
        "MinTTL": raw.get("MinTTL", 0),
        "DefaultTTL": raw.get("DefaultTTL", 86400),
        # A request that forwards all headers is never cached ("Cache content based on request headers").
        "MaxTTL": 0 if "*" in headers else raw.get("MaxTTL", 31536000),
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": bool(raw.get("Compress")),
            "QueryStringsConfig": {"QueryStringBehavior": queries, "QueryStrings": {"Items": keys}},
            "HeadersConfig": {"HeaderBehavior": "whitelist" if headers else "none", "Headers": {"Items": headers}},
            "CookiesConfig": {
                "CookieBehavior": cookies.get("Forward", "none"),
                "Cookies": cookies.get("WhitelistedNames"),
            },
        },
    }


def _origin(config: Json, target: str) -> OriginSettings:
    origins = {origin["Id"]: origin for origin in _items(config.get("Origins"))}
    group = next((group for group in _items(config.get("OriginGroups")) if group["Id"] == target), None)
    failover = None
    if group is not None:
        failover = frozenset(_items(group["FailoverCriteria"]["StatusCodes"]))
        target = _items(group["Members"])[0]["OriginId"]
    origin = origins.get(target, {})
    return OriginSettings(
        float((origin.get("CustomOriginConfig") or {}).get("OriginReadTimeout", 30)),
        int(origin.get("ConnectionAttempts", 3)),
        float(origin.get("ConnectionTimeout", 10)),
        failover,
    )


def read_behaviour(
    raw: Json, config: Json, policies: Mapping[str, Json], usual: Ttl, origin_request: Mapping[str, Json]
) -> Behaviour:
    """Return a behaviour from a DefaultCacheBehavior or CacheBehavior of `config`.

    `usual`: seconds for errors without a custom error response; `policies`, `origin_request`: cache policies and
    origin request policies by id. May raise KeyError for an unknown policy.
    """
    policy = policies[raw["CachePolicyId"]] if raw.get("CachePolicyId") else _legacy(raw)
    keys = policy.get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    sent = origin_request[raw["OriginRequestPolicyId"]] if raw.get("OriginRequestPolicyId") else {}
    queries, headers, cookies = _selections(keys)
    errors = {int(entry["ErrorCode"]): entry for entry in _items(config.get("CustomErrorResponses"))}
    maximum = float(policy.get("MaxTTL", math.inf))
    encodings = {"gzip": "EnableAcceptEncodingGzip", "br": "EnableAcceptEncodingBrotli"}
    return Behaviour(
        ttl=replace(
            usual,
            default=float(policy.get("DefaultTTL", 86400)),
            minimum=float(policy.get("MinTTL", 0)),
            maximum=maximum,
            errors={status: float(entry.get("ErrorCachingMinTTL", 10)) for status, entry in errors.items()},
        ),
        queries=queries,
        headers=headers,
        cookies=cookies,
        to_origin=_selections(sent),
        encodings=frozenset(coding for coding, name in encodings.items() if keys.get(name)),
        compress=bool(raw.get("Compress")),
        # "Dynamic requests, as determined at request time", bypass regional edge caches (DG, "How CloudFront works
        # with regional edge caches"): those of a behaviour that caches nothing.
        dynamic=maximum == 0,
        origin=_origin(config, raw.get("TargetOriginId", "")),
        pages={
            status: (entry["ResponsePagePath"], int(entry["ResponseCode"]))
            for status, entry in errors.items()
            if entry.get("ResponsePagePath")
        },
    )


class Behaviours:
    """The cache behaviours of a distribution, in order of precedence."""

    def __init__(
        self,
        config: Json | None,
        policies: Mapping[str, Json],
        fallback: Behaviour,
        origin_request: Mapping[str, Json] | None = None,
    ) -> None:
        """Read the behaviours of a DistributionConfig; without one, `fallback` applies to all paths."""
        self._patterns: list[tuple[re.Pattern[str], Behaviour]] = []
        self._default = fallback
        if config is None:
            return

        def read(raw: Json) -> Behaviour:
            found = read_behaviour(raw, config, policies, fallback.ttl, origin_request or {})
            return replace(found, of_path=self.of_path)

        self._default = read(config.get("DefaultCacheBehavior") or {})
        self._patterns = [(_pattern(raw["PathPattern"]), read(raw)) for raw in _items(config.get("CacheBehaviors"))]

    def find(self, request: Request) -> Behaviour:
        """Return the first behaviour whose pattern matches the request's path, else the default one."""
        return self.of_path(request.target) if self._patterns else self._default

    def of_path(self, target: str) -> Behaviour:
        """Return the first behaviour whose pattern matches the path of a target, else the default one."""
        path = target.partition("?")[0]
        return next((found for pattern, found in self._patterns if pattern.fullmatch(path)), self._default)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a path pattern as a regular expression: `*` is any text, `?` one character; a leading / is optional."""
    wild = {"*": ".*", "?": "."}
    full = text if text.startswith(("/", "*")) else f"/{text}"
    return re.compile("".join(wild.get(char) or re.escape(char) for char in full))
