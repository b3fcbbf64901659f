"""The configuration of a simulated CloudFront with one POP of each kind, and a client of it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pycurl
import pytest

from prewarm_local.edge.content import expected_body

if TYPE_CHECKING:
    from prewarm_local.edge.process import SimulatedCloudFront

TOKYO, TOKYO_2, DALLAS, DARK, IMPOSTOR, EXPIRED, WRONG_NAME, OLD = POPS = (
    "NRT57-P3",
    "NRT20-C1",
    "DFW55-C1",
    "LHR50-P1",
    "ATL56-C1",
    "SIN2-P1",
    "CDG55-P2",
    "GRU3-P1",
)

DOMAIN = "d111abc.cloudfront.net"

HOST = "www.example.com"

CONFIG: dict[str, Any] = {
    "distributions": [
        {"domain": DOMAIN, "aliases": [HOST, "*.img.example.com"], "server_timing": True},
        {"domain": "d222def.cloudfront.net", "aliases": ["shop.example.com"]},
    ],
    "pops": list(POPS),
    "areas": {TOKYO: "NRT", TOKYO_2: "NRT"},
    "addresses_per_pop": 2,
    "dark": [DARK],
    "impostors": {IMPOSTOR: DALLAS},
    "tls_faults": {EXPIRED: "expired", WRONG_NAME: "wrong_name"},
    "http1_only": [OLD],
    "objects": {
        "/missing": {"status": 404, "size": 20},
        "/broken": {"fault": "status:500"},
        "/big.bin": {"size": 5_000_000},
        "/huge.bin": {"size": 1_500_000_000},
        "/empty": {"size": 0},
        "/moved": {"status": 302, "size": 0, "headers": {"Location": "/elsewhere"}},
        "/chunks": {"size": 200_000, "chunked": True, "content_type": "application/octet-stream"},
        "/no-store": {"headers": {"Cache-Control": "no-store"}},
        "/private": {"headers": {"Cache-Control": "private, max-age=60"}},
        "/always-stale": {"headers": {"Cache-Control": "max-age=0"}},
        "/no-cache": {"headers": {"cache-control": "no-cache"}},
        "/shared-only": {"headers": {"Cache-Control": "max-age=0, s-maxage=60"}},
        "/slow": {"ttfb_ms": 300},
    },
    "default_object": {"size": 1024},
    "error_ttl": 0.4,
    "origin_timeout": 0.6,
}

E_HTTP2_STREAM = 92  # libcurl's CURLE_HTTP2_STREAM, which pycurl does not name

HTTP2, HTTP1 = pycurl.CURL_HTTP_VERSION_2TLS, pycurl.CURL_HTTP_VERSION_1_1

both_protocols = pytest.mark.parametrize("version", [HTTP2, HTTP1], ids=["h2", "h1"])


@dataclass
class Got:
    """The result of a request: `error` is curl's error code, 0 if there is none."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: int = 0
    version: int = 0
    received: int = 0

    @property
    def x_cache(self) -> str:
        return self.headers.get("x-cache", "").removesuffix(" from cloudfront")

    @property
    def is_whole(self) -> bool:
        return self.body == expected_body(self.headers["etag"], int(self.headers["content-length"]))


class Client:
    """Fetches from selected POPs of a simulation."""

    def __init__(self, edge: SimulatedCloudFront) -> None:
        self.edge = edge

    def request(
        self,
        path: str,
        pop: str = TOKYO,
        *,
        host: str = HOST,
        accept: str = "",
        method: str = "GET",
        version: int = HTTP2,
        scheme: str = "https",
        address: int = 0,
        timeout_ms: int = 8000,
        handle: pycurl.Curl | None = None,
        keep: bool = True,
        headers: dict[str, str] | None = None,
        leave_after: int | None = None,
    ) -> Got:
        got, body = Got(), io.BytesIO()
        port = 443 if scheme == "https" else 80
        curl = handle or pycurl.Curl()
        endpoint = f"{self.edge.addresses[pop][address]}:{self.edge.ready[f'{scheme}_port']}"

        def header(line: bytes) -> None:
            name, _, value = line.decode().partition(":")
            if value:
                got.headers[name.lower()] = value.strip()

        def count(chunk: bytes) -> None:
            got.received += len(chunk)

        def leave(chunk: bytes) -> int:
            got.received += len(chunk)
            return len(chunk) if leave_after is None or got.received < leave_after else -1

        curl.setopt(pycurl.URL, f"{scheme}://{host}/")
        # In the URL, libcurl would change %xx to upper case.
        curl.setopt(pycurl.REQUEST_TARGET, path)
        curl.setopt(pycurl.CONNECT_TO, [f"{host}:{port}:{endpoint}"])
        curl.setopt(pycurl.CAINFO, self.edge.ready["ca_bundle"])
        curl.setopt(pycurl.HTTP_VERSION, version)
        curl.setopt(pycurl.TIMEOUT_MS, timeout_ms)
        sent = ({"Accept-Encoding": accept} if accept else {}) | (headers or {})
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in sent.items()])
        curl.setopt(pycurl.HEADERFUNCTION, header)
        curl.setopt(pycurl.WRITEFUNCTION, leave if leave_after is not None else body.write if keep else count)
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif method != "GET":
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        try:
            curl.perform()
        except pycurl.error as error:
            got.error = error.args[0]
        got.status = curl.getinfo(pycurl.RESPONSE_CODE)
        got.version = curl.getinfo(pycurl.INFO_HTTP_VERSION)
        got.body = body.getvalue()
        return got

    def asked(self, path: str) -> int:
        return int(self.edge.stats()["origin"].get(path, 0))
