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

DIGITS = 8
UNKNOWN = "0" * DIGITS


def content_of(response: Response) -> str:
    """Return an identifier of a complete response's content: its ETag, and its length where that is comparable.

    An edge that compresses makes a strong ETag weak, and its lengths may differ from POP to POP.
    """
    etag = response.etag.removeprefix("W/")
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
        self.letters.setdefault(number, letter)
        if content := content_of(response):
            first, first_pop = self.first.setdefault((number, letter), (content, pop))
            if first != content:
                self.mixed.setdefault(url, (first_pop, pop))

    def checksums(self, urls: int) -> str:
        """Return eight hexadecimal digits for each URL and variant, zeros where no content is known."""
        contents = (self.first.get((number, self.letters.get(number, ""))) for number in range(urls * self.variants))
        return "".join(f"{zlib.crc32(each[0].encode()) or 1:08x}" if each else UNKNOWN for each in contents)

    def encodings(self, urls: int) -> str:
        """Return the letter of the encoding of each checksum."""
        return "".join(self.letters.get(number, NO_COPY) for number in range(urls * self.variants))


def mixed_contents(plan: Plan, parts: Iterable[BatchResult]) -> dict[int, tuple[str, str]]:
    """Return the URLs whose contents differ within a batch or between batches: by index, two such POPs.

    Between batches, the two POPs are the first ones of the batches.
    """
    mixed: dict[int, tuple[str, str]] = {}
    variants = len(plan.variants)
    first: dict[tuple[int, int], BatchResult] = {}
    for part in parts:
        mixed.update(part.mixed)
        other = first.setdefault((part.url_from, part.url_to), part)
        if part.contents == other.contents:
            continue
        pops = plan.groups[part.group].pops
        for place in range(0, len(part.contents), DIGITS):
            a, b = other.contents[place : place + DIGITS], part.contents[place : place + DIGITS]
            if a != b and UNKNOWN not in (a, b) and _same_encoding(part, other, place // DIGITS):
                index = part.url_from + place // DIGITS // variants
                mixed.setdefault(index, (pops[other.pop_from], pops[part.pop_from]))
    return mixed


def _same_encoding(one: BatchResult, other: BatchResult, number: int) -> bool:
    """Return whether two batches' checksums are of copies with the same encoding; unknown in earlier versions."""
    if not one.encodings or not other.encodings:
        return True
    return one.encodings[number].lower() == other.encodings[number].lower()
