"""The cells of a batch: which of its URLs are warmed at which of its POPs. Pure.

A batch has rows, which are URL indices, and columns, which are a range of its group's POPs. A rectangle has every
cell; a batch of pairs has a bit mask for each row. Everything that iterates, counts, samples or rolls up a batch asks
here, whichever of the two it is.
"""

import base64
import functools
import operator
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat

# The fastest level: a list of batches has a million pairs.
PAIRS_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Cells:
    """`rows`: URL indices in ascending order; `pops`: the number of columns.

    `masks`: for each row, the bits of the columns that it has; None where each row has each column.
    """

    rows: Sequence[int]
    pops: int
    masks: Sequence[int] | None = None

    @property
    def pairs(self) -> int:
        """Return the number of cells."""
        if self.masks is None:
            return len(self.rows) * self.pops
        return sum(mask.bit_count() for mask in self.masks)

    def has(self, row: int, column: int) -> bool:
        """Return whether the batch has a cell; `row` and `column` are positions in the batch."""
        return self.masks is None or bool(self.masks[row] >> column & 1)

    def in_column(self, column: int) -> int:
        """Return the number of rows that have a column."""
        if self.masks is None:
            return len(self.rows)
        return sum(mask >> column & 1 for mask in self.masks)

    def by_column(self) -> list[int]:
        """Return by column the number of rows that have it.

        The counts stand side by side, a bit of each in one number for each power of two. So a mask is added in two
        steps on average, for however many columns.
        """
        if self.masks is None:
            return [len(self.rows)] * self.pops
        powers: list[int] = []
        for mask in self.masks:
            carried = mask
            for power, bits in enumerate(powers):
                powers[power], carried = bits ^ carried, bits & carried
                if not carried:
                    break
            else:
                if carried:
                    powers.append(carried)
        in_order = list(enumerate(powers))
        return [sum((bits >> column & 1) << power for power, bits in in_order) for column in range(self.pops)]

    def columns(self) -> list[int]:
        """Return the columns that some row has."""
        if self.masks is None:
            return list(range(self.pops))
        used = union(self.masks)
        return [column for column in range(self.pops) if used >> column & 1]

    def by_url(self) -> Iterator[tuple[int, int, int]]:
        """Yield ranges of URL indices, as from and to, with the number of cells that each URL has."""
        if self.masks is None:
            if self.rows:
                yield self.rows[0], self.rows[-1] + 1, self.pops
            return
        for index, mask in zip(self.rows, self.masks, strict=True):
            yield index, index + 1, mask.bit_count()

    def urls_of(self, column: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of URL indices that have a column."""
        if self.masks is None:
            if self.rows:
                yield self.rows[0], self.rows[-1] + 1
            return
        for index, mask in zip(self.rows, self.masks, strict=True):
            if mask >> column & 1:
                yield index, index + 1

    @property
    def sample_size(self) -> int:
        """Return the number of cells that `verify: sample` verifies, as `sample().size` but in a tenth of its time.

        A row has one, but for those that are added for columns without one (see _cover).
        """
        if self.masks is None:
            return self.sample().size
        left = union(self.masks)
        columns, covered = left.bit_count(), 0
        for mask in self.masks:
            if new := mask & left:
                left ^= new & -new
                covered += 1
                if covered == columns:
                    break
        return len(self.masks) - self.masks.count(0) + columns - covered

    def sample(self) -> "Sample":
        """Return the cells that `verify: sample` verifies: at least one of each row and of each used column."""
        if self.masks is None:
            return Sample(len(self.rows), self.pops)
        return Sample(len(self.rows), self.pops, _cover(self.masks))


@dataclass(frozen=True, slots=True)
class Sample:
    """The verified cells of a batch of `rows` x `pops`: its diagonal, or for pairs each row's bits in `masks`."""

    rows: int
    pops: int
    masks: Sequence[int] | None = None

    def has(self, row: int, column: int) -> bool:
        """Return whether a cell is verified."""
        if self.masks is not None:
            return bool(self.masks[row] >> column & 1)
        return row % self.pops == column if self.rows >= self.pops else column % self.rows == row

    @property
    def size(self) -> int:
        """Return the number of verified cells; a diagonal is as long as the longer side."""
        if self.masks is None:
            return max(self.rows, self.pops) if self.rows else 0
        return sum(mask.bit_count() for mask in self.masks)


def _cover(masks: Sequence[int]) -> list[int]:
    """Return for each row the bits of its verified columns, so that each row and each used column has one.

    A row takes a column without a sample if it has one, else one of its own in turn; columns that are left over
    are taken from the first row that has them.
    """
    chosen = []
    covered = 0
    for place, mask in enumerate(masks):
        new = mask & ~covered
        bit = new & -new if new else _nth_bit(mask, place % max(1, mask.bit_count()))
        covered |= bit
        chosen.append(bit)
    left = union(masks) & ~covered
    for place, mask in enumerate(masks):
        if not left:
            break
        chosen[place] |= mask & left
        left &= ~mask
    return chosen


def union(masks: Sequence[int]) -> int:
    """Return the mask of the columns that any of the masks has."""
    return functools.reduce(operator.or_, masks, 0)


def _nth_bit(mask: int, number: int) -> int:
    """Return the mask of the n-th set bit, counted from 0."""
    for _ in range(number):
        mask &= mask - 1
    return mask & -mask


def pack_masks(masks: Sequence[int]) -> str:
    """Return masks as stored: hexadecimal numbers, separated by spaces."""
    return " ".join(map(hex, masks)).replace("0x", "")


def unpack_masks(text: str) -> tuple[int, ...]:
    """Return the masks that `pack_masks` packed."""
    return tuple(map(int, text.split(), repeat(16)))


def pack_pairs(rows: Sequence[int], masks: Sequence[int]) -> str:
    """Return rows and masks as a batch's entry has them, compressed so that each entry can be read alone."""
    steps = (row - before for before, row in zip((0, *rows), rows, strict=False))
    text = f"{' '.join(map(str, steps))}\n{pack_masks(masks)}"
    return base64.b64encode(zlib.compress(text.encode(), PAIRS_LEVEL)).decode()


def unpack_pairs(packed: str | list[int], masks: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the rows and masks that `pack_pairs` packed; checkouts before 0.1.0 stored a list and a text."""
    if isinstance(packed, list):
        return tuple(packed), unpack_masks(masks)
    steps, _, text = zlib.decompress(base64.b64decode(packed)).decode().partition("\n")
    return tuple(accumulate(map(int, steps.split()))), unpack_masks(text)
