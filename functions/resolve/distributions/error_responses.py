"""How a distribution answers errors: its custom error pages, and the settings by which it refuses requests. Pure."""

from collections.abc import Mapping
from typing import Any

_CLIENT, _SERVER = 400, 500
# How long the edge keeps an error without a setting, in seconds (Developer Guide, "How CloudFront processes HTTP 4xx
# and 5xx status codes from your origin").
DEFAULT_ERROR_SECONDS = 10


def error_pages(config: Mapping[str, Any]) -> dict[int, int]:
    """Return the statuses that CustomErrorResponses make of errors of another kind: status to seconds kept.

    These are statuses of success, and a 5xx that is made of a 4xx. The seconds are the shortest ErrorCachingMinTTL of
    the entries with that ResponseCode. Source: CloudFront API Reference, "CustomErrorResponse".
    """
    pages: dict[int, int] = {}
    for entry in (config.get("CustomErrorResponses") or {}).get("Items") or []:
        text = str(entry.get("ResponseCode") or "")
        if not text.isdecimal():
            continue
        status, made_of = int(text), int(entry["ErrorCode"])
        if status < _CLIENT or (status >= _SERVER > made_of):
            seconds = int(entry.get("ErrorCachingMinTTL", DEFAULT_ERROR_SECONDS))
            pages[status] = min(pages.get(status, seconds), seconds)
    return pages


def error_seconds(config: Mapping[str, Any]) -> dict[int, int]:
    """Return how long the edge keeps errors, where that is set: by the status that viewers see, in seconds.

    An entry with a ResponseCode changes the error's status; the error may then be kept for the default time too.
    Several entries with one status: the longest time. Source: CloudFront API Reference, "CustomErrorResponse"
    (ErrorCachingMinTTL); Developer Guide, "Control how long CloudFront caches errors".
    """
    entries = (config.get("CustomErrorResponses") or {}).get("Items") or []
    set_for = {int(entry["ErrorCode"]) for entry in entries}
    kept: dict[int, int] = {}
    for entry in entries:
        text = str(entry.get("ResponseCode") or "")
        status = int(text) if text.isdecimal() else int(entry["ErrorCode"])
        if status < _CLIENT:
            continue
        seconds = int(entry.get("ErrorCachingMinTTL", DEFAULT_ERROR_SECONDS))
        least = 0 if status in set_for else DEFAULT_ERROR_SECONDS
        kept[status] = max(kept.get(status, least), seconds)
    return kept


def errors_with_page(config: Mapping[str, Any]) -> frozenset[int]:
    """Return the statuses of errors with which the edge sends a custom page, by the status that viewers see.

    The headers of such a response belong to the page, not to the origin's error.
    """
    entries = (config.get("CustomErrorResponses") or {}).get("Items") or []
    seen = (
        str(entry.get("ResponseCode") or entry["ErrorCode"]) for entry in entries if entry.get("ResponsePagePath")
    )
    return frozenset(int(text) for text in seen if text.isdecimal() and int(text) >= _CLIENT)


def refusing_settings(config: Mapping[str, Any], behaviour: Mapping[str, Any]) -> str:
    """Return the settings by which the edge answers 403 itself, as a list in words; empty without such settings.

    `behaviour`: the settings of the cache behaviour that a URL matches.
    """
    found = []
    if config.get("WebACLId"):
        found.append("a web ACL")
    geography = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    if geography.get("RestrictionType", "none") != "none":
        found.append("a geographic restriction")
    if any((behaviour.get(name) or {}).get("Enabled") for name in ("TrustedSigners", "TrustedKeyGroups")):
        found.append("signed URLs")
    if behaviour.get("ViewerProtocolPolicy") == "https-only":
        found.append("https-only")
    return ", ".join(found)
