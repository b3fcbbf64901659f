"""Compression at the edge. Pure.

Source: CloudFront Developer Guide, "Serve compressed files": the behaviour has Compress on and a cache policy with
EnableAcceptEncodingGzip or Brotli; the viewer accepts gzip or br; the type is listed; the size is between 1,000 and
10,000,000 bytes and known from Content-Length; the status is 200, 403 or 404; the origin has not compressed it.
A strong ETag becomes weak, Content-Length is removed. CloudFront compresses on a best-effort basis: a busy edge
location may skip it, and then serves the plain copy until that expires, is evicted or is invalidated.

The simulation marks the bytes as compressed but leaves them as they are: no client of it decodes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.cache import Entry

SIZES = range(1_000, 10_000_001)
STATUSES = frozenset({200, 403, 404})
# Of the guide's list, the types that sites have.
TYPES = frozenset(
    [
        "application/dash+xml",
        "application/eot",
        "application/font",
        "application/font-sfnt",
        "application/javascript",
        "application/json",
        "application/opentype",
        "application/otf",
        "application/pdf",
        "application/pkcs7-mime",
        "application/protobuf",
        "application/rss+xml",
        "application/truetype",
        "application/ttf",
        "application/vnd.apple.mpegurl",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xhtml+xml",
        "application/xml",
        "application/x-font-opentype",
        "application/x-font-truetype",
        "application/x-font-ttf",
        "application/x-httpd-cgi",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-opentype",
        "application/x-otf",
        "application/x-perl",
        "application/x-ttf",
        "font/eot",
        "font/opentype",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/js",
        "text/plain",
        "text/richtext",
        "text/tab-separated-values",
        "text/xml",
        "text/x-component",
        "text/x-java-source",
        "text/x-script",
        "vnd.apple.mpegurl",
    ]
)


def compressed(entry: Entry, want: Want) -> Entry:
    """Return the entry as the edge compresses it for the viewer, or the entry itself where it does not."""
    headers = dict(entry.headers)
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if (
        not want.behaviour.compress
        or not want.encoding
        or entry.status not in STATUSES
        or entry.body.size is None  # `None in range` compares with each of its numbers
        or entry.body.size not in SIZES
        or not entry.body.announced
        or entry.length_hidden
        or b"content-encoding" in headers
        or kind not in TYPES
    ):
        return entry
    coding = want.encoding.partition(",")[0]
    changed = [item for item in entry.headers if item[0] not in (b"etag", b"vary")]
    changed += [(b"content-encoding", coding.encode()), (b"vary", b"Accept-Encoding")]
    etag = entry.etag
    if etag is not None:
        etag = etag if etag.startswith("W/") else f"W/{etag}"
        changed.append((b"etag", etag.encode("latin-1")))
    result = entry.under(entry.key)
    result.headers, result.etag, result.length_hidden = changed, etag, True
    return result
