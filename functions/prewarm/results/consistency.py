"""Whether POPs hold the same content: a checksum per URL and variant, and the URLs whose contents differ. Pure.

Only copies with the same encoding are compared: an edge that compresses changes length and ETag (encodings).
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.encodings import NO_COPY, letter_of
from prewarm.results.part_cells import PartCells

DIGITS = 8
UNKNOWN = "0" * DIGITS


def content_of(response: Response) -> str:
    """Return an identifier of a complete response's content: its ETag, and its length where that is comparable.

    An edge that compresses makes a strong ETag weak, and its lengths may differ from POP to POP.
    """
    etag = response.etag
    etag = etag.removeprefix("W/")
    return etag if response.encoding else f"{etag}|{response.bytes}"


def is_other_content(one: Response, other: Response) -> bool:
    """Return whether two responses with the same encoding have different ETags; False where one has none.

    Without the same encoding they cannot be compared: an edge that compresses makes a strong ETag weak.
    """
    if not one.etag or not other.etag or one.encoding != other.encoding:
        return False
    return one.etag.removeprefix("W/") != other.etag.removeprefix("W/")


@dataclass
class Contents:
    """The contents at a batch's POPs.

    `first`: by URL x variants + variant and encoding, the first content and the POP that sent it; `letters`: the
    encoding that the batch is compared by.
    """

    variants: int
    first: dict[tuple[int, str], tuple[str, int]] = field(default_factory=dict)
    mixed: dict[int, tuple[int, int]] = field(default_factory=dict)
    letters: dict[int, str] = field(default_factory=dict)

    def add(self, url: int, variant: int, pop: int, response: Response) -> None:
        """Add a complete response; `url`, `variant` and `pop` are indices within the batch."""
        number, letter = url * self.variants + variant, letter_of(response.encoding)
        content = content_of(response)
        known = self.first.get((number, letter))
        if known is None:
            self.letters.setdefault(number, letter)
            if content:
                self.first[number, letter] = (content, pop)
        elif content and known[0] != content:
            self.mixed.setdefault(url, (known[1], pop))

    def checksums(self, urls: int) -> str:
        """Return eight hexadecimal digits for each URL and variant, zeros where no content is known."""
        contents = (self.first.get((number, self.letters.get(number, ""))) for number in range(urls * self.variants))
        return "".join(f"{zlib.crc32(each[0].encode()) or 1:08x}" if each else UNKNOWN for each in contents)

    def encodings(self, urls: int) -> str:
        """Return the letter of the encoding of each checksum."""
        return "".join(self.letters.get(number, NO_COPY) for number in range(urls * self.variants))


def mixed_contents(
    plan: Plan, parts: Iterable[BatchResult], cells: PartCells | None = None
) -> dict[int, tuple[str, str]]:
    """Return the URLs whose contents differ within a batch or between batches: by index, two such POPs.

    Between batches, the two POPs are the first ones of the batches that have the URL.
    """
    cells, variants = cells or PartCells(plan), len(plan.variants)
    mixed: dict[int, tuple[str, str]] = {}
    first: dict[tuple[int, int], BatchResult] = {}
    seen = _FirstCopies()
    for part in parts:
        mixed.update(part.mixed)
        if plan.pairs:
            for one, number in seen.others(part, cells, variants):
                _compare(one, (part, number), mixed, cells, variants)
            continue
        other = first.setdefault((part.url_from, part.url_to), part)
        if part.contents == other.contents:
            continue
        for number in range(len(part.contents) // DIGITS):
            _compare((other, number), (part, number), mixed, cells, variants)
    return mixed


class _FirstCopies:
    """The first copy of each URL and variant among batches of pairs, by URL index x variants + variant.

    Two dicts of texts and numbers, which Python's garbage collector does not traverse: there may be a million copies.
    """

    def __init__(self) -> None:
        self._checksums: dict[int, str] = {}
        self._places: dict[int, int] = {}
        self._parts: list[BatchResult] = []

    def others(
        self, part: BatchResult, cells: PartCells, variants: int
    ) -> Iterator[tuple[tuple[BatchResult, int], int]]:
        """Yield where a batch has another content than the first copy: that copy's batch and number, and its own."""
        place, contents = len(self._parts), part.contents
        self._parts.append(part)
        copies = [index * variants + variant for index in cells.of(part).rows for variant in range(variants)]
        for number, copy in enumerate(copies[: len(contents) // DIGITS]):
            checksum = contents[DIGITS * number : DIGITS * (number + 1)]
            if checksum == UNKNOWN:
                continue
            first = self._checksums.get(copy)
            if first is None:
                self._checksums[copy], self._places[copy] = checksum, place
            elif first != checksum:
                other = self._parts[self._places[copy]]
                row, variant = divmod(copy, variants)
                yield (other, bisect_left(cells.of(other).rows, row) * variants + variant), number


def _compare(
    one: tuple[BatchResult, int],
    other: tuple[BatchResult, int],
    mixed: dict[int, tuple[str, str]],
    cells: PartCells,
    variants: int,
) -> None:
    """Compare two batches' checksums of the same URL and variant, each at its number in the batch."""
    checksums = _checksum(*one), _checksum(*other)
    if checksums[0] == checksums[1] or UNKNOWN in checksums or "" in checksums or not _same_encoding(*one, *other):
        return
    row = other[1] // variants
    pops = tuple(_first_pop(part, number // variants, cells) for part, number in (one, other))
    mixed.setdefault(cells.of(other[0]).rows[row], (pops[0], pops[1]))


def _checksum(part: BatchResult, number: int) -> str:
    return part.contents[DIGITS * number : DIGITS * (number + 1)]


def _first_pop(part: BatchResult, row: int, cells: PartCells) -> str:
    """Return the first POP at which a batch has a URL."""
    of_part = cells.of(part)
    return cells.names(part)[next(column for column in range(of_part.pops) if of_part.has(row, column))]


def _same_encoding(one: BatchResult, number: int, other: BatchResult, place: int) -> bool:
    """Return whether two batches' checksums are of copies with the same encoding; unknown in earlier versions."""
    if not one.encodings or not other.encodings:
        return True
    return one.encodings[number].lower() == other.encodings[place].lower()
