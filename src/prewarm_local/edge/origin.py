"""The origin: a real HTTP/1.1 server on 127.0.0.1 that counts its requests and fails on demand."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import socket
from collections import Counter
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.edge import http1
from prewarm_local.edge.config import EdgeConfig, StoredObject
from prewarm_local.edge.content import etag_of, etag_of_document, pattern, seed_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULT_HEADER = "x-simulated-fault"
"""Request header with the fault that the origin must produce; the edge never forwards a viewer's headers."""

CHUNK = 65536
PART_BEFORE_FAULT = 65536
"""Maximum number of bytes sent before a body breaks off or stalls; half of a smaller object."""

COMPRESSIBLE = ("text/", "application/json", "application/javascript", "application/xml", "image/svg")
NOT_FOUND = StoredObject(size=146, status=404, content_type="text/html")
LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


def content_type_of(target: str, stored: StoredObject) -> str:
    """Return the object's type: as configured, else by the path's suffix, else HTML."""
    return stored.content_type or mimetypes.guess_type(target.partition("?")[0])[0] or "text/html"


def encoding_of(content_type: str, accept: str) -> str:
    """Return the Content-Encoding for a normalised Accept-Encoding.

    Text is compressed, br before gzip.
    """
    if not content_type.startswith(COMPRESSIBLE):
        return ""
    return accept.split(",", maxsplit=1)[0]


def merge(headers: Mapping[str, str], configured: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers, replaced by the object's own ones regardless of case."""
    replaced = {name.lower() for name in configured}
    return [item for item in headers.items() if item[0].lower() not in replaced] + list(configured.items())


def cors_headers(stored: StoredObject, sent: Mapping[str, str]) -> dict[str, str]:
    """Return the CORS headers of a response: none unless the request has Origin."""
    return {"Access-Control-Allow-Origin": sent["origin"]} if stored.cors and "origin" in sent else {}


class Origin:
    """The origin's objects, and its server."""

    def __init__(self, config: EdgeConfig) -> None:
        """Create the origin with the configured objects."""
        self.objects = dict(config.objects)
        self.default_object = config.default_object
        self.compresses = config.origin_compresses
        self.ttfb = config.origin_ttfb_ms / 1000
        self.requests: Counter[str] = Counter()
        self.port = 0
        self.closed_port = 0
        self._server: asyncio.Server | None = None
        self._closed: socket.socket | None = None

    async def start(self) -> None:
        """Listen on a free port, and reserve another port that never listens."""
        self._server, self.port = await http1.serve(self._respond)
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self.closed_port = self._closed.getsockname()[1]

    def put(self, target: str, stored: StoredObject) -> None:
        """Replace an object; its ETag changes even if its size does not."""
        before = self.objects.get(target, self.default_object)
        self.objects[target] = replace(stored, revision=before.revision + 1 if before else stored.revision)

    async def _respond(self, request: http1.Incoming, exchange: http1.Exchange) -> bool:
        target = request.target
        self.requests[target] += 1
        stored = self.objects.get(target) or self.default_object or NOT_FOUND
        if delay := self.ttfb + stored.ttfb_ms / 1000:
            await asyncio.sleep(delay)
        fault = request.headers.get(FAULT_HEADER, "")
        if fault == "no_answer":
            await exchange.peer_closed()
            raise http1.BrokenOff
        if fault.startswith("status:"):
            stored = StoredObject(
                size=stored.size, status=int(fault.removeprefix("status:")), content_type="text/html"
            )
        content_type = content_type_of(target, stored)
        accept = request.headers.get("accept-encoding", "")
        encoding = encoding_of(content_type, accept) if self.compresses else ""
        if stored.document is not None:
            content = base64.b64decode(stored.document)
            etag, encoding, stored = etag_of_document(content), "", replace(stored, size=len(content))
        else:
            etag = etag_of(target, stored.size, encoding, stored.revision)
        chunked = stored.chunked or fault == "chunked_cut"
        headers = {
            "Content-Type": content_type,
            "ETag": etag,
            "Date": formatdate(usegmt=True),
            "Server": "AmazonS3",
        }
        if encoding:
            headers |= {"Content-Encoding": encoding, "Vary": "Accept-Encoding"}
        headers |= cors_headers(stored, request.headers)
        if stored.status == HTTPStatus.OK:
            headers["Last-Modified"] = LAST_MODIFIED
            if request.headers.get("if-none-match") == etag:
                await exchange.head(304, merge(headers, stored.headers))
                return await exchange.end()
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(stored.size)
        await exchange.head(stored.status, merge(headers, stored.headers))
        if request.method != "HEAD":
            await self._send_body(exchange, seed_of(etag), stored.size, fault)
        return await exchange.end()

    async def _send_body(self, exchange: http1.Exchange, seed: bytes, size: int, fault: str) -> None:
        breaks = fault in ("truncated", "chunked_cut", "stall")
        until = min(size // 2, PART_BEFORE_FAULT) if breaks else size
        for offset in range(0, until, CHUNK):
            await exchange.data(pattern(seed, offset, min(CHUNK, until - offset)))
        if fault == "stall":
            await exchange.peer_closed()
        if breaks:
            raise http1.BrokenOff
