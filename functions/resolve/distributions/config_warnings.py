"""Warnings about a distribution's settings, before its URLs are warmed. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from prewarm.errors import truncate
from prewarm.settings import DEFAULT_STALL_SECONDS
from prewarm.urls import Url, redacted
from resolve.distributions.cache_behaviours import Behaviour, Document, by_behaviour, longest_first_byte
from resolve.distributions.forwarding import forwarding_warnings
from resolve.distributions.key_warnings import USUAL_KEY, http_warnings, key_warnings

FUNCTIONS = {"LambdaFunctionAssociations": "Lambda@Edge", "FunctionAssociations": "CloudFront Functions"}
ALLOW_REDIRECT, HTTPS_ONLY = "redirect-to-https", "https-only"
# The edge caches an error for 10 s by default (Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status
# codes from your origin").
ERROR_SECONDS = 10


def settings_warnings(
    domain: str,
    config: Document,
    in_order: Sequence[Behaviour],
    urls: Sequence[Url],
    listed: Sequence[str] | None,
    headers: Mapping[str, str],
    *,
    invalidates: bool = False,
) -> list[str]:
    """Return how a distribution's settings affect a run's URLs: one sentence each, the whole distribution's first.

    Args:
        domain: the distribution's domain.
        config: its DistributionConfig.
        in_order: its cache behaviours, as `behaviours` returns them.
        urls: the run's URLs that it serves.
        listed: the request's accept_encodings, None if it has none.
        headers: the request's headers.
        invalidates: whether the run invalidates paths.

    """
    warnings = [f"{domain}: {sentence}" for sentence in _of_distribution(config)]
    for number, matching in sorted(by_behaviour(in_order, urls).items()):
        behaviour = in_order[number]
        example = truncate(redacted(matching[0].given))
        count = f"{len(matching):,} URLs, such as {example}" if len(matching) > 1 else example
        subject = f"{domain}, behaviour {behaviour.pattern} ({count})"
        sentences = _of_behaviour(behaviour, matching, listed, headers, invalidates=invalidates)
        warnings += [f"{subject}: {sentence}" for sentence in sentences]
    return warnings


def stall_warnings(domain: str, in_order: Sequence[Behaviour], urls: Sequence[Url], stall_seconds: int) -> list[str]:
    """Return a warning if a changed PREWARM_STALL_SECONDS is shorter than the distribution may need; else nothing."""
    wait = longest_first_byte(in_order, urls)
    if stall_seconds == DEFAULT_STALL_SECONDS or wait <= max(stall_seconds, DEFAULT_STALL_SECONDS):
        return []
    known = f"the edge may wait {wait} s for its origin (response timeout, attempts, origin group)"
    short = f"PREWARM_STALL_SECONDS is {stall_seconds}: slower responses count as timeouts and are fetched again"
    return [f"{domain}: {known}, but {short}; raise it, or leave it unset"]


def _of_distribution(config: Document) -> Iterator[str]:
    geography = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    kind = geography.get("RestrictionType", "none")
    if kind != "none":
        countries = ", ".join(geography.get("Items") or [])
        yield (
            f"a geographic restriction ({kind}: {countries}) applies to the service's requests by the country of its "
            "Region; the edge responds with 403 (blocked) if that country is excluded"
        )
    if config.get("ContinuousDeploymentPolicyId"):
        yield (
            "a continuous deployment policy sends some viewers to a staging distribution, which has a separate "
            "cache that stays cold"
        )
    if config.get("WebACLId"):
        yield "a web ACL may block the service's requests; allow them by a secret header that only they have"
    if "http2" not in config.get("HttpVersion", "http2"):
        yield "HTTP/2 is off, so each POP needs more connections and more time"
    errors = (config.get("CustomErrorResponses") or {}).get("Items") or []
    longest = max((entry.get("ErrorCachingMinTTL", 0) for entry in errors), default=0)
    if longest > ERROR_SECONDS:
        yield (
            f"the edge caches errors for up to {longest} s (ErrorCachingMinTTL): a 5xx is retried after that time, "
            "or not at all if the run ends first"
        )


def _of_behaviour(
    behaviour: Behaviour,
    urls: Sequence[Url],
    listed: Sequence[str] | None,
    headers: Mapping[str, str],
    *,
    invalidates: bool,
) -> Iterator[str]:
    settings = behaviour.settings
    yield from _of_protocol(settings, urls)
    if any((settings.get(name) or {}).get("Enabled") for name in ("TrustedSigners", "TrustedKeyGroups")):
        yield "only signed URLs and signed cookies are served; the edge responds to others with 403 (blocked)"
    yield from _of_functions(settings, invalidates=invalidates)
    if behaviour.key is None:
        yield "its cache policy could not be read, so its cache key is unknown"
        yield from _over_http(behaviour, urls, listed)
        return
    if why := behaviour.key.why_nothing_is_cached():
        yield f"{why}, so warming has no effect"
        return
    if behaviour.key.min_ttl == 0 and behaviour.key.default_ttl == 0:
        yield (
            "the default TTL is 0, so only responses with a lifetime from the origin (Cache-Control, Expires) "
            "are cached"
        )
    yield from key_warnings(behaviour.key, urls, listed, headers)
    yield from _over_http(behaviour, urls, listed)
    sent = {name.lower() for name in headers}
    yield from forwarding_warnings(behaviour.forwarding, behaviour.key.headers, behaviour.key.cookies, sent)


def _of_protocol(settings: Document, urls: Sequence[Url]) -> Iterator[str]:
    plain = sum(url.scheme == "http" for url in urls)
    policy = settings.get("ViewerProtocolPolicy")
    if plain and policy == ALLOW_REDIRECT:
        yield f"{plain:,} http:// URLs are redirected to https:// and will fail as redirect; list them as https://"
    elif plain and policy == HTTPS_ONLY:
        yield f"{plain:,} http:// URLs are refused with 403 (blocked); list them as https://"


def _over_http(behaviour: Behaviour, urls: Sequence[Url], listed: Sequence[str] | None) -> Iterator[str]:
    """Yield the warning of http:// URLs, unless they are redirected or refused."""
    if behaviour.settings.get("ViewerProtocolPolicy") not in {ALLOW_REDIRECT, HTTPS_ONLY}:
        yield from http_warnings(urls, listed, behaviour.key or USUAL_KEY)


def _of_functions(settings: Document, *, invalidates: bool) -> Iterator[str]:
    for name, product in FUNCTIONS.items():
        for entry in (settings.get(name) or {}).get("Items") or []:
            event = entry.get("EventType", "")
            if event == "viewer-request":
                yield f"{product} on viewer-request may generate the response or change the cache key"
                if invalidates:
                    both = "then both URIs have to be invalidated; use patterns in invalidate that cover both"
                    yield f"{product} on viewer-request may change the URI, and {both}"
            elif event == "viewer-response":
                yield f"{product} on viewer-response may change the response that the service checks"
