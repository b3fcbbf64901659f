"""The checkpoint of a running run: the parts of its batches that were read, so that no poll reads them again. Pure.

It has only parts that name their attempt, which are never replaced (docs/decisions/0017). So its parts and those in
the key ranges that it leaves are the same as all of the ledger's. It belongs to one plan and one redrive of a run;
that of another one is not used.

Its object is a line with a CRC of all that follows, a line of JSON, and the parts' items as gzipped lines of JSON, to
which further ones are appended.
"""

import base64
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import groupby
from typing import Any

from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import settled_batches
from prewarm.storage.ledger_items import Control, result_from_item, unpack_item
from prewarm.storage.ledger_ranges import KeyRange

VERSION = 1
# Ranges that a poll reads at most, each of them a query; where there are more, what lies between some is read again.
RANGES = 8
# A query costs as much as reading these bytes (a read unit), so that fewer are read rather than left out.
UNIT_BYTES = 4_096
# The fastest level: a poll compresses what it adds.
GZIP_LEVEL = 1
# A part's batch and its number.
PartKey = tuple[str, int]
# What a status shows of the control item, and what an item has besides its result.
_SHOWN = ("ended", "deadline", "redrives", "invalidation")
_KEYS = frozenset({"run", "sk", "ttl"})


@dataclass(frozen=True, slots=True)
class Owner:
    """Which plan and which redrive of a run a checkpoint belongs to."""

    attempt: str
    redrives: int


@dataclass(frozen=True)
class Checkpoint:
    """What has been read of a run's ledger.

    `read_at`: when it was last read, in epoch seconds; `control`: the control item at that time, without what only
    workers need; `stopped_at`: the sort key after which that reading stopped, empty if it read everything; `parts`:
    the parts that are kept; `sizes`: about how many bytes a batch has; `packed`: the parts' items, as stored.
    """

    owner: Owner
    read_at: float = 0.0
    control: Control = field(default_factory=lambda: Control(ended=False))
    stopped_at: str = ""
    parts: Mapping[PartKey, BatchResult] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    packed: bytes = b""

    def extended(
        self, items: Iterable[dict[str, Any]], control: Control, read_at: float, stopped_at: str
    ) -> "Checkpoint":
        """Return it with the parts that were read since; `items` are packed as DynamoDB has them."""
        lines = []
        parts, sizes = dict(self.parts), Counter(self.sizes)
        for item in items:
            part = result_from_item(unpack_item(item))
            if part.attempt and (part.batch, part.part) not in parts:
                line = _line(item)
                lines.append(line)
                parts[part.batch, part.part] = part
                sizes[part.batch] += len(line)
        packed = self.packed + (gzip.compress(b"\n".join([*lines, b""]), GZIP_LEVEL, mtime=0) if lines else b"")
        return Checkpoint(self.owner, read_at, _shown(control), stopped_at, parts, sizes, packed)

    def unread(self, batches: Iterable[str]) -> list[KeyRange]:
        """Return the ranges of sort keys that a poll reads: those of all batches that may still change.

        `batches`: the ids of all of the plan's. The first range is the one after that the last reading stopped.
        """
        settled, in_order = settled_batches(self.parts.values()), sorted(batches)
        left_out: set[str] = set()
        stretches = [list(ids) for done, ids in groupby(in_order, settled.__contains__) if done]
        weighed = ((sum(self.sizes[batch] for batch in ids), number) for number, ids in enumerate(stretches))
        for size, number in nlargest(RANGES - 1, weighed):
            if size > UNIT_BYTES:
                left_out.update(stretches[number])
        kept = groupby(in_order, left_out.__contains__)
        ranges = [_keys_of(list(ids)) for out, ids in kept if not out]
        return _from(self.stopped_at, ranges)

    def encoded(self) -> bytes:
        """Return the object that is stored."""
        control = {name: getattr(self.control, name) for name in _SHOWN}
        head = {
            "version": VERSION,
            "attempt": self.owner.attempt,
            "redrives": self.owner.redrives,
            "readAt": self.read_at,
            "stoppedAt": self.stopped_at,
            "control": control,
        }
        body = json.dumps(head, separators=(",", ":")).encode() + b"\n" + self.packed
        return b"%08x\n" % zlib.crc32(body) + body


def decoded(body: bytes) -> Checkpoint:
    """Return the checkpoint that `encoded` made.

    Raises:
        ValueError: it is damaged, or another version's.

    """
    crc, _, rest = body.partition(b"\n")
    if crc != b"%08x" % zlib.crc32(rest):
        raise ValueError("the checksum is not that of the content")
    line, _, packed = rest.partition(b"\n")
    head = json.loads(line)
    if head["version"] != VERSION:
        raise ValueError(f"version {head['version']} is not {VERSION}")
    parts, sizes = {}, Counter[str]()
    for line in gzip.decompress(packed).splitlines() if packed else ():
        part = result_from_item(unpack_item(_item(line)))
        parts[part.batch, part.part] = part
        sizes[part.batch] += len(line)
    owner, control = Owner(head["attempt"], head["redrives"]), Control(**head["control"])
    return Checkpoint(owner, head["readAt"], control, head["stoppedAt"], parts, sizes, packed)


def _shown(control: Control) -> Control:
    return Control(**{name: getattr(control, name) for name in _SHOWN})


def _line(item: dict[str, Any]) -> bytes:
    """Return an item as a line of JSON; only attributes of the item itself are binary."""
    typed = {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in item.items()
        if name not in _KEYS
    }
    return json.dumps(typed, ensure_ascii=False, separators=(",", ":")).encode()


def _item(line: bytes) -> dict[str, Any]:
    typed = json.loads(line)
    return {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in typed.items()}


def _keys_of(batches: Sequence[str]) -> KeyRange:
    """Return the range of the keys of parts from the first to the last batch: `$` follows `#`."""
    return batches[0], f"{batches[-1]}$"


def _from(start: str, ranges: Sequence[KeyRange]) -> list[KeyRange]:
    """Return the ranges in a circle that begins after a key."""
    after = [(max(low, f"{start} "), high) for low, high in ranges if high > start]
    before = [(low, min(high, start)) for low, high in ranges if low <= start]
    return [*after, *before] if start else list(ranges)
