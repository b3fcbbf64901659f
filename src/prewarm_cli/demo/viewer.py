"""A viewer: one GET through one POP, as a browser near that POP would send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pycurl

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ViewerResponse:
    """The status, X-Cache, the POP that answered, and the milliseconds to the first byte."""

    status: int
    x_cache: str
    pop: str
    ttfb_ms: float


def viewer_get(url: str, address: str, settings: Mapping[str, str]) -> ViewerResponse:
    """Fetch a URL through the edge at an address; `settings` are the PREWARM_* variables for that edge.

    Raises:
        pycurl.error: there was no response.

    """
    lines: list[bytes] = []
    curl = pycurl.Curl()
    try:
        scheme, _, host, path = url.split("/", 3)
        curl.setopt(pycurl.URL, f"{scheme}//{host}/")
        # In the URL, libcurl would change %xx to upper case, which browsers do not.
        curl.setopt(pycurl.REQUEST_TARGET, f"/{path}")
        curl.setopt(pycurl.CONNECT_TO, [f"::{address}:{settings['PREWARM_HTTPS_PORT']}"])
        curl.setopt(pycurl.CAINFO, settings["PREWARM_CA_BUNDLE"])
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.HTTPHEADER, ["Accept-Encoding: gzip, deflate, br, zstd", "User-Agent: viewer"])
        curl.setopt(pycurl.HEADERFUNCTION, lines.append)
        curl.setopt(pycurl.WRITEFUNCTION, len)
        curl.setopt(pycurl.TIMEOUT, 20)
        curl.perform()
        ttfb = (curl.getinfo(pycurl.STARTTRANSFER_TIME) - curl.getinfo(pycurl.PRETRANSFER_TIME)) * 1000
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    finally:
        curl.close()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    x_cache, pop = headers.get(b"x-cache", b"").decode(), headers.get(b"x-amz-cf-pop", b"").decode()
    return ViewerResponse(status, x_cache, pop, ttfb)
