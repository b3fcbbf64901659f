"""Which URLs have an unexpected plain copy, found batch by batch in any order. Pure.

The parts' bitmaps of POPs stay packed: for a status they are read of the few URLs that it shows.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from prewarm.results.batch_result import BatchResult, PartKey
from prewarm.results.encodings import CompressedCopies, pops_at, unpack
from prewarm.results.part_cells import PartCells


class PlainFlags:
    """A byte for each copy (URL index x variants + variant).

    `unexpected`: whether some batch has a plain copy where a compressed one was expected, and `plain`: whether one
    has a plain copy and no compressed one.
    """

    def __init__(self, copies: int) -> None:
        self.unexpected, self.plain = bytearray(copies), bytearray(copies)

    def copy(self) -> "PlainFlags":
        """Return a copy to which parts can be added."""
        other = PlainFlags(0)
        other.unexpected, other.plain = self.unexpected[:], self.plain[:]
        return other

    def add(self, part: BatchResult, copies: Sequence[int]) -> None:
        """Add a part of a batch of these copies."""
        for packed, flags in ((part.uncompressed, self.unexpected), (part.plain_copies, self.plain)):
            for number in unpack(packed):
                flags[copies[number]] = 1

    def copies(self, compressed: CompressedCopies) -> list[int]:
        """Return the copies that are plain where a compressed one was expected, or is somewhere else."""
        both = int.from_bytes(self.plain) & int.from_bytes(compressed.flags) | int.from_bytes(self.unexpected)
        return [copy for copy, flag in enumerate(both.to_bytes(len(self.plain))) if flag] if both else []


class UncompressedUrls(Mapping[int, tuple[str, ...]]):
    """By URL index, the POPs that gave a plain copy where others gave, or the settings expect, another one.

    What encodings.plain_pops returns, for a few of the URLs; `parts`: those that have plain copies.
    """

    def __init__(
        self,
        parts: Sequence[BatchResult],
        copies: Sequence[int],
        compressed: CompressedCopies,
        cells: PartCells,
        variants: int,
    ) -> None:
        self._parts, self._compressed, self._cells, self._variants = parts, compressed, cells, variants
        self._indices = dict.fromkeys(copy // variants for copy in copies)
        self._read: dict[PartKey, tuple[dict[int, int], dict[int, int]]] = {}

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self._indices)

    def __getitem__(self, index: int) -> tuple[str, ...]:
        if index not in self._indices:
            raise KeyError(index)
        found: set[str] = set()
        for part in self._parts:
            if part.url_from <= index < part.url_to:
                found.update(self._pops(part, index))
        return tuple(sorted(found))

    def _pops(self, part: BatchResult, index: int) -> Iterator[str]:
        rows = self._cells.of(part).rows
        row = bisect_left(rows, index)
        if row == len(rows) or rows[row] != index:
            return
        unexpected, plain = self._bitmaps(part)
        for variant in range(self._variants):
            number = row * self._variants + variant
            pops = unexpected.get(number, 0)
            if self._compressed.flags[index * self._variants + variant]:
                pops |= plain.get(number, 0)
            yield from pops_at(self._cells, part, pops)

    def _bitmaps(self, part: BatchResult) -> tuple[dict[int, int], dict[int, int]]:
        key = part.batch, part.part
        if key not in self._read:
            self._read[key] = unpack(part.uncompressed), unpack(part.plain_copies)
        return self._read[key]
