"""Which URLs have different contents, and which copies are plain, found batch by batch in any order. Pure.

Of batches of rectangles the first part with each distinct text of checksums is kept; pair_contents keeps the first
contents of each copy of a run of pairs.
"""

from collections.abc import Mapping
from dataclasses import replace

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult, PartKey, slim
from prewarm.results.consistency import mixed_contents
from prewarm.results.encodings import CompressedCopies, copies_of, plain_pops
from prewarm.results.pair_contents import MixedPairs, PairContents
from prewarm.results.part_cells import PartCells
from prewarm.results.short_lived import ExpiringCopies
from prewarm.results.uncompressed_urls import PlainFlags, UncompressedUrls

# The fields of parts that are kept as they are.
RARE = ("uncompressed", "plain_copies")


class ContentSums:
    """The contents and encodings of a run's copies.

    - `within`: by URL index, two POPs of one batch with different contents, and the last part that names such
    - `ranges`: by range of URLs and by checksums and encodings, the first part that has them
    - `pairs`: the same of a run of pairs
    - `compressed`: which copies are compressed somewhere
    - `plain`: which copies are plain somewhere
    - `rare`: parts with plain copies
    - `short_lived`: when copies expire
    """

    def __init__(self, plan: Plan, cells: PartCells) -> None:
        copies = plan.url_count * len(plan.variants)
        self._plan, self._cells, self._variants = plan, cells, len(plan.variants)
        self.within: dict[int, tuple[PartKey, tuple[str, str]]] = {}
        self.ranges: dict[tuple[int, int], dict[tuple[str, str], BatchResult]] = {}
        self.pairs = PairContents(copies if plan.pairs else 0)
        self.compressed = CompressedCopies(copies)
        self.plain = PlainFlags(copies)
        self.rare: list[BatchResult] = []
        self.short_lived = ExpiringCopies()

    def copy(self) -> "ContentSums":
        """Return a copy to which parts can be added."""
        other = ContentSums.__new__(ContentSums)
        other._plan, other._cells, other._variants = self._plan, self._cells, self._variants  # noqa: SLF001
        other.within, other.rare = self.within.copy(), self.rare.copy()
        other.ranges = {urls: parts.copy() for urls, parts in self.ranges.items()}
        other.pairs, other.plain = self.pairs.copy(), self.plain.copy()
        other.short_lived = self.short_lived.copy()
        other.compressed = CompressedCopies(0)
        other.compressed.flags = self.compressed.flags[:]
        return other

    def add(self, part: BatchResult) -> None:
        """Add a part of a batch."""
        key = part.batch, part.part
        for index, pops in part.mixed.items():
            if index not in self.within or self.within[index][0] <= key:
                self.within[index] = key, pops
        if self._plan.pairs:
            if part.contents:
                self.pairs.add(part, self._cells, self._variants)
        else:
            self._add_range(part, key)
        copies = copies_of(self._cells, part, self._variants)
        self.compressed.add(part.encodings, copies)
        self.plain.add(part, copies)
        self.short_lived.add(part, self._cells.names(part))
        if any(getattr(part, name) for name in RARE):
            self.rare.append(slim(part, *RARE))

    def _add_range(self, part: BatchResult, key: PartKey) -> None:
        distinct = self.ranges.setdefault((part.url_from, part.url_to), {})
        texts = part.contents, part.encodings.lower()
        known = distinct.get(texts)
        if known is None or key < (known.batch, known.part):
            distinct[texts] = slim(part)

    def mixed(self) -> Mapping[int, tuple[str, str]]:
        """Return the URLs whose contents differ within a batch or between batches: by index, two such POPs."""
        within = {index: pops for index, (_, pops) in self.within.items()}
        if self._plan.pairs:
            between: Mapping[int, tuple[str, str]] = MixedPairs(self.pairs, self._cells, self._variants)
            return dict(between) | within if within else between
        several = [
            replace(part, contents=texts[0], encodings=texts[1])
            for distinct in self.ranges.values()
            if len(distinct) > 1
            for texts, part in distinct.items()
        ]
        several.sort(key=lambda part: (part.batch, part.part))
        return mixed_contents(self._plan, several, self._cells) | within

    def uncompressed(self) -> UncompressedUrls:
        """Return by URL index the POPs with an unexpected plain copy, read for the URLs that are asked for."""
        copies = self.plain.copies(self.compressed)
        return UncompressedUrls(self.rare, copies, self.compressed, self._cells, self._variants)

    def all_uncompressed(self) -> dict[int, tuple[str, ...]]:
        """Return the same of all URLs at once."""
        return plain_pops(self.rare, self.compressed, self._cells, self._variants)
