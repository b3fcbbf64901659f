"""Copies that expired before the run ended: warm when they were proven, and not any more. Pure.

A worker stores for each URL with a short lifetime when its copies expire; the roll-up compares that with the end.
"""

import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import compress

from prewarm.results.batch_result import BatchResult, PartKey
from prewarm.urls import redacted

# Runs last hours; copies that live longer than this cannot expire in one.
SHORT_SECONDS = 86_400
# A number in stored sums: 4 bytes, and the largest that is kept; an edge can send any Age.
NUMBER, LARGEST = "I", 2**32 - 1
COLUMNS = ("url", "copies", "seconds", "earliest", "latest", "pop", "part")


@dataclass(frozen=True, slots=True)
class ShortLived:
    """The short-lived warm copies of one URL in a part of a batch.

    `seconds`: the lifetime of the copy that expires first, at `earliest` and at the POP in column `pop`; the last one
    expires at `latest`. Both in epoch seconds.
    """

    copies: int
    seconds: int
    earliest: int
    latest: int
    pop: int

    def with_copy(self, other: "ShortLived") -> "ShortLived":
        """Return both together."""
        first = self if self.earliest <= other.earliest else other
        latest = max(self.latest, other.latest)
        return ShortLived(self.copies + other.copies, first.seconds, first.earliest, latest, first.pop)


@dataclass(frozen=True, slots=True)
class Expiring:
    """The short-lived copies of one URL in a part of a run: POP and lifetime of the one that expires first."""

    url: int
    pop: str
    seconds: int


def pack_short_lived(urls: Mapping[int, ShortLived]) -> bytes:
    """Return short-lived copies by URL index as the ledger stores them; empty for none.

    A batch has at most 2,000 URLs, of which each takes less than 20 bytes when packed.
    """
    if not urls:
        return b""
    rows = [[index, *astuple(each)] for index, each in sorted(urls.items())]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def unpack_short_lived(packed: bytes) -> dict[int, ShortLived]:
    """Return what `pack_short_lived` packed."""
    return {row[0]: ShortLived(*row[1:]) for row in json.loads(zlib.decompress(packed))} if packed else {}


@dataclass(frozen=True, slots=True)
class Expired:
    """The copies that have expired: how many at least, of how many URLs, and the one with the shortest lifetime."""

    copies: int
    urls: int
    first: Expiring


@dataclass
class ExpiringCopies:
    """The short-lived copies of a run's parts, added in any order.

    `parts`: the keys of parts that have some; `pops`: POPs; `columns`: by field of COLUMNS, a number for each URL and
    part, where `part` and `pop` are places in these lists.
    """

    parts: list[PartKey] = field(default_factory=list)
    pops: list[str] = field(default_factory=list)
    columns: dict[str, "array[int]"] = field(default_factory=lambda: {name: array(NUMBER) for name in COLUMNS})

    def __len__(self) -> int:
        return len(self.columns["url"])

    def copy(self) -> "ExpiringCopies":
        """Return a copy to which parts can be added."""
        columns = {name: each[:] for name, each in self.columns.items()}
        return ExpiringCopies(self.parts.copy(), self.pops.copy(), columns)

    def add(self, part: BatchResult, names: Sequence[str]) -> None:
        """Add a part of a batch of these POPs."""
        places = {name: place for place, name in enumerate(self.pops)}
        for url, each in unpack_short_lived(part.short_lived).items():
            pop = places.setdefault(names[each.pop], len(places))
            values = (url, each.copies, each.seconds, each.earliest, each.latest, pop, len(self.parts))
            for name, value in zip(COLUMNS, values, strict=True):
                self.columns[name].append(max(0, min(value, LARGEST)))
        if part.short_lived:
            self.parts.append((part.batch, part.part))
            self.pops = list(places)

    def expired(self, at: float) -> Expired | None:
        """Return the copies that have expired at `at`, in epoch seconds; None if there are none."""
        gone = [earliest <= at for earliest in self.columns["earliest"]]
        if not any(gone):
            return None
        of_gone = {name: list(compress(each, gone)) for name, each in self.columns.items()}
        # Of a part whose last copy has not expired, one is certain.
        ends = zip(of_gone["copies"], of_gone["latest"], strict=True)
        copies = sum([count if latest <= at else 1 for count, latest in ends])
        order = list(zip(of_gone["seconds"], of_gone["url"], of_gone["earliest"], strict=True))
        shortest = min(order)
        # Where several parts have the same, the first of them.
        same = [place for place, entry in enumerate(order) if entry == shortest]
        first = min(same, key=lambda place: self.parts[of_gone["part"][place]])
        example = Expiring(shortest[1], self.pops[of_gone["pop"][first]], shortest[0])
        return Expired(copies, len(set(of_gone["url"])), example)


def expired_warnings(gone: Expired | None, urls: Sequence[str], *, ended: bool) -> list[str]:
    """Return a warning about the copies that have expired at the run's end, or until now.

    `urls`: all of the run's, as in the request; the example is the copy with the shortest lifetime.
    """
    if gone is None:
        return []
    first = gone.first
    about = f"{gone.urls:,} URLs had" if gone.urls > 1 else "one URL had"
    when = "before the run ended" if ended else "already"
    example = f"such as {redacted(urls[first.url])} at {first.pop}, cached for {first.seconds:,} s"
    why = "viewers wait for the origin there; raise the TTL, or warm short-lived URLs last, in a separate run"
    return [f"{about} copies that have expired {when} (at least {gone.copies:,}), {example}: {why}"]
