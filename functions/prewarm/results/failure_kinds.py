"""The failures of each URL by kind, where URLs that failed in the same way share an entry. Pure."""

from array import array
from collections.abc import Mapping, Sequence

# A URL's number, also in stored sums: 4 bytes.
NUMBER = "I"


class FailureKinds:
    """Counts by kind for each URL of a run, added up in any order.

    `table`: the distinct counts, with their kinds in order of name, the first empty; `numbers`: by URL index, the
    place in the table. Copies share the table, to which entries are only added.
    """

    def __init__(self, urls: int, table: Sequence[Mapping[str, int]] = ({},), numbers: bytes = b"") -> None:
        """Make one of a number of URLs; `table` and `numbers` are those of a stored one."""
        self.table: list[Mapping[str, int]] = list(table)
        self.numbers = array(NUMBER, numbers or bytes(array(NUMBER).itemsize * urls))
        self._places = {tuple(counts.items()): place for place, counts in enumerate(self.table)}
        self._sums: dict[tuple[int, int], int] = {}

    def copy(self) -> "FailureKinds":
        """Return a copy to which failures can be added."""
        other = FailureKinds.__new__(FailureKinds)
        other.table = self.table
        other._places, other._sums = self._places, self._sums  # noqa: SLF001 - its own class
        other.numbers = self.numbers[:]
        return other

    def add(self, index: int, counts: Mapping[str, int]) -> None:
        """Add failures of a URL."""
        place, known = self._place_of(counts), self.numbers[index]
        self.numbers[index] = self._sum_of(known, place) if known else place

    def of(self, index: int) -> Mapping[str, int]:
        """Return a URL's failures by kind."""
        return self.table[self.numbers[index]]

    def compact(self) -> "FailureKinds":
        """Return the same failures with a table that has only what some URL has."""
        used = [0, *sorted(set(self.numbers) - {0})]
        if len(used) == len(self.table):
            return self
        places = dict(zip(used, range(len(used)), strict=True))
        numbers = array(NUMBER, map(places.__getitem__, self.numbers))
        return FailureKinds(len(numbers), [self.table[place] for place in used], numbers.tobytes())

    def _place_of(self, counts: Mapping[str, int]) -> int:
        key = tuple(sorted(counts.items()))
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.table)
            self.table.append(dict(key))
        return place

    def _sum_of(self, one: int, other: int) -> int:
        place = self._sums.get((one, other))
        if place is None:
            place = self._sums[one, other] = self._place_of(together(self.table[one], self.table[other]))
        return place


def together(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two counts."""
    sums = dict(some)
    for kind, count in others.items():
        sums[kind] = sums.get(kind, 0) + count
    return sums
