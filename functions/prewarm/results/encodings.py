"""Which POPs gave a copy without a Content-Encoding where others gave one, or should have. Pure.

A batch has a bitmap of its POPs for each URL and variant, and a letter that shows whether any of its POPs has a
compressed copy, so that batches of the same URLs can be compared.
"""

import json
import string
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from prewarm.results.batch_result import BatchResult
from prewarm.results.part_cells import PartCells

# The letter of a copy's encoding; in upper case where the batch has a compressed copy of the URL and variant.
LETTERS = {"": "i", "br": "b", "gzip": "g"}
OTHER, NO_COPY = "o", "-"
# 1 for letters in upper case, 0 for others.
UPPER = bytes(chr(code) in string.ascii_uppercase for code in range(256))
# Most bytes of a packed map in the ledger's item, which has at most 400 KB.
MAX_PACKED_BYTES = 60_000


def letter_of(encoding: str) -> str:
    """Return the letter of a Content-Encoding."""
    return LETTERS.get(encoding.lower(), OTHER) if encoding else LETTERS[""]


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


def copies_of(cells: PartCells, part: BatchResult, variants: int) -> Sequence[int]:
    """Return the copies of a part in the order of its letters: URL index x variants + variant."""
    rows = cells.of(part).rows
    if isinstance(rows, range):
        return range(rows.start * variants, rows.stop * variants)
    return rows if variants == 1 else [row * variants + variant for row in rows for variant in range(variants)]


class CompressedCopies:
    """Which URLs and variants have a compressed copy in some batch; `flags` has a byte for each."""

    def __init__(self, copies: int) -> None:
        self.flags = bytearray(copies)

    def add(self, letters: str, copies: Sequence[int]) -> None:
        """Add a batch's letters, of these copies."""
        if letters == letters.lower():
            return
        upper = letters.encode().translate(UPPER)
        if isinstance(copies, range):
            place = slice(copies.start, copies.start + len(upper))
            both = int.from_bytes(upper) | int.from_bytes(self.flags[place])
            self.flags[place] = both.to_bytes(len(upper))
            return
        flags = self.flags
        for copy, flag in zip(copies, upper, strict=False):
            if flag:
                flags[copy] = 1


def plain_pops(
    parts: Iterable[BatchResult], compressed: CompressedCopies, cells: PartCells, variants: int
) -> dict[int, tuple[str, ...]]:
    """Return by URL index the POPs that gave a plain copy where others gave, or the settings expect, another one.

    `parts`: at least those that have plain copies; `compressed`: of all parts.
    """
    found: dict[int, set[str]] = {}
    for part in parts:
        for number, pops in unpack(part.uncompressed).items():
            _add(cells, part, _key(cells, part, number, variants)[0], pops, found)
        for number, pops in unpack(part.plain_copies).items():
            index, variant = _key(cells, part, number, variants)
            if compressed.flags[index * variants + variant]:
                _add(cells, part, index, pops, found)
    return {index: tuple(sorted(names)) for index, names in sorted(found.items())}


def _key(cells: PartCells, part: BatchResult, number: int, variants: int) -> tuple[int, int]:
    """Return URL index and variant of a number in a batch."""
    row, variant = divmod(number, variants)
    return cells.of(part).rows[row], variant


def _add(cells: PartCells, part: BatchResult, index: int, pops: int, found: dict[int, set[str]]) -> None:
    found.setdefault(index, set()).update(pops_at(cells, part, pops))


def pops_at(cells: PartCells, part: BatchResult, pops: int) -> list[str]:
    """Return the POPs of a part's batch whose bits are set."""
    return [name for place, name in enumerate(cells.names(part)) if pops >> place & 1]
