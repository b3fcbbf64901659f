"""The ledger's items: batch results and the run's control item, to and from DynamoDB's attributes. Pure.

DynamoDB's typed JSON is packed here and not by boto3, whose import is most of a cold start (docs/performance.md).
Source of the types: DynamoDB API Reference, "AttributeValue".
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from prewarm.planning.plan import Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import without_statuses
from prewarm.storage.failed_examples import pack_examples, unpack_examples

CONTROL = "control"
# Most bytes of an item's `failed`, compressed; the rest of the largest item has half of DynamoDB's 400 KB.
MAX_FAILED_BYTES = 180_000


@dataclass(frozen=True, slots=True)
class Control:
    """A run's control item: whether it has ended, overloaded hosts, deadline and redrives.

    `deadline` in epoch seconds, 0 if unknown. `ended_as`: Step Functions' status, if the run was ended from outside.
    `dark_pops`: POPs that do not respond, each with the outcome of its targets; `separate_pops`: POPs whose
    addresses have separate caches. `invalidation`: `round` and `rounds`,
    `done` and `created` of this round, and `completedAt` (epoch seconds) after the last one.
    """

    ended: bool
    open_hosts: frozenset[str] = frozenset()
    deadline: int = 0
    redrives: int = 0
    ended_as: str = ""
    dark_pops: Mapping[str, str] = field(default_factory=dict)
    invalidation: Mapping[str, int] = field(default_factory=dict)
    separate_pops: frozenset[str] = frozenset()

    def deadline_of(self, planned: float) -> float:
        """Return the run's deadline: its plan's, or the new one after a redrive."""
        return self.deadline if self.redrives else planned

    def over_for(self, redrives: int) -> bool:
        """Return whether a worker that started after `redrives` redrives of the run has to stop."""
        return self.ended or self.redrives > redrives


def pack(value: object) -> dict[str, Any]:
    """Return a value as DynamoDB's typed JSON: bool, int, str, bytes, frozenset of str, list, dict with str keys.

    Raises:
        TypeError: for anything else; a float would lose digits.

    """
    packer = _PACKERS.get(type(value))
    if packer is None:
        raise TypeError(f"{type(value).__name__} is not a type of the ledger's attributes")
    return packer(value)


def pack_item(item: Mapping[str, object]) -> dict[str, Any]:
    """Return an item's attributes as DynamoDB's typed JSON."""
    return {name: pack(value) for name, value in item.items()}


def unpack(typed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the value is of any of the types above
    """Return a value from DynamoDB's typed JSON; numbers are integers."""
    ((kind, value),) = typed.items()
    return _READERS[kind](value) if kind in _READERS else value


def unpack_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes from DynamoDB's typed JSON."""
    return {name: unpack(value) for name, value in item.items()}


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return a packed item's size as DynamoDB counts it (Developer Guide, "DynamoDB item sizes and formats")."""
    return sum(len(name) + _value_bytes(typed) for name, typed in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    return _SIZES[kind](value)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda value: len(value.encode()),
    "B": len,
    # A byte for two digits and one for the sign and the exponent.
    "N": lambda value: len(value) // 2 + 2,
    "BOOL": lambda _: 1,
    "SS": lambda value: sum(len(entry.encode()) for entry in value),
    "L": lambda value: 3 + sum(1 + _value_bytes(entry) for entry in value),
    "M": lambda value: 3 + len(value) + item_bytes(value),
}
_PACKERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    bool: lambda value: {"BOOL": value},
    int: lambda value: {"N": str(value)},
    str: lambda value: {"S": value},
    bytes: lambda value: {"B": value},
    frozenset: lambda value: {"SS": sorted(value)},
    list: lambda value: {"L": [pack(entry) for entry in value]},
    dict: lambda value: {"M": pack_item(value)},
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "N": int,
    "SS": frozenset,
    "L": lambda entries: [unpack(entry) for entry in entries],
    "M": unpack_item,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the ledger has for one part of a batch: a result's owner and whether it is the last, or a closing item.

    `attempt` is empty in results of earlier versions and in closing items; `closed` is the number of redrives up to
    which the batch is closed, None in results.
    """

    attempt: str = ""
    finished: bool = False
    closed: int | None = None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Stored":
        """Read it from an item's attributes."""
        return cls(item.get("attempt", ""), item.get("finished", False), item.get("closed"))

    def refuses(self, redrives: int) -> bool:
        """Return whether the batch is closed to a worker that started after `redrives` redrives."""
        return self.closed is not None and self.closed >= redrives


def part_key(batch: str, part: int) -> str:
    """Return the sort key of one part of a batch."""
    return f"{batch}#{part}"


# Examples of each failed URL; those of a few failures, as earlier versions stored them, have the field's own name.
EXAMPLES = "failedExamples"
# Attributes whose stored name differs from the field's; a stored name must never change.
ALIASES = {
    "url_from": "urlFrom",
    "url_to": "urlTo",
    "pop_from": "popFrom",
    "per_pop": "perPop",
    "gb_ms": "gbMs",
    "verified_in_pop": "verifiedInPop",
    "verified_elsewhere": "verifiedElsewhere",
    "plain_copies": "plainCopies",
    "short_lived": "shortLived",
    "examples": EXAMPLES,
}
_ATTRIBUTES = {field.name: ALIASES.get(field.name, field.name) for field in fields(BatchResult)}


def result_as_item(result: BatchResult) -> dict[str, Any]:
    """Return a batch part's result as an item's attributes."""
    item = {attribute: _as_attribute(getattr(result, name)) for name, attribute in _ATTRIBUTES.items()}
    return item | {"failed": _pack_failed(result.failed), EXAMPLES: pack_examples(result.examples)}


def result_from_item(item: Mapping[str, Any]) -> BatchResult:
    """Return a batch part's result from an item's attributes; one that is missing has the field's default.

    Raises:
        TypeError: an attribute without a default is missing.

    """
    stored = {name: item[attribute] for name, attribute in _ATTRIBUTES.items() if attribute in item}
    if EXAMPLES not in item and "examples" in item:
        stored["examples"] = item["examples"]
    return BatchResult(**{name: _FROM_ATTRIBUTE.get(name, _same)(value) for name, value in stored.items()})


def _as_attribute(value: object) -> object:
    """Return a field's value with the types of attributes: maps with string keys, and lists."""
    if isinstance(value, dict):
        return {str(key): _as_attribute(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_as_attribute(entry) for entry in value]
    if isinstance(value, Skipped):
        return [value.pop, value.reason, value.detail]
    return value


def _pack_failed(failed: dict[int, dict[str, int]]) -> bytes:
    """Return the counts compressed: a map of 2,000 URLs with many kinds each would be larger than an item may be.

    Counts whose HTTP statuses are as good as random compress badly. If they do not fit, the counts are kept, and the
    statuses are unknown.
    """
    packed = _compress(failed)
    if len(packed) > MAX_FAILED_BYTES:
        packed = _compress({index: without_statuses(counts) for index, counts in failed.items()})
    return packed


def _compress(failed: dict[int, dict[str, int]]) -> bytes:
    return zlib.compress(json.dumps(failed, separators=(",", ":"), sort_keys=True).encode())


def _failed(value: bytes | dict[str, Any]) -> dict[int, Any]:
    """Read the counts; earlier versions stored them as a map by outcome."""
    return _integer_keys(json.loads(zlib.decompress(value)) if isinstance(value, bytes) else value)


def _same(value: Any) -> Any:  # noqa: ANN401 - the value is of any of the types above
    return value


def _integer_keys(value: dict[str, Any]) -> dict[int, Any]:
    return {int(key): entry for key, entry in value.items()}


# The fields whose values have other types as attributes.
_FROM_ATTRIBUTE: dict[str, Callable[[Any], Any]] = {
    "failed": _failed,
    "warm": _integer_keys,
    "times": _integer_keys,
    "mixed": lambda value: {int(index): (pops[0], pops[1]) for index, pops in value.items()},
    "vary": lambda value: {name: (counted[0], counted[1]) for name, counted in value.items()},
    "dark": lambda value: tuple(Skipped(*entry) for entry in value),
    "examples": unpack_examples,
}
