"""Which contents POPs hold: a checksum per URL and variant, and the URLs of which POPs hold different ones. Pure."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prewarm.fetcher.response import Response
from prewarm.planning.plan import Plan

if TYPE_CHECKING:
    from prewarm.results.batch_result import BatchResult


DIGITS = 8
UNKNOWN = "0" * DIGITS


def content_of(response: Response) -> str:
    """Return an identifier of a complete response's content: its ETag, and its length where that is comparable.

    An edge that compresses makes a strong ETag weak, and its lengths may differ from POP to POP.
    """
    etag = response.etag.removeprefix("W/")
    return etag if response.encoding else f"{etag}|{response.bytes}"


@dataclass
class Contents:
    """What the POPs of a batch hold: by URL x variants + variant, the first content seen, and where."""

    variants: int
    first: dict[int, tuple[str, int]] = field(default_factory=dict)
    mixed: dict[int, tuple[int, int]] = field(default_factory=dict)

    def note(self, url: int, variant: int, pop: int, response: Response) -> None:
        """Note a whole response; `url`, `variant` and `pop` are indices within the batch."""
        if content := content_of(response):
            first, where = self.first.setdefault(url * self.variants + variant, (content, pop))
            if first != content:
                self.mixed.setdefault(url, (where, pop))

    def checksums(self, urls: int) -> str:
        """Return eight hexadecimal digits for each URL and variant, zeros where no content is known."""
        known = (self.first.get(number) for number in range(urls * self.variants))
        return "".join(f"{zlib.crc32(content[0].encode()) or 1:08x}" if content else UNKNOWN for content in known)


def mixed_contents(plan: Plan, parts: Iterable["BatchResult"]) -> dict[int, tuple[str, str]]:
    """Return the URLs of which POPs hold different contents, by index: within a batch, and between batches.

    Between batches the POPs named are those with which the batches begin.
    """
    found: dict[int, tuple[str, str]] = {}
    variants = len(plan.variants)
    first: dict[tuple[int, int], BatchResult] = {}
    for part in parts:
        found.update(part.mixed)
        other = first.setdefault((part.url_from, part.url_to), part)
        if part.contents == other.contents:
            continue
        pops = plan.groups[part.group].pops
        for place in range(0, len(part.contents), DIGITS):
            a, b = other.contents[place : place + DIGITS], part.contents[place : place + DIGITS]
            if a != b and UNKNOWN not in (a, b):
                index = part.url_from + place // DIGITS // variants
                found.setdefault(index, (pops[other.pop_from], pops[part.pop_from]))
    return found
