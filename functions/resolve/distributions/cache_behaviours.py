"""What a distribution's settings will do to a run's URLs: which cache behaviour each meets, and its cache key. Pure.

Documents are those of GetDistributionConfig and GetCachePolicy, as boto3 gives them. Source of what they mean:
CloudFront Developer Guide, "Distribution settings reference" and "Control the cache key with a policy".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prewarm.urls import Url

Document = Mapping[str, Any]
ENCODINGS = ("br", "gzip")


@dataclass(frozen=True)
class CacheKey:
    """What of a request, beside its host and path, makes another cache entry; and how long entries live, in seconds.

    `queries`, `cookies`: `none`, `all`, `whitelist` or `allExcept`; `headers` in lower case; `encodings`: those of
    br and gzip that are kept apart; `policy`: the cache policy's name, empty for settings of the legacy kind.
    """

    policy: str
    encodings: frozenset[str]
    headers: frozenset[str]
    cookies: str
    queries: str
    min_ttl: int
    default_ttl: int
    max_ttl: int

    def variant(self, accept_encoding: str) -> str:
        """Return which cached copy an Accept-Encoding leads to: `br,gzip`, `br`, `gzip` or `identity`.

        A header list with Accept-Encoding in it keeps every spelling apart.
        """
        if "accept-encoding" in self.headers:
            return accept_encoding.lower()
        wanted = [name for name in ENCODINGS if name in self.encodings and _asks_for(name, accept_encoding.lower())]
        return ",".join(wanted) or "identity"

    def why_nothing_is_cached(self) -> str:
        """Say why nothing stays in the cache, or return an empty text."""
        if self.max_ttl > 0 or self.min_ttl > 0:
            return ""
        whose = f"its cache policy {self.policy}" if self.policy else "its cache settings"
        return f"{whose} keeps nothing (maximum TTL 0)"


@dataclass(frozen=True)
class Behaviour:
    """One cache behaviour: its path pattern (`*` for the default one), its settings, its cache key if it is known."""

    pattern: str
    settings: Document
    key: CacheKey | None
    expression: re.Pattern[str] = field(compare=False)


def _asks_for(name: str, accept_encoding: str) -> bool:
    """Say whether an Accept-Encoding in lower case names an encoding, and not to refuse it (`;q=0`)."""
    return re.search(rf"\b{name}\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", accept_encoding) is not None


def policy_ids(config: Document) -> set[str]:
    """Return the ids of all cache policies that a distribution uses."""
    return {settings["CachePolicyId"] for _, settings in _all_settings(config) if settings.get("CachePolicyId")}


def behaviours(config: Document, policies: Mapping[str, Document]) -> list[Behaviour]:
    """Return a distribution's cache behaviours in the order in which they are tried, the default one last.

    `policies` maps ids to CachePolicyConfig documents; a behaviour whose policy is not among them has no key.
    """
    found = []
    for pattern, settings in _all_settings(config):
        policy_id = settings.get("CachePolicyId")
        if policy_id:
            key = _key_of_policy(policies[policy_id]) if policy_id in policies else None
        else:
            key = _legacy_key(settings)
        found.append(Behaviour(pattern, settings, key, path_expression(pattern)))
    return found


def path_expression(pattern: str) -> re.Pattern[str]:
    """Return a path pattern as a regular expression over whole paths.

    `*` is any run of characters and `?` any one; patterns are case-sensitive, may leave out the first slash, and say
    nothing of the query (Developer Guide, "Path pattern").
    """
    body = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern.removeprefix("/"))
    return re.compile(f"/{body}" if pattern != "*" else ".*", re.DOTALL)


def by_behaviour(found: Sequence[Behaviour], urls: Iterable[Url]) -> dict[int, list[Url]]:
    """Sort URLs by the first behaviour whose pattern their path matches: index of the behaviour to its URLs."""
    sorted_: dict[int, list[Url]] = {}
    for url in urls:
        sorted_.setdefault(_which(found, url), []).append(url)
    return sorted_


def uncacheable(found: Sequence[Behaviour], urls: Iterable[Url]) -> dict[int, str]:
    """Return of which URLs the settings let no copy be kept, and why: position to sentence."""
    why = [behaviour.key.why_nothing_is_cached() if behaviour.key else "" for behaviour in found]
    if not any(why):
        return {}
    told = ((position, why[_which(found, url)]) for position, url in enumerate(urls))
    return {position: sentence for position, sentence in told if sentence}


def _which(found: Sequence[Behaviour], url: Url) -> int:
    path = "/" + url.fetch.split("/", 3)[3].partition("?")[0]
    last = len(found) - 1
    return next((number for number in range(last) if found[number].expression.fullmatch(path)), last)


def _all_settings(config: Document) -> Iterator[tuple[str, Document]]:
    for settings in (config.get("CacheBehaviors") or {}).get("Items") or []:
        yield settings["PathPattern"], settings
    yield "*", config.get("DefaultCacheBehavior") or {}


def _items(document: Document, name: str) -> list[str]:
    return list((document.get(name) or {}).get("Items") or [])


def _key_of_policy(policy: Document) -> CacheKey:
    parameters = policy.get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    enabled = {"gzip": "EnableAcceptEncodingGzip", "br": "EnableAcceptEncodingBrotli"}
    headers = parameters.get("HeadersConfig") or {}
    return CacheKey(
        policy=policy.get("Name", ""),
        encodings=frozenset(name for name, switch in enabled.items() if parameters.get(switch)),
        headers=frozenset(name.lower() for name in _items(headers, "Headers")),
        cookies=(parameters.get("CookiesConfig") or {}).get("CookieBehavior", "none"),
        queries=(parameters.get("QueryStringsConfig") or {}).get("QueryStringBehavior", "none"),
        min_ttl=policy.get("MinTTL", 0),
        default_ttl=policy.get("DefaultTTL", 86_400),
        max_ttl=policy.get("MaxTTL", 31_536_000),
    )


def _legacy_key(settings: Document) -> CacheKey:
    """Read settings of the kind that was there before cache policies: they know gzip and no brotli."""
    forwarded = settings.get("ForwardedValues") or {}
    queries = "all" if forwarded.get("QueryString") else "none"
    return CacheKey(
        policy="",
        encodings=frozenset({"gzip"}),
        headers=frozenset(name.lower() for name in _items(forwarded, "Headers")),
        cookies=(forwarded.get("Cookies") or {}).get("Forward", "none"),
        queries="whitelist" if _items(forwarded, "QueryStringCacheKeys") else queries,
        min_ttl=settings.get("MinTTL", 0),
        default_ttl=settings.get("DefaultTTL", 86_400),
        max_ttl=settings.get("MaxTTL", 31_536_000),
    )
