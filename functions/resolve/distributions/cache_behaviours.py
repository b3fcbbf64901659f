"""Cache behaviours: which one matches a URL, and its cache key and lifetimes. Pure.

Documents are the responses of GetDistributionConfig and GetCachePolicy, as boto3 returns them. Their meaning is in:
CloudFront Developer Guide, "Distribution settings reference" and "Control the cache key with a policy".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prewarm.request.path_pattern import path_expression
from prewarm.urls import Url
from resolve.distributions.by_url import by_url
from resolve.distributions.error_responses import error_pages, error_seconds, errors_with_page, refusing_settings
from resolve.distributions.forwarding import (
    NO_POLICIES,
    NOTHING_FORWARDED,
    Forwarding,
    Policies,
    forwarding,
    harmless_in_vary,
)
from resolve.distributions.origins import first_byte_seconds, has_origin_shield, s3_region

Document = Mapping[str, Any]
ENCODINGS = ("br", "gzip")
IDENTITY = "identity"


@dataclass(frozen=True)
class CacheKey:
    """The parts of a request, apart from host and path, that select a cache entry, and the entries' TTLs in seconds.

    `queries`, `cookies`: `none`, `all`, `whitelist` or `allExcept`; `query_names`: the listed ones; `headers` in
    lower case; `encodings`: which of br and gzip have their own entries; `policy`: the cache policy's name, empty for
    legacy settings.
    """

    policy: str
    encodings: frozenset[str]
    headers: frozenset[str]
    cookies: str
    queries: str
    min_ttl: int
    default_ttl: int
    max_ttl: int
    query_names: frozenset[str] = frozenset()

    def has_query(self, name: str) -> bool:
        """Return whether a query string of this name is in the key."""
        listed = name in self.query_names
        return {"all": True, "whitelist": listed, "allExcept": not listed}.get(self.queries, False)

    def variant(self, accept_encoding: str) -> str:
        """Return the cached copy that an Accept-Encoding selects: `br,gzip`, `br`, `gzip` or `identity`.

        If the key's headers include Accept-Encoding, every spelling has its own copy.
        """
        if "accept-encoding" in self.headers:
            return accept_encoding.lower()
        accepted = [name for name in ENCODINGS if name in self.encodings and _accepts(name, accept_encoding.lower())]
        return ",".join(accepted) or IDENTITY

    def why_nothing_is_cached(self) -> str:
        """Return why nothing stays in the cache, or an empty text."""
        if self.max_ttl > 0 or self.min_ttl > 0:
            return ""
        source = f"its cache policy {self.policy}" if self.policy else "its cache settings"
        return f"{source} caches nothing (maximum TTL 0)"


@dataclass(frozen=True)
class Behaviour:
    """One cache behaviour: path pattern (`*` for the default one), settings, and cache key, None if unreadable.

    `error_pages`, `error_seconds`, `paged_errors`: the distribution's, as `error_responses` returns them; `refusing`:
    the settings by which the edge refuses requests itself, in words; `first_byte_seconds`: how long the edge may wait
    for its silent origin; `s3_region`: the Region of its S3 bucket; `forwarding`: what the origin gets beyond the
    cache key; `shielded`: its origin has Origin Shield.
    """

    pattern: str
    settings: Document
    key: CacheKey | None
    expression: re.Pattern[str] = field(compare=False)
    error_pages: Mapping[int, int] = field(default_factory=dict)
    refusing: str = ""
    first_byte_seconds: int = 0
    s3_region: str = ""
    forwarding: Forwarding = NOTHING_FORWARDED
    error_seconds: Mapping[int, int] = field(default_factory=dict)
    shielded: bool = False
    paged_errors: frozenset[int] = frozenset()

    @property
    def is_dynamic(self) -> bool:
        """Return whether its requests are dynamic: nothing is cached, or all headers are in the key."""
        return self.key is not None and (bool(self.key.why_nothing_is_cached()) or "*" in self.key.headers)

    def compresses(self, accept_encoding: str) -> bool:
        """Return whether the edge compresses for an Accept-Encoding (Developer Guide, "Serve compressed files")."""
        if not self.settings.get("Compress") or self.key is None or "accept-encoding" in self.key.headers:
            return False
        return self.key.variant(accept_encoding) != IDENTITY


def _accepts(name: str, accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding in lower case names an encoding without refusing it (`;q=0`)."""
    return re.search(rf"\b{name}\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", accept_encoding) is not None


def policy_ids(config: Document, kind: str = "CachePolicyId") -> set[str]:
    """Return the ids of all policies of a kind that a distribution uses; `kind`: a setting of cache behaviours."""
    return {settings[kind] for _, settings in _all_settings(config) if settings.get(kind)}


def behaviours(config: Document, policies: Mapping[str, Document], others: Policies = NO_POLICIES) -> list[Behaviour]:
    """Return a distribution's cache behaviours in the order in which the edge tries them, the default one last.

    `policies` maps ids to CachePolicyConfig documents; a behaviour whose policy is missing from it has no key.
    `others`: the policies of other kinds that are not managed by CloudFront.
    """
    in_order = []
    pages, kept, paged = error_pages(config), error_seconds(config), errors_with_page(config)
    for pattern, settings in _all_settings(config):
        policy_id = settings.get("CachePolicyId")
        if policy_id:
            key = _key_of_policy(policies[policy_id]) if policy_id in policies else None
        else:
            key = _legacy_key(settings)
        refusing = refusing_settings(config, settings)
        wait, region = first_byte_seconds(config, settings), s3_region(config, settings)
        expression, shielded = path_expression(pattern), has_origin_shield(config, settings)
        to_origin = forwarding(settings, others)
        in_order.append(
            Behaviour(
                pattern, settings, key, expression, pages, refusing, wait, region, to_origin, kept, shielded, paged
            )
        )
    return in_order


def by_behaviour(in_order: Sequence[Behaviour], urls: Iterable[Url]) -> dict[int, list[Url]]:
    """Return the URLs by the first behaviour whose pattern their path matches: index of the behaviour to its URLs."""
    listed = list(urls)
    if len(in_order) == 1:
        return {0: listed} if listed else {}
    grouped: dict[int, list[Url]] = {}
    for url in listed:
        grouped.setdefault(_first_match(in_order, url), []).append(url)
    return grouped


def first_matches(in_order: Sequence[Behaviour], urls: Sequence[Url]) -> Sequence[int]:
    """Return by position the number of the first behaviour that matches each URL; 0 if there is only one, or none."""
    return [_first_match(in_order, url) for url in urls] if len(in_order) > 1 else [0] * len(urls)


def longest_first_byte(in_order: Sequence[Behaviour], urls: Iterable[Url]) -> int:
    """Return how long a first byte of the URLs may take, in seconds; 0 if the settings are unknown."""
    if len({behaviour.first_byte_seconds for behaviour in in_order}) <= 1:
        return in_order[0].first_byte_seconds if in_order else 0
    return max((in_order[number].first_byte_seconds for number in by_behaviour(in_order, urls)), default=0)


def uncacheable(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, str]:
    """Return the URLs that the settings keep out of the cache: position to the reason as a sentence.

    `matches`: here and below, the URLs' behaviours as `first_matches` returns them.
    """
    return by_url(matches, [each.key.why_nothing_is_cached() if each.key else "" for each in in_order])


def refusals(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, str]:
    """Return the settings by which the edge may refuse URLs itself: position to a list in words."""
    return by_url(matches, [each.refusing for each in in_order])


def harmless_vary(in_order: Sequence[Behaviour], matches: Sequence[int]) -> dict[int, str]:
    """Return the headers that responses may name in Vary without harm: position to names, separated by commas.

    A URL without such headers is left out. None if the distribution's settings are not known.
    """
    return by_url(
        matches,
        [
            ",".join(sorted(harmless_in_vary(each.forwarding, each.key.headers, each.key.cookies)))
            if each.key
            else "*"
            for each in in_order
        ],
    )


def compressed(in_order: Sequence[Behaviour], matches: Sequence[int], variants: Sequence[str]) -> dict[int, str]:
    """Return for which variants the edge compresses URLs: position to the variants' numbers, such as `0,1`."""
    texts = [",".join(str(n) for n, each in enumerate(variants) if one.compresses(each)) for one in in_order]
    return by_url(matches, texts)


def has_pragma_in_key(in_order: Iterable[Behaviour]) -> bool:
    """Return whether a cache key has the header Pragma, so that sending it would select another copy."""
    return any(each.key is not None and "pragma" in each.key.headers for each in in_order)


def _first_match(in_order: Sequence[Behaviour], url: Url) -> int:
    path = "/" + url.fetch.split("/", 3)[3].partition("?")[0]
    last = len(in_order) - 1
    return next((number for number in range(last) if in_order[number].expression.fullmatch(path)), last)


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
        query_names=frozenset(_items(parameters.get("QueryStringsConfig") or {}, "QueryStrings")),
    )


def _legacy_key(settings: Document) -> CacheKey:
    """Return the key of settings from before cache policies, which support gzip but not brotli."""
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
        query_names=frozenset(_items(forwarded, "QueryStringCacheKeys")),
    )
