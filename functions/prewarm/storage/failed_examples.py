"""The examples of a batch's failures as an attribute of its item: compressed, within its share. Pure."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import overload

from prewarm.results.failures import ID_IN_RECORDS, Example

# Most bytes of an item's `examples`. Request ids are as good as random: the largest batch has up to 2,000 failed URLs
# whose ids alone would take 90,000 bytes; about 1,100 of them fit.
MAX_EXAMPLE_BYTES = 60_000


class PackedExamples(Sequence[Example]):
    """Examples that are unpacked when they are needed; `packed`: what `pack_examples` returned."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed
        self._examples: tuple[Example, ...] | None = None

    def __len__(self) -> int:
        return len(self._unpacked())

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        return self._unpacked()[place]

    def _unpacked(self) -> tuple[Example, ...]:
        if self._examples is None:
            self._examples = unpack_examples(self.packed)
        return self._examples


def pack_examples(examples: Sequence[Example]) -> bytes:
    """Return examples compressed, in columns; where they do not fit, the last ones are without their headers.

    ID_IN_RECORDS stands for their request ids.
    """
    kept = len(examples)
    while True:
        packed = _compress([*examples[:kept], *(_without_id(each) for each in examples[kept:])])
        if len(packed) <= MAX_EXAMPLE_BYTES or not kept:
            return packed
        kept = min(kept - 1, kept * MAX_EXAMPLE_BYTES // len(packed))


def unpack_examples(value: bytes | list[list[str | int]]) -> tuple[Example, ...]:
    """Return the examples of an item; earlier versions stored a list of lists, without causes."""
    rows = zip(*json.loads(zlib.decompress(value)), strict=True) if isinstance(value, bytes) else value
    return tuple(Example(*row) for row in rows)


def _compress(examples: Sequence[Example]) -> bytes:
    columns = list(zip(*(astuple(each) for each in examples), strict=True))
    return zlib.compress(json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode())


def _without_id(example: Example) -> Example:
    return replace(example, x_cache="", cf_id=ID_IN_RECORDS if example.cf_id else "")
