"""Warnings about copies that a run's requests do not select, so that other viewers find them cold. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from prewarm.counted import count_of
from prewarm.errors import truncate
from prewarm.urls import Url, redacted
from resolve.distributions.cache_behaviours import ENCODINGS, CacheKey
from resolve.variants import HTTP, variants_of

# Headers that CloudFront adds itself, from the viewer's location and the type of its device (Developer Guide, "Add
# CloudFront request headers"): a Lambda function has one location and one User-Agent.
VIEWER_LOCATION = ("cloudfront-viewer-",)
VIEWER_DEVICE = ("cloudfront-is-", "user-agent")
# What browsers send over HTTPS (Chrome, Edge and Firefox; Safari), and all of them over HTTP (read 2026-11).
SENT_BY_BROWSERS = {"https": ("gzip, deflate, br, zstd", "gzip, deflate, br"), "http": ("gzip, deflate",)}
ACCEPT_ENCODING = "accept-encoding"
# Headers whose value follows from the URL, so that its viewers send no other.
OF_URL = frozenset({"host", "cloudfront-forwarded-proto"})
# If a distribution's settings cannot be read, its key is assumed to have both encodings, as AWS recommends (Developer
# Guide, "Serve compressed files").
USUAL_KEY = CacheKey("", frozenset(ENCODINGS), frozenset(), "none", "none", 0, 0, 0)


def key_warnings(
    key: CacheKey, urls: Sequence[Url], listed: Sequence[str] | None, headers: Mapping[str, str]
) -> Iterator[str]:
    """Yield how a behaviour's cache key affects its URLs; `listed`: the request's accept_encodings."""
    yield from _of_variants(key, urls, listed)
    if "*" in key.headers:
        yield "all headers are in the cache key, so nothing is cached"
        return
    yield from _of_headers(key, {name.lower() for name in headers})
    if key.queries == "none":
        objects = len({url.fetch.partition("?")[0] for url in urls})
        if objects < len(urls):
            yield (
                f"query strings are not part of the cache key: these URLs map to {objects:,} cached objects; "
                "the other requests are redundant"
            )


def http_warnings(urls: Sequence[Url], listed: Sequence[str] | None, key: CacheKey = USUAL_KEY) -> Iterator[str]:
    """Yield a warning if viewers of http:// URLs get a copy that none of the listed accept_encodings selects."""
    plain = [url for url in urls if url.scheme == "http"]
    if not plain or listed is None or ACCEPT_ENCODING in key.headers:
        return
    wanted = key.variant(HTTP)
    if wanted not in map(key.variant, listed):
        yield (
            f"{count_of(len(plain), 'http:// URL')}, such as {truncate(redacted(plain[0].given))}: browsers do not "
            f"accept br over http, so their viewers get the copy for {wanted}, which is not warmed; add {HTTP!r} to "
            "accept_encodings"
        )


def _of_variants(key: CacheKey, urls: Sequence[Url], listed: Sequence[str] | None) -> Iterator[str]:
    sent = listed or [each for variants in variants_of(None, urls) for each in variants]
    if ACCEPT_ENCODING in key.headers:
        yield from _of_spellings(key, urls, sent)
        return
    by_copy: dict[str, list[str]] = {}
    for variant in listed or ():
        by_copy.setdefault(key.variant(variant), []).append(variant)
    for copy, same in by_copy.items():
        if len(same) > 1:
            selecting = " and ".join(repr(truncate(each)) for each in same)
            yield f"{selecting} select one cached copy ({copy}); list one of them in accept_encodings"
    if not key.encodings and any(map(names_encoding, sent)):
        yield "the cache key ignores Accept-Encoding: viewers with and without br or gzip share one cached copy"


def names_encoding(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding names an encoding that CloudFront normalises: br or gzip."""
    return any(name in accept_encoding.lower() for name in ENCODINGS)


def _of_spellings(key: CacheKey, urls: Sequence[Url], sent: Sequence[str]) -> Iterator[str]:
    """Yield a warning if browsers' spellings of Accept-Encoding are missing where each has a separate copy.

    With neither EnableAcceptEncodingGzip nor EnableAcceptEncodingBrotli, CloudFront treats the header like any other
    (API Reference, "ParametersInCacheKeyAndForwardedToOrigin").
    """
    schemes = dict.fromkeys(url.scheme for url in urls)
    browsers = list(dict.fromkeys(value for scheme in schemes for value in SENT_BY_BROWSERS[scheme]))
    warmed = set(map(key.variant, sent))
    if missing := [value for value in browsers if key.variant(value) not in warmed]:
        exact = " or ".join(repr(truncate(value)) for value in sent)
        yield (
            f"accept-encoding in the cache key: only viewers that send exactly {exact} get a warmed copy; "
            f"add what browsers send to accept_encodings: {', '.join(map(repr, missing))}"
        )


def _of_headers(key: CacheKey, sent: set[str]) -> Iterator[str]:
    """Yield which values of the headers and cookies in the key have no warmed copy; `sent`: the request's headers."""
    location = sorted(name for name in key.headers if name.startswith(VIEWER_LOCATION))
    if location:
        yield f"{', '.join(location)} in the cache key: only the copy for the service's own location is warmed"
    device = sorted(name for name in key.headers if name.startswith(VIEWER_DEVICE))
    if device:
        yield f"{', '.join(device)} in the cache key: only one device's copy is warmed; set user_agent to a viewer's"
    others = key.headers - set(location) - set(device) - OF_URL - {ACCEPT_ENCODING}
    if rest := sorted(others - sent):
        yield f"{', '.join(rest)} in the cache key: viewers that send them get other copies; set them in headers"
    run = "warm each other value that viewers send in a separate run"
    if fixed := sorted(others & sent):
        yield f"{', '.join(fixed)} in the cache key: only the copy for the value in headers is warmed; {run}"
    if key.cookies != "none" and "cookie" not in sent:
        yield f"cookies are in the cache key ({key.cookies}): only the copy without cookies is warmed"
    elif key.cookies != "none":
        cookie = "only the copy for the Cookie in headers is warmed"
        yield f"cookies are in the cache key ({key.cookies}): {cookie}; {run}"
