"""The checkpoint of a running run: what was read of its ledger, so that no poll reads it again. Pure.

It has only parts that name their attempt, which are never replaced (docs/decisions/0017). Those of a settled batch,
whose current parts can never be others, are added to the run's sums; the parts of other batches are kept as they are.
So its sums and the parts in the key ranges that it leaves are the same as all of the ledger's. It belongs to one plan
and one redrive of a run; that of another one is not used.

Its object is a line with a CRC of all that follows, a line of JSON, and bytes that the JSON refers to (sums_form).
"""

import base64
import functools
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import groupby
from typing import Any

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult, PartKey
from prewarm.results.chain import current_parts, settled_batches
from prewarm.results.run_sums import RunSums
from prewarm.storage.ledger_items import Control, item_bytes, result_from_item, unpack_item
from prewarm.storage.ledger_ranges import KeyRange
from prewarm.storage.sums_form import Blobs, sums_as_json, sums_from_json

VERSION = 2
# Ranges that a poll reads at most, each of them a query; where there are more, what lies between some is read again.
RANGES = 8
# A query costs as much as reading these bytes (a read unit), so that fewer are read rather than left out.
UNIT_BYTES = 4_096
# The fastest level: each poll compresses the items of batches that are not settled.
ZLIB_LEVEL = 1
# What a status shows of the control item, and what an item has besides its result.
_SHOWN = ("ended", "deadline", "redrives", "invalidation")
_KEYS = frozenset({"run", "sk", "ttl"})


@dataclass(frozen=True, slots=True)
class Owner:
    """Which plan and which redrive of a run a checkpoint belongs to."""

    attempt: str
    redrives: int


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part of a batch that is not settled, its item as DynamoDB has it, and about how many bytes that has."""

    result: BatchResult
    item: Mapping[str, Any]
    size: int

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "OpenPart":
        """Return the part of an item."""
        own = {name: value for name, value in item.items() if name not in _KEYS}
        return cls(result_from_item(unpack_item(own)), own, item_bytes(own))

    def packed(self) -> bytes:
        """Return the item as compressed JSON; only attributes of the item itself are binary."""
        typed = {
            name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
            for name, value in self.item.items()
        }
        return zlib.compress(json.dumps(typed, ensure_ascii=False, separators=(",", ":")).encode(), ZLIB_LEVEL)


@dataclass(frozen=True)
class Checkpoint:
    """What has been read of a run's ledger.

    `read_at`: when it was last read, in epoch seconds; `control`: the control item at that time, without what only
    workers need; `stopped_at`: the sort key after which that reading stopped, empty if it read everything; `sums`:
    those of the settled batches, None in one that belongs to another plan; `settled`: about how many bytes each of
    them has; `parts`: the parts of other batches.
    """

    owner: Owner
    read_at: float = 0.0
    control: Control = field(default_factory=lambda: Control(ended=False))
    stopped_at: str = ""
    sums: RunSums | None = None
    settled: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[PartKey, OpenPart] = field(default_factory=dict)

    @classmethod
    def empty(cls, owner: Owner, plan: Plan) -> "Checkpoint":
        """Return the checkpoint of a run of which nothing was read."""
        return cls(owner, sums=RunSums(plan))

    def extended(
        self, items: Iterable[dict[str, Any]], control: Control, read_at: float, stopped_at: str
    ) -> "Checkpoint":
        """Return it with the parts that were read since; `items` are packed as DynamoDB has them."""
        parts, settled, sums = dict(self.parts), dict(self.settled), self._sums()
        for item in items:
            if item["batch"]["S"] in settled:
                continue
            part = OpenPart.of(item)
            key = part.result.batch, part.result.part
            if part.result.attempt and key not in parts:
                parts[key] = part
        if newly := settled_batches(part.result for part in parts.values()):
            sums = sums.copy()
            taken = [parts.pop(key) for key in [key for key in parts if key[0] in newly]]
            for each in taken:
                settled[each.result.batch] = settled.get(each.result.batch, 0) + each.size
            for _, chain in groupby(current_parts(each.result for each in taken), lambda part: part.batch):
                sums.add_batch(chain)
        return Checkpoint(self.owner, read_at, _shown(control), stopped_at, sums, settled, parts)

    @functools.cached_property
    def whole(self) -> RunSums:
        """Return the sums of all parts that were read."""
        return self.all_sums()

    def all_sums(self, unowned: Iterable[BatchResult] = ()) -> RunSums:
        """Return the sums of all parts that were read, and of parts that name no attempt."""
        sums = self._sums()
        open_parts = [*(part.result for part in self.parts.values()), *unowned]
        current = current_parts(part for part in open_parts if part.batch not in self.settled)
        if current:
            sums = sums.copy()
        for _, chain in groupby(current, lambda part: part.batch):
            sums.add_batch(chain)
        return sums

    def _sums(self) -> RunSums:
        if self.sums is None:
            raise ValueError(f"the checkpoint belongs to another plan than {self.owner.attempt}")
        return self.sums

    def unread(self, batches: Iterable[str]) -> list[KeyRange]:
        """Return the ranges of sort keys that a poll reads: those of all batches that may still change.

        `batches`: the ids of all of the plan's. The first range is the one after that the last reading stopped.
        """
        settled, in_order = self.settled, sorted(batches)
        left_out: set[str] = set()
        stretches = [list(ids) for done, ids in groupby(in_order, settled.__contains__) if done]
        weighed = ((sum(settled[batch] for batch in ids), number) for number, ids in enumerate(stretches))
        for size, number in nlargest(RANGES - 1, weighed):
            if size > UNIT_BYTES:
                left_out.update(stretches[number])
        kept = groupby(in_order, left_out.__contains__)
        ranges = [_keys_of(list(ids)) for out, ids in kept if not out]
        return _from(self.stopped_at, ranges)

    def encoded(self) -> bytes:
        """Return the object that is stored."""
        blobs = Blobs()
        head = {
            "version": VERSION,
            "attempt": self.owner.attempt,
            "redrives": self.owner.redrives,
            "readAt": self.read_at,
            "stoppedAt": self.stopped_at,
            "control": {name: getattr(self.control, name) for name in _SHOWN},
            "settled": self.settled,
            "parts": [blobs.put(part.packed()) for part in self.parts.values()],
            "sums": sums_as_json(self._sums(), blobs),
        }
        body = json.dumps(head, separators=(",", ":")).encode() + b"\n" + blobs.joined()
        return b"%08x\n" % zlib.crc32(body) + body


def decoded(body: bytes, plan: Plan) -> Checkpoint:
    """Return the checkpoint that `encoded` made; one of another plan than `plan` has only its owner.

    Raises:
        ValueError: it is damaged, or another version's.

    """
    crc, _, rest = body.partition(b"\n")
    if crc != b"%08x" % zlib.crc32(rest):
        raise ValueError("the checksum is not that of the content")
    line, _, stored = rest.partition(b"\n")
    head = json.loads(line)
    if head["version"] != VERSION:
        raise ValueError(f"version {head['version']} is not {VERSION}")
    owner = Owner(head["attempt"], head["redrives"])
    if owner.attempt != plan.attempt:
        return Checkpoint(owner)
    blobs = Blobs(stored)
    parts = {}
    for place in head["parts"]:
        part = OpenPart.of(_item(blobs.get(place)))
        parts[part.result.batch, part.result.part] = part
    sums, control = sums_from_json(plan, head["sums"], blobs), Control(**head["control"])
    return Checkpoint(owner, head["readAt"], control, head["stoppedAt"], sums, head["settled"], parts)


def _shown(control: Control) -> Control:
    return Control(**{name: getattr(control, name) for name in _SHOWN})


def _item(packed: bytes) -> dict[str, Any]:
    typed = json.loads(zlib.decompress(packed))
    return {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in typed.items()}


def _keys_of(batches: Sequence[str]) -> KeyRange:
    """Return the range of the keys of parts from the first to the last batch: `$` follows `#`."""
    return batches[0], f"{batches[-1]}$"


def _from(start: str, ranges: Sequence[KeyRange]) -> list[KeyRange]:
    """Return the ranges in a circle that begins after a key."""
    after = [(max(low, f"{start} "), high) for low, high in ranges if high > start]
    before = [(low, min(high, start)) for low, high in ranges if low <= start]
    return [*after, *before] if start else list(ranges)
