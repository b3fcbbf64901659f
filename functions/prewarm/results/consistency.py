"""Whether POPs hold the same content: a checksum per URL and variant, and the URLs whose contents differ. Pure.

Only copies with the same encoding are compared: an edge that compresses changes length and ETag (encodings).
"""

import zlib
from collections.abc import Iterable
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

    Between batches, the two POPs are the first ones of the batches that have the URL. `parts` are those of
    rectangles, in order; pair_contents compares batches of pairs.
    """
    cells, variants = cells or PartCells(plan), len(plan.variants)
    mixed: dict[int, tuple[str, str]] = {}
    first: dict[tuple[int, int], BatchResult] = {}
    for part in parts:
        mixed.update(part.mixed)
        other = first.setdefault((part.url_from, part.url_to), part)
        if part.contents == other.contents:
            continue
        for number in range(len(part.contents) // DIGITS):
            _compare((other, number), (part, number), mixed, cells, variants)
    return mixed


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
    index = other[0].url_from + other[1] // variants
    mixed.setdefault(index, (cells.names(one[0])[0], cells.names(other[0])[0]))


def _checksum(part: BatchResult, number: int) -> str:
    return part.contents[DIGITS * number : DIGITS * (number + 1)]


def _same_encoding(one: BatchResult, number: int, other: BatchResult, place: int) -> bool:
    """Return whether two batches' checksums are of copies with the same encoding; unknown in earlier versions."""
    if not one.encodings or not other.encodings:
        return True
    return one.encodings[number].lower() == other.encodings[place].lower()
