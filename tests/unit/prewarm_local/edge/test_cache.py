"""The simulated edge's cache keys: normalised encodings."""

from __future__ import annotations

import pytest

from prewarm_local.edge.cache import normalise_encoding


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
