"""The stored form of a run's sums: a JSON value, and bytes that it refers to. Pure.

Texts and counts are JSON. Arrays and packed fields are bytes, named by their place: they are read without a step per
URL. The numbers of arrays have the order of bytes of Lambda's processors (little-endian).
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult, Packed
from prewarm.results.content_sums import RARE
from prewarm.results.failure_kinds import FailureKinds
from prewarm.results.failures import Example
from prewarm.results.gain import pack_gains, unpack_gains
from prewarm.results.run_sums import RunSums
from prewarm.results.short_lived import NUMBER as EXPIRY
from prewarm.results.short_lived import ExpiringCopies
from prewarm.results.stats import pack_pops, unpack_pops
from prewarm.results.url_sums import zeros
from prewarm.storage.failed_examples import PackedExamples, pack_examples

# The place of bytes: from where and how many.
Place = list[int]
COUNTERS = ("numbers", "outcomes", "layers", "finished", "started")
URL_ARRAYS, PAIR_ARRAYS = ("finished", "reported"), ("checksums", "places", "others")


class Blobs:
    """Bytes one after the other, and the place of each."""

    def __init__(self, stored: bytes = b"") -> None:
        self._stored, self._parts, self._end = stored, [stored], len(stored)

    def put(self, value: "Packed | bytearray | array[int]") -> Place:
        """Add bytes or an array; return its place, which is empty if all of it is zeros."""
        body = value.tobytes() if isinstance(value, array) else bytes(value)
        if not body.strip(b"\0"):
            return []
        self._parts.append(body)
        self._end += len(body)
        return [self._end - len(body), len(body)]

    def get(self, place: Place) -> bytes:
        """Return the bytes at a place; none for an empty one."""
        return self._stored[place[0] : place[0] + place[1]] if place else b""

    def fill(self, place: Place, zeros: "array[int] | bytearray") -> None:
        """Replace the zeros of an array of the right length by what is stored at a place.

        Raises:
            ValueError: it has another length.

        """
        if not place:
            return
        body = self.get(place)
        if len(body) != len(memoryview(zeros).cast("B")):
            raise ValueError(f"{len(body)} bytes are stored in place of {len(memoryview(zeros).cast('B'))}")
        memoryview(zeros).cast("B")[:] = body

    def joined(self) -> bytes:
        """Return all bytes."""
        return b"".join(self._parts)


def sums_as_json(sums: RunSums, blobs: Blobs) -> dict[str, Any]:
    """Return the sums as JSON; their bytes are added to `blobs`."""
    urls, contents, measured = sums.urls, sums.contents, sums.measured
    kinds = urls.kinds = urls.kinds.compact()
    # Packed once: they are stored again by each poll.
    examples = [(key, start, end, _packed(examples)) for key, start, end, examples in sums.examples]
    sums.examples = [*examples]
    document: dict[str, Any] = {name: getattr(sums, name) for name in COUNTERS}
    return document | {
        "urls": [blobs.put(getattr(urls, name)) for name in URL_ARRAYS],
        "atDark": {reason: blobs.put(counts) for reason, counts in urls.dark.items()},
        "kinds": [kinds.table, blobs.put(kinds.numbers)],
        "vary": sums.vary,
        "servers": [[*name, *counts] for name, counts in sums.servers.pops.items()],
        "separate": sorted(sums.servers.separate),
        "dark": [[*key, *astuple(entry)] for key, entry in sums.dark.values()],
        "examples": [[*key, start, end, blobs.put(each.packed)] for key, start, end, each in examples],
        "pops": pack_pops(measured.pops.values()),
        "times": list(measured.classes.items()),
        "measured": [measured.plain, measured.gb_ms, measured.parts],
        "gains": pack_gains(sums.gains),
        "within": [[index, *key, *pops] for index, (key, pops) in contents.within.items()],
        "ranges": [
            [_place_of(part), *texts] for distinct in contents.ranges.values() for texts, part in distinct.items()
        ],
        "pairs": [blobs.put(getattr(contents.pairs, name)) for name in PAIR_ARRAYS],
        "letters": blobs.put(contents.pairs.letters),
        "pairParts": [_place_of(part) for part in contents.pairs.parts],
        "more": [[*copy, *entry] for copy, entry in contents.pairs.more.items()],
        "compressed": blobs.put(contents.compressed.flags),
        "plain": [blobs.put(contents.plain.unexpected), blobs.put(contents.plain.plain)],
        "shortLived": [
            contents.short_lived.parts,
            contents.short_lived.pops,
            len(contents.short_lived),
            {name: blobs.put(each) for name, each in contents.short_lived.columns.items()},
        ],
        "rare": [[_place_of(part), *(blobs.put(getattr(part, name)) for name in RARE)] for part in contents.rare],
    }


def sums_from_json(plan: Plan, document: dict[str, Any], blobs: Blobs) -> RunSums:
    """Return the sums of a run with this plan that `sums_as_json` wrote."""
    sums = RunSums(plan)
    urls, contents, measured, pairs = sums.urls, sums.contents, sums.measured, sums.contents.pairs
    for name in COUNTERS:
        setattr(sums, name, Counter(document[name]))
    for name, place in zip(URL_ARRAYS, document["urls"], strict=True):
        blobs.fill(place, getattr(urls, name))
    for reason, place in document["atDark"].items():
        blobs.fill(place, urls.at_dark(reason))
    table, place = document["kinds"]
    urls.kinds = FailureKinds(plan.url_count, table)
    blobs.fill(place, urls.kinds.numbers)
    sums.vary = {name: (targets, first) for name, (targets, first) in document["vary"].items()}
    sums.servers.pops = {(group, name): (bits, count) for group, name, bits, count in document["servers"]}
    sums.servers.separate = set(document["separate"])
    for batch, number, *entry in document["dark"]:
        skipped = Skipped(*entry)
        sums.dark[skipped.pop, skipped.reason] = (batch, number), skipped
    sums.examples = [
        ((batch, number), start, end, PackedExamples(blobs.get(place)))
        for batch, number, start, end, place in document["examples"]
    ]
    measured.pops = dict(zip(measured.pops, unpack_pops(document["pops"]), strict=True))
    measured.classes = Counter(dict(document["times"]))
    measured.plain, measured.gb_ms, measured.parts = document["measured"]
    sums.gains = unpack_gains(document["gains"])
    contents.within = {
        index: ((batch, number), (one, other)) for index, batch, number, one, other in document["within"]
    }
    for place, text, letters in document["ranges"]:
        part = _part_at(place)
        contents.ranges.setdefault((part.url_from, part.url_to), {})[text, letters] = part
    for name, place in zip(PAIR_ARRAYS, document["pairs"], strict=True):
        blobs.fill(place, getattr(pairs, name))
    blobs.fill(document["letters"], pairs.letters)
    pairs.restore_parts([_part_at(place) for place in document["pairParts"]])
    pairs.more = {(copy, letter): (*entry,) for copy, letter, *entry in document["more"]}
    blobs.fill(document["compressed"], contents.compressed.flags)
    for place, flags in zip(document["plain"], (contents.plain.unexpected, contents.plain.plain), strict=True):
        blobs.fill(place, flags)
    parts, pops, count, places = document["shortLived"]
    contents.short_lived = ExpiringCopies([(batch, number) for batch, number in parts], pops)
    for name, place in places.items():
        contents.short_lived.columns[name] = zeros(EXPIRY, count)
        blobs.fill(place, contents.short_lived.columns[name])
    contents.rare = [
        _part_at(place, **dict(zip(RARE, map(blobs.get, packed), strict=True))) for place, *packed in document["rare"]
    ]
    return sums


def _packed(examples: Sequence[Example]) -> PackedExamples:
    return examples if isinstance(examples, PackedExamples) else PackedExamples(pack_examples(examples))


def _place_of(part: BatchResult) -> list[Any]:
    """Return what `slim` keeps of a part."""
    return [part.batch, part.part, part.group, part.url_from, part.url_to, part.pops, part.pop_from]


def _part_at(place: Sequence[Any], **fields: Any) -> BatchResult:  # noqa: ANN401 - the fields' own types
    batch, number, group, url_from, url_to, pops, pop_from = place
    return BatchResult(
        batch, number, group, url_from, url_to, pops, finished=True, done=0, outcomes={}, verified=0, bytes=0,
        pop_from=pop_from, **fields,
    )  # fmt: skip
