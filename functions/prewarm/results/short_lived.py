"""Copies that expired before the run ended: warm when they were proven, and not any more. Pure.

A worker stores for each URL with a short lifetime when its copies expire; the roll-up compares that with the end.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from prewarm.results.batch_result import BatchResult
from prewarm.results.part_cells import PartCells
from prewarm.urls import redacted

# Runs last hours; copies that live longer than this cannot expire in one.
SHORT_SECONDS = 86_400


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
    """The short-lived copies of one URL in a part of a run, with the POP of the one that expires first."""

    url: int
    pop: str
    copies: ShortLived


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


def expiring(parts: Iterable[BatchResult], cells: PartCells) -> list[Expiring]:
    """Return the short-lived copies of a run's parts."""
    found = []
    for part in parts:
        names = cells.names(part) if part.short_lived else ()
        for url, copies in unpack_short_lived(part.short_lived).items():
            found.append(Expiring(url, names[copies.pop], copies))
    return found


def expired_warnings(known: Iterable[Expiring], urls: Sequence[str], at: float, *, ended: bool) -> list[str]:
    """Return a warning about the copies that have expired at `at`, in epoch seconds: the run's end, or now.

    `urls`: all of the run's, as in the request; the example is the copy with the shortest lifetime.
    """
    gone = [each for each in known if each.copies.earliest <= at]
    if not gone:
        return []
    first = min(gone, key=lambda each: (each.copies.seconds, each.url, each.copies.earliest))
    # Of a part whose last copy has not expired, one is certain.
    copies = sum(each.copies.copies if each.copies.latest <= at else 1 for each in gone)
    count = len({each.url for each in gone})
    about = f"{count:,} URLs had" if count > 1 else "one URL had"
    when = "before the run ended" if ended else "already"
    example = f"such as {redacted(urls[first.url])} at {first.pop}, cached for {first.copies.seconds:,} s"
    why = "viewers wait for the origin there; raise the TTL, or warm short-lived URLs last, in a separate run"
    return [f"{about} copies that have expired {when} (at least {copies:,}), {example}: {why}"]
