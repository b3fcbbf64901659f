"""What one target came to: the taxonomy, and the judgement of an edge's response.

Pure: it sees what came over the wire and says what that means. Sources: the CloudFront Developer Guide's pages on
X-Cache (as the log field x-edge-result-type), on custom error pages and on status codes that CloudFront returns.
"""

import functools
import re
from enum import StrEnum

from prewarm.fetcher.response import Response


class Outcome(StrEnum):
    """What one target (URL x POP x variant) came to."""

    WARMED = "warmed"
    ALREADY_WARM = "already_warm"
    CLIENT_ERROR = "client_error"
    BLOCKED = "blocked"
    SERVER_ERROR = "server_error"
    REDIRECT = "redirect"
    UNPROVEN = "unproven"
    NOT_CACHEABLE = "not_cacheable"
    WRONG_POP = "wrong_pop"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    CONNECT_ERROR = "connect_error"
    TLS_ERROR = "tls_error"
    UNRESOLVED_POP = "unresolved_pop"
    NO_DISTRIBUTION = "no_distribution"
    ORIGIN_OVERLOAD = "origin_overload"
    REJECTED = "rejected"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    LOST = "lost"


WARM = frozenset({Outcome.WARMED, Outcome.ALREADY_WARM})
# Asked again inside the worker, at another address of the POP first.
RETRIED = frozenset(
    {Outcome.CONNECT_ERROR, Outcome.TIMEOUT, Outcome.TRUNCATED, Outcome.SERVER_ERROR, Outcome.UNPROVEN}
)
# What every target comes to at a POP that has gone dark.
SILENT = frozenset({Outcome.CONNECT_ERROR, Outcome.TLS_ERROR, Outcome.WRONG_POP})

IN_WORDS = {
    Outcome.CLIENT_ERROR: "the origin answered with a 4xx",
    Outcome.BLOCKED: "the edge refused it with a 403 (geographic restriction, WAF or a signed-URL rule)",
    Outcome.SERVER_ERROR: "the origin answered with a 5xx, could not be reached, or the edge answered with an error",
    Outcome.REDIRECT: "it is a redirect; list the URL that it leads to",
    Outcome.UNPROVEN: "asked again, the edge still had no cached copy",
    Outcome.NOT_CACHEABLE: "the distribution's settings let the edge keep no copy",
    Outcome.WRONG_POP: "another POP answered than the one that was asked",
    Outcome.TRUNCATED: "the body ended before its announced end",
    Outcome.TOO_LARGE: "the body is larger than max_bytes",
    Outcome.TIMEOUT: "the edge went silent",
    Outcome.CONNECT_ERROR: "the POP refused or broke the connection",
    Outcome.TLS_ERROR: "no valid TLS connection for the URL's host could be made",
    Outcome.UNRESOLVED_POP: "the POP's name does not resolve",
    Outcome.NO_DISTRIBUTION: "no distribution of this account serves the URL's host",
    Outcome.ORIGIN_OVERLOAD: "not fetched: the host's origin was failing, and was left alone",
    Outcome.REJECTED: "the request was refused, so nothing was fetched",
    Outcome.DEADLINE: "the run's time was up",
    Outcome.CANCELLED: "the run was cancelled",
    Outcome.LOST: "its batch never reported back",
}

_ENCODINGS = frozenset({"br", "gzip"})
_UNCACHEABLE = re.compile(r"\b(?:no-store|no-cache|private|(?:s-maxage|max-age)=0)\b", re.IGNORECASE)
# libcurl's error numbers (curl/curl.h), named here so that this module needs no curl.
_COULD_NOT_CONNECT = frozenset({5, 6, 7, 45})
_TLS = frozenset({35, 51, 53, 54, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91, 98})
_BROKEN = frozenset({16, 18, 52, 55, 56, 92, 95})
_TIMED_OUT = 28
_TOO_LARGE = 63
_STATUS_REDIRECT, _STATUS_CLIENT, _STATUS_SERVER = 300, 400, 500
_FORBIDDEN, _TOO_MANY = 403, 429


def seems_uncacheable(response: Response) -> bool:
    """Say whether the origin's Cache-Control speaks against a copy at the edge.

    No proof of anything: a minimum TTL overrides it (Developer Guide, "Manage how long content stays in the cache").
    """
    return bool(response.cache_control) and _UNCACHEABLE.search(response.cache_control) is not None


def classify(response: Response, pop_id: str, variant: str = "") -> tuple[Outcome, str]:
    """Say what a response to an Accept-Encoding means for the POP that was asked, and why, in a few words.

    The second value is empty for a warm target. A Miss with a whole body is `warmed`; whether the POP really kept
    it only a second fetch proves, which is the worker's business.
    """
    if response.error:
        return _judge_broken(response)
    if not _is_pop(response.cf_pop, pop_id):
        return Outcome.WRONG_POP, f"X-Amz-Cf-Pop: {response.cf_pop or 'absent'}"
    if refusal := _refusal(response):
        return refusal, _said(response)
    return _judge_whole(response, variant)


def _judge_whole(response: Response, variant: str) -> tuple[Outcome, str]:
    """Judge what seems a copy of the object."""
    if response.content_length.isdecimal() and int(response.content_length) != response.bytes:
        return Outcome.TRUNCATED, f"{response.bytes} of {response.content_length} bytes"
    if response.encoding and not _was_asked(response.encoding.lower(), variant.lower()):
        return Outcome.UNPROVEN, f"Content-Encoding: {response.encoding}, which was not asked for"
    if response.hit or response.x_cache.startswith("Miss "):
        return (Outcome.ALREADY_WARM if response.hit else Outcome.WARMED), ""
    # Made at the edge by a function, or by something that is no CloudFront: nothing says that it is cached.
    return Outcome.UNPROVEN, _said(response)


@functools.lru_cache(maxsize=256)
def _was_asked(encoding: str, variant: str) -> bool:
    """Say whether an encoding is among those asked for; asked for none, a viewer takes what the origin stored."""
    asked = [part.partition(";")[0].strip() for part in variant.split(",")]
    return not _ENCODINGS & set(asked) or encoding in asked or "*" in asked


def _said(response: Response) -> str:
    return f"status {response.status}, X-Cache: {response.x_cache or 'absent'}"


def _refusal(response: Response) -> Outcome | None:
    """Judge status and X-Cache of a whole response; None where it is a copy of the object."""
    status = response.status
    if status >= _STATUS_SERVER or status == _TOO_MANY:
        return Outcome.SERVER_ERROR
    if status >= _STATUS_CLIENT:
        # An origin's own 403 carries the origin's Server header.
        made_by_edge = status == _FORBIDDEN and response.server == "CloudFront"
        return Outcome.BLOCKED if made_by_edge else Outcome.CLIENT_ERROR
    if status >= _STATUS_REDIRECT or response.x_cache.startswith("Redirect "):
        return Outcome.REDIRECT
    if response.x_cache.startswith(("Error ", "LimitExceeded ")):
        # A custom error page may carry status 200; it is an error all the same.
        return Outcome.SERVER_ERROR
    return None


def _judge_broken(response: Response) -> tuple[Outcome, str]:
    """Judge a transfer that libcurl could not finish."""
    said = response.error_text or f"curl error {response.error}"
    if response.error == _TOO_LARGE:
        return Outcome.TOO_LARGE, said
    if response.error in _TLS:
        return Outcome.TLS_ERROR, said
    if response.error == _TIMED_OUT:
        return (Outcome.TIMEOUT if response.connected else Outcome.CONNECT_ERROR), said
    if response.error in _BROKEN and response.status:
        return Outcome.TRUNCATED, f"status {response.status}, then {said} after {response.bytes} bytes"
    if response.error in _BROKEN or response.error in _COULD_NOT_CONNECT:
        return Outcome.CONNECT_ERROR, said
    return Outcome.CONNECT_ERROR, f"curl error {response.error}: {said}"


def _is_pop(header: str, pop_id: str) -> bool:
    """Compare X-Amz-Cf-Pop with a POP id; the header may be the bare site (`NRT57` for `NRT57-P3`)."""
    return bool(header) and (header == pop_id or header == pop_id.partition("-")[0])
