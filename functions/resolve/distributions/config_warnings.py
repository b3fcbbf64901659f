"""What people should know of a distribution's settings before it is warmed, in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from prewarm.errors import truncate
from prewarm.urls import Url, redacted
from resolve.distributions.cache_behaviours import Behaviour, CacheKey, Document, by_behaviour

# Headers that CloudFront adds itself, from where the viewer is and what it seems to be (Developer Guide, "Add
# CloudFront request headers"): a Lambda function has one place and one User-Agent.
VIEWER_PLACE = ("cloudfront-viewer-",)
VIEWER_DEVICE = ("cloudfront-is-", "user-agent")
ALLOW_REDIRECT, HTTPS_ONLY = "redirect-to-https", "https-only"
# The edge keeps an error for 10 s unless told otherwise (Developer Guide, "How CloudFront caches errors").
ERROR_SECONDS = 10


def settings_warnings(
    domain: str,
    config: Document,
    found: Sequence[Behaviour],
    urls: Sequence[Url],
    variants: Sequence[str],
    headers: Mapping[str, str],
) -> list[str]:
    """Return what a distribution's settings will do to a run's URLs: one sentence each, the distribution's own first.

    Args:
        domain: the distribution's domain.
        config: its DistributionConfig.
        found: its cache behaviours, as `behaviours` gives them.
        urls: the run's URLs that it serves.
        variants: the request's accept_encodings.
        headers: the request's headers.

    """
    told = [f"{domain}: {sentence}" for sentence in _of_distribution(config)]
    for number, those in sorted(by_behaviour(found, urls).items()):
        behaviour = found[number]
        example = truncate(redacted(those[0].given))
        count = f"{len(those):,} URLs, such as {example}" if len(those) > 1 else example
        where = f"{domain}, behaviour {behaviour.pattern} ({count})"
        told += [f"{where}: {sentence}" for sentence in _of_behaviour(behaviour, those, variants, headers)]
    return told


def _of_distribution(config: Document) -> Iterator[str]:
    geography = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    kind = geography.get("RestrictionType", "none")
    if kind != "none":
        countries = ", ".join(geography.get("Items") or [])
        yield (
            f"a geographic restriction ({kind}: {countries}) is judged by the country of this service's Region; from "
            "outside, the edge answers 403 (blocked)"
        )
    if config.get("WebACLId"):
        yield "a web ACL may refuse the service's requests: allow its User-Agent"
    if "http2" not in config.get("HttpVersion", "http2"):
        yield "HTTP/2 is off, so each POP takes more connections and more time"
    errors = (config.get("CustomErrorResponses") or {}).get("Items") or []
    longest = max((entry.get("ErrorCachingMinTTL", 0) for entry in errors), default=0)
    if longest > ERROR_SECONDS:
        yield (
            f"the edge keeps errors for up to {longest} s; a 5xx is retried after PREWARM_ERROR_CACHE_SECONDS "
            f"({ERROR_SECONDS} by default) and may be the kept one"
        )


def _of_behaviour(
    behaviour: Behaviour, urls: Sequence[Url], variants: Sequence[str], headers: Mapping[str, str]
) -> Iterator[str]:
    settings = behaviour.settings
    yield from _of_protocol(settings, urls)
    if any((settings.get(name) or {}).get("Enabled") for name in ("TrustedSigners", "TrustedKeyGroups")):
        yield "only signed URLs or cookies are served; without them the edge answers 403 (blocked)"
    yield from _of_functions(settings)
    if behaviour.key is None:
        yield "its cache policy could not be read, so nothing is known of its cache key"
        return
    if why := behaviour.key.why_nothing_is_cached():
        yield f"{why}; warming it is in vain"
        return
    if behaviour.key.min_ttl == 0 and behaviour.key.default_ttl == 0:
        yield "only what the origin gives a lifetime (Cache-Control, Expires) is kept: the default TTL is 0"
    yield from _of_variants(behaviour.key, variants)
    yield from _of_cache_key(behaviour.key, urls, headers)


def _of_protocol(settings: Document, urls: Sequence[Url]) -> Iterator[str]:
    plain = sum(url.scheme == "http" for url in urls)
    policy = settings.get("ViewerProtocolPolicy")
    if plain and policy == ALLOW_REDIRECT:
        yield f"{plain:,} http:// URLs are redirected to https:// and will fail as redirect; list them as https://"
    elif plain and policy == HTTPS_ONLY:
        yield f"{plain:,} http:// URLs are refused with 403 (blocked); list them as https://"


def _of_functions(settings: Document) -> Iterator[str]:
    kinds = {"LambdaFunctionAssociations": "Lambda@Edge", "FunctionAssociations": "CloudFront Functions"}
    for name, words in kinds.items():
        for entry in (settings.get(name) or {}).get("Items") or []:
            event = entry.get("EventType", "")
            if event == "viewer-request":
                yield f"{words} on viewer-request may response itself or rewrite the cache key"
            elif event == "viewer-response":
                yield f"{words} on viewer-response may change what is judged"


def _of_variants(key: CacheKey, variants: Sequence[str]) -> Iterator[str]:
    leads: dict[str, list[str]] = {}
    for variant in variants:
        leads.setdefault(key.variant(variant), []).append(variant)
    for cached, asked in leads.items():
        if len(asked) > 1:
            listed = " and ".join(repr(truncate(each)) for each in asked)
            yield f"{listed} are one cached copy ({cached}); give one of them in accept_encodings"
    kept = sorted(key.encodings)
    if "accept-encoding" not in key.headers and not kept and any(key_wants(each) for each in variants):
        yield "compressed copies are not kept apart: viewers with and without br or gzip share one"


def key_wants(accept_encoding: str) -> bool:
    """Say whether an Accept-Encoding asks for what CloudFront knows."""
    return any(name in accept_encoding.lower() for name in ("br", "gzip"))


def _of_cache_key(key: CacheKey, urls: Sequence[Url], headers: Mapping[str, str]) -> Iterator[str]:
    given = {name.lower() for name in headers}
    if "*" in key.headers:
        yield "all headers are in the cache key, so nothing is cached"
        return
    place = sorted(name for name in key.headers if name.startswith(VIEWER_PLACE))
    if place:
        yield f"{', '.join(place)} in the cache key: only the copy for this service's own place is warmed"
    device = sorted(name for name in key.headers if name.startswith(VIEWER_DEVICE))
    if device:
        yield f"{', '.join(device)} in the cache key: only one device's copy is warmed; set user_agent to a viewer's"
    rest = sorted(key.headers - set(place) - set(device) - given - {"accept-encoding"})
    if rest:
        yield f"{', '.join(rest)} in the cache key: viewers who send them get other copies; give them in headers"
    if key.cookies != "none" and "cookie" not in given:
        yield f"cookies are in the cache key ({key.cookies}): only the copy without cookies is warmed"
    if key.queries == "none":
        bare = len({url.fetch.partition("?")[0] for url in urls})
        if bare < len(urls):
            yield f"query strings are not in the cache key: these URLs are {bare:,} objects, asked for again in vain"
