"""Which POPs gave a copy without a Content-Encoding where others gave one, or should have. Pure.

A batch has a bitmap of its POPs for each URL and variant, and a letter that shows whether any of its POPs has a
compressed copy, so that batches of the same URLs can be compared.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult

# The letter of a copy's encoding; in upper case where the batch has a compressed copy of the URL and variant.
LETTERS = {"": "i", "br": "b", "gzip": "g"}
OTHER, NO_COPY = "o", "-"
# Most bytes of a packed map in the ledger's item, which has at most 400 KB.
MAX_PACKED_BYTES = 60_000


def letter_of(encoding: str) -> str:
    """Return the letter of a Content-Encoding."""
    return LETTERS.get(encoding.lower(), OTHER)


@dataclass
class PlainPops:
    """The plain and compressed copies of a batch, by URL x variants + variant."""

    _encoded: set[int] = field(default_factory=set)
    _plain: dict[int, int] = field(default_factory=dict)
    _unexpected: dict[int, int] = field(default_factory=dict)

    def add(self, number: int, pop: int, encoding: str, *, unexpected: bool) -> None:
        """Add a warm copy; `unexpected`: the POP gave a plain copy where a compressed one was expected."""
        if encoding:
            self._encoded.add(number)
        else:
            self._plain[number] = self._plain.get(number, 0) | 1 << pop
        if unexpected:
            self._unexpected[number] = self._unexpected.get(number, 0) | 1 << pop

    def mark(self, letters: str) -> str:
        """Return the letters of the batch's copies, in upper case where it has a compressed one."""
        return "".join(letter.upper() if number in self._encoded else letter for number, letter in enumerate(letters))

    def uncompressed(self) -> bytes:
        """Return the POPs with an unexpected plain copy, packed."""
        found = dict(self._unexpected)
        for number in self._encoded & self._plain.keys():
            found[number] = found.get(number, 0) | self._plain[number]
        return pack(found)

    def plain(self) -> bytes:
        """Return the POPs with a plain copy where the batch has no compressed one, packed."""
        return pack({number: pops for number, pops in self._plain.items() if number not in self._encoded})


def pack(bitmaps: dict[int, int]) -> bytes:
    """Return bitmaps of POPs by number, compressed; empty for none, or where they are too large for an item."""
    if not bitmaps:
        return b""
    packed = zlib.compress(json.dumps({number: f"{pops:x}" for number, pops in sorted(bitmaps.items())}).encode())
    return packed if len(packed) <= MAX_PACKED_BYTES else b""


def unpack(packed: bytes) -> dict[int, int]:
    """Return the bitmaps that `pack` packed."""
    return (
        {int(number): int(pops, 16) for number, pops in json.loads(zlib.decompress(packed)).items()} if packed else {}
    )


def uncompressed_pops(plan: Plan, parts: Iterable[BatchResult]) -> dict[int, tuple[str, ...]]:
    """Return by URL index the POPs that gave a plain copy where others gave, or the settings expect, another one."""
    blocks: dict[tuple[int, int], list[BatchResult]] = {}
    for part in parts:
        blocks.setdefault((part.url_from, part.url_to), []).append(part)
    found: dict[int, set[str]] = {}
    for block in blocks.values():
        # Most blocks have no compressed copy, or no plain one: their letters need not be looked at one by one.
        texts = [part.encodings for part in block if part.encodings != part.encodings.lower()]
        plain = [part for part in block if part.plain_copies] if texts else []
        compressed = {n for text in texts for n, letter in enumerate(text) if letter.isupper()} if plain else set()
        for part in block:
            for number, pops in unpack(part.uncompressed).items():
                _add(plan, part, number, pops, found)
        for part in plain:
            for number, pops in unpack(part.plain_copies).items():
                if number in compressed:
                    _add(plan, part, number, pops, found)
    return {index: tuple(sorted(names)) for index, names in sorted(found.items())}


def _add(plan: Plan, part: BatchResult, number: int, pops: int, found: dict[int, set[str]]) -> None:
    names = plan.groups[part.group].pops[part.pop_from : part.pop_from + part.pops]
    chosen = {name for place, name in enumerate(names) if pops >> place & 1}
    found.setdefault(part.url_from + number // len(plan.variants), set()).update(chosen)
