"""The Server-Timing header: when a response carries it, and which caching layer it names.

Sources: CloudFront Developer Guide, "Understand response headers policies", section "Server-Timing header"; API
Reference, ResponseHeadersPolicyServerTimingHeadersConfig (Enabled, SamplingRate of 0 to 100 percent).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from prewarm_local.edge.config import Distribution
    from prewarm_local.edge.request import Request


class Layer(Enum):
    """A caching layer, by its name in the header."""

    EDGE = b"EDGE"
    REGIONAL = b"REC"
    SHIELD = b"Origin Shield"


def is_sent(distribution: Distribution, request: Request, chance: Callable[[], float]) -> bool:
    """Return whether a response carries the header; `chance` returns a number from 0 up to 1.

    "Pragma: server-timing" forces the header at any sampling rate, 0 included, if the policy has it enabled.
    """
    if not distribution.server_timing:
        return False
    if "server-timing" in request.headers.get("pragma", "").lower():
        return True
    return chance() * 100 < distribution.server_timing_rate


def describe(result: str, layer: Layer, pop: bytes) -> bytes:
    """Return the header's value.

    `layer`: the one that had the object, or the one that sent the request to the origin.
    """
    where = b'cdn-pop;desc="%s"' % pop
    if result == "Hit":
        return b'cdn-cache-hit,%s,cdn-hit-layer;desc="%s"' % (where, layer.value)
    kind = b"cdn-cache-refresh" if result == "RefreshHit" else b"cdn-cache-miss"
    return b'cdn-upstream-layer;desc="%s",%s,%s' % (layer.value, kind, where)
