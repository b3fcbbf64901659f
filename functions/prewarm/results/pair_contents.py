"""Which URLs of a run of pairs have different contents, found batch by batch in any order. Pure.

For each copy, which is a URL and variant, and each encoding the checksum of the first batch is kept, and which is the
first batch that has another one. "First" is meant in the order of batches, so that the result does not depend on the
order in which they are added.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from prewarm.results.batch_result import BatchResult, PartKey, slim
from prewarm.results.consistency import DIGITS
from prewarm.results.encodings import copies_of
from prewarm.results.part_cells import PartCells

# A checksum and a place among parts, also in stored sums: 4 bytes.
NUMBER = "I"
# The place of no part.
NOWHERE = 0
# The letter of copies of batches that do not say their encoding, which are compared with all.
ANY = 0


class PairContents:
    """The first contents of each copy.

    `parts`: the parts that were added; a place is one more than the position there. By copy, `checksums`, `letters`
    and `places` have the first content in one encoding, and `others` the place of the first part that has another
    content; `more` has the same by copy and letter, for further encodings of a copy.
    """

    def __init__(self, copies: int) -> None:
        zeros = bytes(array(NUMBER).itemsize * copies)
        self.parts: list[BatchResult] = []
        self._keys: list[PartKey] = [("", 0)]
        self.checksums, self.places, self.others = (array(NUMBER, zeros) for _ in range(3))
        self.letters = bytearray(copies)
        self.more: dict[tuple[int, int], tuple[int, int, int]] = {}

    def restore_parts(self, parts: Sequence[BatchResult]) -> None:
        """Set the parts of a stored one."""
        self.parts, self._keys = list(parts), [("", 0), *((part.batch, part.part) for part in parts)]

    def copy(self) -> "PairContents":
        """Return a copy to which parts can be added."""
        other = PairContents(0)
        other.parts, other._keys, other.more = self.parts.copy(), self._keys.copy(), self.more.copy()
        other.checksums, other.places, other.others = self.checksums[:], self.places[:], self.others[:]
        other.letters = self.letters[:]
        return other

    def add(self, part: BatchResult, cells: PartCells, variants: int) -> None:
        """Add a part with contents."""
        self.parts.append(slim(part))
        self._keys.append((part.batch, part.part))
        place, places, checksums, letters, keys = (
            len(self.parts),
            self.places,
            self.checksums,
            self.letters,
            self._keys,
        )
        digits = len(part.contents) // DIGITS * DIGITS
        values = array(NUMBER, bytes.fromhex(part.contents[:digits]))
        encodings = part.encodings.lower().encode() or bytes(len(values))
        for copy, checksum, letter in zip(copies_of(cells, part, variants), values, encodings, strict=False):
            if not checksum:
                continue
            if not places[copy]:
                checksums[copy], letters[copy], places[copy] = checksum, letter, place
            elif letters[copy] != letter:
                self.more[copy, letter] = self._merged(self.more.get((copy, letter)), checksum, place)
            elif checksums[copy] != checksum:
                known = checksums[copy], places[copy], self.others[copy]
                checksums[copy], places[copy], self.others[copy] = self._merged(known, checksum, place)
            elif keys[places[copy]] > keys[place]:
                places[copy] = place

    def _merged(self, known: tuple[int, int, int] | None, checksum: int, place: int) -> tuple[int, int, int]:
        """Return checksum, place and place of another content, with a further part's checksum."""
        if known is None:
            return checksum, place, NOWHERE
        first, at, other = known
        if checksum == first:
            return first, self._earlier(at, place), other
        if self._earlier(at, place) == at:
            return first, at, self._earlier(other, place)
        # All other contents are at or after the place that was the first until now.
        return checksum, place, at

    def _earlier(self, one: int, other: int) -> int:
        if NOWHERE in {one, other}:
            return one or other
        return min(one, other, key=self._keys.__getitem__)

    def differing(self, variants: int) -> dict[int, tuple[int, int, int]]:
        """Return by URL index the copy that differs first, and the places of its first part and of the other one."""
        further: dict[int, dict[int, tuple[int, int, int]]] = {}
        for (copy, letter), entry in self.more.items():
            further.setdefault(copy, {})[letter] = entry
        found: dict[int, tuple[int, int, int]] = {}
        for copy in sorted({*further, *(copy for copy, other in enumerate(self.others) if other)}):
            one = self.letters[copy], (self.checksums[copy], self.places[copy], self.others[copy])
            first, other = self._first_of(dict([one]) | further.get(copy, {}))
            if not other:
                continue
            known = found.get(copy // variants)
            if known is None or self._keys[other] < self._keys[known[2]]:
                found[copy // variants] = copy, first, other
        return found

    def _first_of(self, letters: Mapping[int, tuple[int, int, int]]) -> tuple[int, int]:
        """Return the places of a copy's first content and of the first other one with the same encoding."""
        letter = min(letters, key=lambda each: self._keys[letters[each][1]])
        checksum, first, other = letters[letter]
        compared = letters.keys() - {letter} if letter == ANY else letters.keys() & {ANY} - {letter}
        for each in compared:
            of_letter, at, another = letters[each]
            other = self._earlier(other, at if of_letter != checksum else another)
        return first, other


class MixedPairs(Mapping[int, tuple[str, str]]):
    """By URL index, two POPs that have different contents: the first ones of their batches."""

    def __init__(self, contents: PairContents, cells: PartCells, variants: int) -> None:
        self._contents, self._cells, self._variants = contents, cells, variants
        self._differing = contents.differing(variants)

    def __len__(self) -> int:
        return len(self._differing)

    def __iter__(self) -> Iterator[int]:
        return iter(self._differing)

    def __getitem__(self, index: int) -> tuple[str, str]:
        _, first, other = self._differing[index]
        parts = self._contents.parts
        return self._first_pop(parts[first - 1], index), self._first_pop(parts[other - 1], index)

    def _first_pop(self, part: BatchResult, index: int) -> str:
        """Return the first POP at which a batch has a URL."""
        cells = self._cells.of(part)
        row = bisect_left(cells.rows, index)
        return self._cells.names(part)[next(column for column in range(cells.pops) if cells.has(row, column))]
