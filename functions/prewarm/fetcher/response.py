"""An edge's HTTP response, reduced to the fields that the service reads. Pure."""

import re
from dataclasses import dataclass, field

# Digits of the greatest signed 64-bit number, in which HTTP clients count bytes.
LONGEST_LENGTH = 19
# libcurl's error of a single stream that the server has reset, CURLE_HTTP2_STREAM in curl/curl.h.
STREAM_RESET = 92
_LAYER = re.compile(r'cdn-(hit|upstream)-layer;desc="?([^",;]+)')
_POP = re.compile(r'cdn-pop;desc="?([^",;]+)')


def site_of(pop: str) -> str:
    """Return a POP's site; X-Amz-Cf-Pop may have no more (`NRT57` for `NRT57-P3`)."""
    return pop.strip().partition("-")[0]


@dataclass(slots=True)
class Response:
    """The response to one fetch. Times in milliseconds, lengths in bytes, absent headers empty."""

    status: int = 0
    error: int = 0  # libcurl's error number; 0: the transfer succeeded
    error_text: str = ""
    address: str = ""
    connected: bool = False
    bytes: int = 0
    ttfb_ms: float = 0.0
    total_ms: float = 0.0
    x_cache: str = ""
    cf_pop: str = ""
    cf_id: str = ""
    age: str = ""
    etag: str = ""
    server: str = ""
    content_length: str = ""
    content_type: str = ""
    location: str = ""
    encoding: str = ""
    cache_control: str = ""
    server_timing: str = ""
    waf_action: str = ""
    vary: str = ""
    expires: str = ""
    date: str = ""  # read with `expires` only
    _layer: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def layer(self) -> str:
        """Return the layer that answered, or that asked the origin: EDGE, REC or Origin Shield; empty if unknown.

        An origin that is a CloudFront distribution sends such metrics too: on a Miss CloudFront merges them into its
        own, and where its own are not enabled they are stored as any header. So a layer counts only if it is the only
        one, agrees with X-Cache, and names no other site than that of the POP that answered.

        Source: CloudFront Developer Guide, "Server-Timing header" (cdn-hit-layer, cdn-upstream-layer, cdn-pop).
        """
        if not self.server_timing:
            return ""
        if self._layer is None:
            self._layer = self._own_layer()
        return self._layer

    def _own_layer(self) -> str:
        layers, pops = _LAYER.findall(self.server_timing), _POP.findall(self.server_timing)
        if len(layers) != 1 or (layers[0][0] == "hit") is not self.x_cache.startswith("Hit "):
            return ""
        site = site_of(self.cf_pop)
        return layers[0][1].strip() if all(site_of(pop) == site for pop in pops) else ""

    @property
    def length(self) -> int | None:
        """Return the Content-Length in bytes, or None where it is absent or not a length.

        More digits than a 64-bit number has are not a length: CloudFront serves objects of tens of gigabytes at most.
        """
        text = self.content_length
        return int(text) if text.isdecimal() and len(text) <= LONGEST_LENGTH else None

    @property
    def age_seconds(self) -> int | None:
        """Return the Age in seconds (RFC 9111, 5.1), or None where it is absent or not a 64-bit number."""
        text = self.age
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_LENGTH else None

    @property
    def answered(self) -> bool:
        """Return whether a server answered: with a status, or by a reset of this stream alone (RFC 9113, 5.4.2)."""
        return self.status > 0 or self.error == STREAM_RESET

    @property
    def hit(self) -> bool:
        """Return whether the edge answered from its cache (or the regional edge cache behind it)."""
        return self.x_cache.startswith(("Hit ", "RefreshHit "))
