"""Copies without a Content-Encoding where the edge should have compressed them. Pure.

Source: CloudFront Developer Guide, "Serve compressed files", sections "How CloudFront compression works", "Conditions
for compression" (status, size, Content-Length, a busy edge that skips compression and then keeps the plain copy) and
"File types that CloudFront compresses".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from warm.target import Target

OK = 200
SMALLEST, LARGEST = 1_000, 10_000_000
# How often a target is fetched again because of a plain copy.
PLAIN_FETCHES = 2
# After this many targets whose plain copy stayed, an object without any compressed copy is not fetched again: the
# reason is not a busy POP. The second number is for all objects together, while none has ever been compressed.
STUCK_TARGETS_OF_OBJECT, STUCK_TARGETS = 2, 5
ENCODINGS = frozenset({"br", "gzip"})
TYPES = frozenset(
    f"{family}/{name}"
    for family, names in {
        "application": (
            "dash+xml eot font font-sfnt javascript json opentype otf pdf pkcs7-mime protobuf rss+xml truetype ttf "
            "vnd.apple.mpegurl vnd.mapbox-vector-tile vnd.ms-fontobject wasm xhtml+xml xml x-font-opentype "
            "x-font-truetype x-font-ttf x-httpd-cgi x-javascript x-mpegurl x-opentype x-otf x-perl x-ttf"
        ),
        "font": "eot opentype otf ttf",
        "image": "svg+xml",
        "text": (
            "css csv html javascript js plain richtext tab-separated-values xml x-component x-java-source x-script"
        ),
    }.items()
    for name in names.split()
) | {"vnd.apple.mpegurl"}


@dataclass
class PlainCopies:
    """The plain copies of one tile.

    `compressed`: by URL, the variants for which the distribution compresses, by their numbers.
    """

    compressed: Mapping[int, frozenset[int]]
    _encoded: set[tuple[int, int]] = field(default_factory=set)
    _stuck: Counter[tuple[int, int]] = field(default_factory=Counter)
    _stuck_in_all: int = 0

    def watch(self, target: Target, server: int, response: Response) -> bool:
        """Record a copy; returns whether to fetch it again, because the edge may have skipped compression."""
        if not (response.encoding or target.plain_at or self._encoded or target.url in self.compressed):
            return False
        key, bit = (target.url, target.variant), 1 << server
        if response.encoding:
            self._encoded.add(key)
            target.plain_at &= ~bit
        elif key in self._encoded or self._should_be_compressed(target, response):
            target.plain_at |= bit
        if not target.plain_at or target.plain_asks >= PLAIN_FETCHES or self._is_hopeless(key):
            return False
        target.plain_asks += 1
        if target.plain_asks == PLAIN_FETCHES:
            self._stuck[key] += 1
            self._stuck_in_all += 1
        return True

    def _is_hopeless(self, key: tuple[int, int]) -> bool:
        if key in self._encoded:
            return False
        of_all = 0 if self._encoded else self._stuck_in_all
        return self._stuck[key] >= STUCK_TARGETS_OF_OBJECT or of_all >= STUCK_TARGETS

    def _should_be_compressed(self, target: Target, response: Response) -> bool:
        if response.status != OK or target.variant not in self.compressed.get(target.url, ()):
            return False
        length = response.length
        kind = response.content_type.partition(";")[0].strip().lower()
        return length is not None and SMALLEST <= length <= LARGEST and kind in TYPES
