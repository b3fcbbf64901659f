"""The variants of a run: those that the request lists, or what browsers send. Pure.

Over HTTPS browsers accept br and gzip. Chrome and Firefox do not support Brotli over HTTP (Developer Guide, "Serve
compressed files"), so over HTTP they select the copy for gzip.
"""

import re
from collections.abc import Iterable, Sequence

from prewarm.urls import Url

HTTPS, HTTP = "br, gzip", "gzip"


def variants_of(listed: Sequence[str] | None, urls: Iterable[Url]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a run's variants, and those of its http:// URLs in their place; empty where they are the same.

    `listed`: the request's accept_encodings, None if it has none. Each is returned once, identity last.
    """
    if listed is not None:
        return tuple(sorted(dict.fromkeys(listed), key=_is_identity)), ()
    schemes = {url.scheme for url in urls}
    if schemes == {"http"}:
        return (HTTP,), ()
    return (HTTPS,), (HTTP,) if "http" in schemes else ()


def _is_identity(accept_encoding: str) -> bool:
    """Return whether CloudFront treats an Accept-Encoding as identity: it supports br and gzip, in any case."""
    return re.search(r"\b(br|gzip)\b", accept_encoding.lower()) is None
