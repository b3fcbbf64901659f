"""The simulated edge's cache rules: normalised encodings, and the time to live of responses."""

from __future__ import annotations

import pytest

from prewarm_local.edge.cache import normalise_encoding
from prewarm_local.edge.freshness import Ttl, time_to_live


@pytest.mark.parametrize(
    ("accept", "normalised"),
    [
        ("", ""),
        ("gzip, deflate, br", "br,gzip"),
        ("br;q=0, gzip", "gzip"),
        ("BR", "br"),
        ("deflate", ""),
        ("gzip;q=0.0,br;q=0.5", "br"),
    ],
)
def test_accept_encoding_is_normalised(accept: str, normalised: str) -> None:
    assert normalise_encoding(accept) == normalised


@pytest.mark.parametrize(
    ("status", "cache_control", "ttl"),
    [
        (200, "", 100),
        (200, "max-age=5, s-maxage=7", 7),
        (200, "private", None),
        (200, "no-cache, max-age=9", 0),
        (404, "", 10),
        (404, "max-age=3", 10),
        (503, "max-age=30", 30),
        (403, "", None),
        (403, "max-age=30", 30),
        (429, "max-age=30", None),
    ],
)
def test_time_to_live_follows_status_and_cache_control(status: int, cache_control: str, ttl: float | None) -> None:
    headers = {"cache-control": cache_control}
    assert time_to_live(status, headers, Ttl(default=100, error=10)) == ttl
