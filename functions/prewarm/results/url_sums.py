"""Sums of targets per URL over a run's batches. Pure; the cost grows with batches and failures."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from prewarm.planning.cells import Cells
from prewarm.results.batch_result import BatchResult
from prewarm.results.failure_kinds import FailureKinds
from prewarm.results.part_cells import PartCells

# POPs that went dark during the run are left out of a URL's result, unless they have more than this share of its
# targets: the rest says too little then, and what silences most POPs may be the origin.
MOST_DARK_SHARE = 0.5
# Targets of a URL, and a difference of them, also in stored sums: 4 bytes.
TARGETS, DIFFERENCE = "I", "i"
# A URL's expected targets, finished and reported ones, failures by their place in the table, and those at dark POPs
# by reason: all that its result depends on.
UrlState = tuple[int, ...]


class UrlSums:
    """Targets per URL, collected in any order as differences at the ends of each batch's range of URLs.

    `expected`: by URL index, the run's targets; `finished`: the targets of finished batches; `reported`: those of
    unfinished batches that an earlier part reported; `dark`: by reason, the targets at dark POPs; `kinds`: failures.
    """

    def __init__(self, expected: Sequence[int]) -> None:
        """Make sums to which nothing is added yet."""
        self.expected = array(TARGETS, expected)
        self.finished, self.reported = self._zeros(), self._zeros()
        self.dark: dict[str, array[int]] = {}
        self.kinds = FailureKinds(len(expected))

    def copy(self) -> "UrlSums":
        """Return a copy to which parts can be added."""
        other = UrlSums.__new__(UrlSums)
        other.expected, other.kinds = self.expected, self.kinds.copy()
        other.finished, other.reported = self.finished[:], self.reported[:]
        other.dark = {reason: counts[:] for reason, counts in self.dark.items()}
        return other

    def add(self, result: BatchResult, places: PartCells, variants: int, *, unfinished: bool) -> None:
        """Add a part of a batch; `unfinished`: whether some of the batch's targets are not accounted for."""
        cells = places.of(result)
        self._add_failures(result, unfinished=unfinished)
        for entry in result.dark:
            at_dark = self.at_dark(entry.reason)
            for urls in cells.urls_of(places.column(result, entry.pop)):
                _spread(at_dark, urls, variants)
                if unfinished:
                    _spread(self.reported, urls, variants)
        if unfinished:
            for index, count in result.warm.items():
                _spread(self.reported, (index, index + 1), count)
        elif result.finished:
            self._add_finished(cells, variants)

    def at_dark(self, reason: str) -> "array[int]":
        """Return the differences of targets at POPs that are dark for a reason."""
        return self.dark.setdefault(reason, self._zeros())

    def states(self, end: int) -> Iterator[UrlState]:
        """Yield the states of the first URLs, to before index `end`."""
        sums = [accumulate(counts) for counts in (self.finished, self.reported)]
        dark = [accumulate(self.dark[reason]) for reason in self.reasons]
        columns = (self.expected, *sums, self.kinds.numbers, *dark)
        return islice(zip(*columns, strict=False), end)

    @property
    def reasons(self) -> list[str]:
        """Return the reasons of dark POPs in the order in which states have them."""
        return sorted(self.dark)

    def _add_finished(self, cells: Cells, variants: int) -> None:
        finished = self.finished
        for url_from, url_to, pairs in cells.by_url():
            finished[url_from] += pairs * variants
            finished[url_to] -= pairs * variants

    def _add_failures(self, result: BatchResult, *, unfinished: bool) -> None:
        for index, counts in result.failed.items():
            self.kinds.add(index, counts)
            if unfinished:
                _spread(self.reported, (index, index + 1), sum(counts.values()))

    def _zeros(self) -> "array[int]":
        return zeros(DIFFERENCE, len(self.expected) + 1)


def zeros(kind: str, length: int) -> "array[int]":
    """Return an array of zeros of a kind of numbers."""
    return array(kind, bytes(array(kind).itemsize * length))


def _spread(differences: "array[int]", urls: tuple[int, int], amount: int) -> None:
    differences[urls[0]] += amount
    differences[urls[1]] -= amount
