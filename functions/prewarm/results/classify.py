"""Classify an edge's response: the outcome of the target, and the reason. Pure.

Sources: the CloudFront Developer Guide's pages on X-Cache (as the log field x-edge-result-type), on custom error
pages and on status codes that CloudFront returns.
"""

import functools
import re

from prewarm.errors import truncate
from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome
from prewarm.urls import redacted

# The encodings of which CloudFront keeps a variant (Developer Guide, "Serve compressed files"). Any other is part of
# the object as the origin has it, such as `aws-chunked` in S3's metadata, and every viewer gets the same copy.
_ENCODINGS = frozenset({"br", "gzip"})
# An older name of gzip (RFC 9110, 8.4.1.3).
_OLD_GZIP = "x-gzip"
# libcurl's error numbers (curl/curl.h), named here so that this module needs no curl.
_COULD_NOT_CONNECT = frozenset({5, 6, 7, 45})
_TLS = frozenset({35, 51, 53, 54, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91, 98})
_BROKEN = frozenset({16, 18, 52, 55, 56, 92, 95})
_TIMED_OUT = 28
_TOO_LARGE = 63
_STATUS_REDIRECT, _STATUS_CLIENT, _STATUS_SERVER = 300, 400, 500
_FORBIDDEN, _TOO_MANY = 403, 429
# The statuses of an object's copy. CloudFront treats 204 and 305 as errors, which it keeps for the error caching TTL
# (Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin"); 202 is a promise (or a
# WAF challenge), 206 was not asked for, and 3xx are redirects.
_COPY = frozenset({200, 203})
# X-Cache of an error that Lambda@Edge or a CloudFront Function caused, such as `LambdaValidationError from
# cloudfront` (Developer Guide, "HTTP 502 status code (Lambda validation error)", "HTTP 503 status code (Lambda
# execution error)").
_BY_FUNCTION = re.compile(r"(?:Lambda|Function)\w*(?:Error|Exceeded|Throttled) ")
# X-Cache of a limit: the log's x-edge-result-type (Developer Guide, "Standard logging reference") and Lambda@Edge's.
_LIMIT = re.compile(r"\w*(?:LimitExceeded|CapacityExceeded|Throttled|ThrottledError) ")


def classify(response: Response, pop_id: str, variant: str = "") -> tuple[Outcome, str]:
    """Return the outcome of a response, and a short reason, which is empty for a warm target.

    `pop_id` is the POP that was asked, `variant` the Accept-Encoding that was sent. A Miss with a complete body is
    `warmed`; only a second fetch proves that the POP kept it, and the worker makes it (warm.verification).
    """
    if response.error:
        return _classify_error(response)
    if (
        response.cf_pop != pop_id
        and not _is_pop(response.cf_pop, pop_id)
        and (response.cf_pop or response.status < _STATUS_CLIENT)
    ):
        # An error without the header is the edge's too: it refuses a request (413, 421, …) before a POP handles it.
        return Outcome.WRONG_POP, f"X-Amz-Cf-Pop: {truncate(response.cf_pop) or 'absent'}"
    if refusal := _refusal(response):
        return refusal, _status_and_x_cache(response)
    if response.status not in _COPY:
        return Outcome.UNPROVEN, f"{_status_and_x_cache(response)}: not the status of a copy (200, 203)"
    return _classify_copy(response, variant)


def is_made_by_function(response: Response) -> bool:
    """Return whether Lambda@Edge or a CloudFront Function caused the response, an error; it is not the origin's."""
    return _BY_FUNCTION.match(response.x_cache) is not None


def _classify_copy(response: Response, variant: str) -> tuple[Outcome, str]:
    """Classify a response whose status and X-Cache are those of a copy of the object."""
    length = response.content_length
    if length and length != str(response.bytes) and response.length != response.bytes:
        return Outcome.TRUNCATED, f"{response.bytes} of {truncate(response.content_length)} bytes"
    if response.encoding and not _was_accepted(response.encoding.lower(), variant.lower()):
        return Outcome.UNPROVEN, f"Content-Encoding: {truncate(response.encoding)}, which was not requested"
    if response.hit:
        return Outcome.ALREADY_WARM, ""
    if response.x_cache.startswith("Miss "):
        return Outcome.WARMED, ""
    # Generated at the edge by a function, or by a server that is not CloudFront: there is no sign that it is cached.
    return Outcome.UNPROVEN, _status_and_x_cache(response)


@functools.lru_cache(maxsize=256)
def _was_accepted(encoding: str, variant: str) -> bool:
    """Return whether a Content-Encoding is one that CloudFront gives to viewers with this Accept-Encoding.

    An Accept-Encoding that names neither br nor gzip accepts what the origin stored.
    """
    accepted = _codings(variant)
    return not _ENCODINGS & accepted or "*" in accepted or _ENCODINGS & _codings(encoding) <= accepted


def _codings(header: str) -> set[str]:
    """Return the encodings that a header in lower case lists, without their weights."""
    names = {part.partition(";")[0].strip() for part in header.split(",")}
    return names | {"gzip"} if _OLD_GZIP in names else names


def _status_and_x_cache(response: Response) -> str:
    waf = f", x-amzn-waf-action: {truncate(response.waf_action)}" if response.waf_action else ""
    to = f", Location: {truncate(redacted(response.location))}" if response.location else ""
    return f"status {response.status}, X-Cache: {truncate(response.x_cache) or 'absent'}{waf}{to}"


def _refusal(response: Response) -> Outcome | None:
    """Return the outcome by status and X-Cache of a complete response; None where it is a copy of the object."""
    status = response.status
    if status in _COPY and response.x_cache.startswith(("Miss ", "Hit ")) and not response.waf_action:
        return None
    if response.waf_action:
        # A challenge is a 202, a CAPTCHA a 405 (AWS WAF Developer Guide, "CAPTCHA and Challenge actions").
        return Outcome.BLOCKED
    if status == _TOO_MANY or _LIMIT.match(response.x_cache):
        return Outcome.LIMITED
    if status >= _STATUS_CLIENT:
        return _error_outcome(response)
    if status >= _STATUS_REDIRECT or response.x_cache.startswith("Redirect "):
        return Outcome.REDIRECT
    # CustomErrorResponses made this status of an error (Developer Guide, "Generate custom error responses").
    return Outcome.ERROR_PAGE if response.x_cache.startswith("Error ") else None


def _error_outcome(response: Response) -> Outcome:
    """Return the outcome of a 4xx or 5xx."""
    if response.status >= _STATUS_SERVER:
        return Outcome.SERVER_ERROR
    # An origin's own 403 usually carries the origin's Server header; one without it may be either's.
    either = response.status == _FORBIDDEN and response.server == "CloudFront"
    return Outcome.BLOCKED if either else Outcome.CLIENT_ERROR


def _classify_error(response: Response) -> tuple[Outcome, str]:
    """Classify a transfer that libcurl could not complete."""
    error = response.error_text or f"curl error {response.error}"
    if response.error == _TOO_LARGE:
        return Outcome.TOO_LARGE, error
    if response.error in _TLS:
        return Outcome.TLS_ERROR, error
    if response.error == _TIMED_OUT:
        return (Outcome.TIMEOUT if response.connected else Outcome.CONNECT_ERROR), error
    if response.error in _BROKEN and response.status:
        return Outcome.TRUNCATED, f"status {response.status}, then {error} after {response.bytes} bytes"
    if response.error in _BROKEN or response.error in _COULD_NOT_CONNECT:
        return Outcome.CONNECT_ERROR, error
    return Outcome.CONNECT_ERROR, f"curl error {response.error}: {error}"


def _is_pop(header: str, pop_id: str) -> bool:
    """Return whether X-Amz-Cf-Pop names a POP; the header may be the bare site (`NRT57` for `NRT57-P3`)."""
    return bool(header) and (header == pop_id or header == pop_id.partition("-")[0])
