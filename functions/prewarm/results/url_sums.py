"""Sums of targets per URL over a run's batches. Pure; the cost grows with batches and failures."""

from collections.abc import Mapping
from itertools import accumulate

from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import Example
from prewarm.results.part_cells import PartCells

# POPs that went dark during the run are left out of a URL's result, unless they have more than this share of its
# targets: the rest says too little then, and what silences most POPs may be the origin.
MOST_DARK_SHARE = 0.5


class UrlSums:
    """Targets per URL, collected as differences at the ends of each batch's range of URLs.

    `finished`: the targets of finished batches; `reported`: those of unfinished batches that an earlier part
    reported; `dark`: by reason, the targets at dark POPs; `failures`: by URL index, its failures by kind;
    `examples`: by URL index and kind, the first one. `close` turns the differences into sums.
    """

    def __init__(self, url_count: int, finished_batches: set[str], cells: PartCells) -> None:
        self._length, self._finished_batches, self._cells = url_count + 1, finished_batches, cells
        self.finished, self.reported = [0] * self._length, [0] * self._length
        self.dark: dict[str, list[int]] = {}
        self.failures: dict[int, Mapping[str, int]] = {}
        self.examples: dict[int, dict[str, Example]] = {}

    def add(self, result: BatchResult, variants: int) -> None:
        """Add a part of a batch."""
        cells = self._cells.of(result)
        unfinished = result.batch not in self._finished_batches
        self._add_failures(result, unfinished=unfinished)
        for entry in result.dark:
            at_dark = self.dark.setdefault(entry.reason, [0] * self._length)
            for urls in cells.urls_of(self._cells.column(result, entry.pop)):
                _spread(at_dark, urls, variants)
                if unfinished:
                    _spread(self.reported, urls, variants)
        if unfinished:
            for index, count in result.warm.items():
                _spread(self.reported, (index, index + 1), count)
        if result.finished and not unfinished:
            finished = self.finished
            for url_from, url_to, pairs in cells.by_url():
                finished[url_from] += pairs * variants
                finished[url_to] -= pairs * variants

    def _add_failures(self, result: BatchResult, *, unfinished: bool) -> None:
        for index, counts in result.failed.items():
            known = self.failures.get(index)
            # Most URLs have failures in one part only.
            self.failures[index] = counts if known is None else together(known, counts)
            if unfinished:
                _spread(self.reported, (index, index + 1), sum(counts.values()))
        for example in result.examples:
            self.examples.setdefault(example.url, {}).setdefault(example.kind, example)

    def example(self, index: int, kinds: Mapping[str, int]) -> Example | None:
        """Return an example of a URL's most frequent failures that have one; None if no batch has one."""
        examples = self.examples.get(index)
        known = [kind for kind in kinds if kind in examples] if examples else []
        return examples[max(known, key=kinds.__getitem__)] if examples and known else None

    def close(self) -> None:
        """Turn the differences into sums; call it once, after the last part."""
        self.finished, self.reported = list(accumulate(self.finished)), list(accumulate(self.reported))
        self.dark = {reason: list(accumulate(counts)) for reason, counts in self.dark.items()}


def together(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two counts."""
    sums = dict(some)
    for kind, count in others.items():
        sums[kind] = sums.get(kind, 0) + count
    return sums


def _spread(differences: list[int], urls: tuple[int, int], amount: int) -> None:
    differences[urls[0]] += amount
    differences[urls[1]] -= amount
