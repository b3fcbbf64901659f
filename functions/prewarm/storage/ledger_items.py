"""The ledger's items: what a batch came to and the run's control item, as DynamoDB's attributes, and back. Pure.

DynamoDB's typed JSON is packed here and not by boto3: its import is most of a cold start (docs/performance.md).
Source of the types: DynamoDB API Reference, "AttributeValue".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prewarm.planning.plan import Skipped
from prewarm.results.batch_result import BatchResult

CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Control:
    """A run's control item: whether it has ended, hosts whose origin is overloaded, deadline, times redriven.

    `deadline` in epoch seconds; 0 where none is known. `ended_as`: Step Functions' word where something outside of
    the run ended it.
    """

    ended: bool
    open_hosts: frozenset[str] = frozenset()
    deadline: int = 0
    redrives: int = 0
    ended_as: str = ""

    def deadline_of(self, planned: float) -> float:
        """Return the run's deadline: that of its plan, unless a redrive gave it a fresh one."""
        return self.deadline if self.redrives else planned

    def over_for(self, redrives: int) -> bool:
        """Say whether a worker of the run, started after so many redrives, has to stop."""
        return self.ended or self.redrives > redrives


def pack(value: object) -> dict[str, Any]:
    """Return a value as DynamoDB's typed JSON: bool, int, str, frozenset of str, list, or dict with str keys.

    Raises:
        TypeError: for anything else; a float would lose digits.

    """
    packer = _PACKERS.get(type(value))
    if packer is None:
        raise TypeError(f"{type(value).__name__} is not kept in the ledger")
    return packer(value)


def pack_item(item: Mapping[str, object]) -> dict[str, Any]:
    """Return an item's attributes as DynamoDB's typed JSON."""
    return {name: pack(value) for name, value in item.items()}


def unpack(typed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the value is of any of the types above
    """Read a value of DynamoDB's typed JSON back; numbers are whole."""
    ((kind, value),) = typed.items()
    return _READERS[kind](value) if kind in _READERS else value


def unpack_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read an item's attributes back."""
    return {name: unpack(value) for name, value in item.items()}


_PACKERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    bool: lambda given: {"BOOL": given},
    int: lambda given: {"N": str(given)},
    str: lambda given: {"S": given},
    frozenset: lambda given: {"SS": sorted(given)},
    list: lambda given: {"L": [pack(entry) for entry in given]},
    dict: lambda given: {"M": pack_item(given)},
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "N": int,
    "SS": frozenset,
    "L": lambda entries: [unpack(entry) for entry in entries],
    "M": unpack_item,
}


def part_key(batch: str, part: int) -> str:
    """Return the sort key of one part of a batch."""
    return f"{batch}#{part}"


def result_as_item(result: BatchResult) -> dict[str, Any]:
    """Return a batch part's result as an item's attributes (DynamoDB map keys are strings)."""
    return {
        "batch": result.batch,
        "part": result.part,
        "group": result.group,
        "urlFrom": result.url_from,
        "urlTo": result.url_to,
        "popFrom": result.pop_from,
        "pops": result.pops,
        "finished": result.finished,
        "done": result.done,
        "outcomes": result.outcomes,
        "verified": result.verified,
        "bytes": result.bytes,
        "failed": {str(index): counts for index, counts in result.failed.items()},
        "warm": {str(index): count for index, count in result.warm.items()},
        "dark": [[entry.pop, entry.reason, entry.detail] for entry in result.dark],
        "layers": result.layers,
        "contents": result.contents,
        "mixed": {str(index): list(pops) for index, pops in result.mixed.items()},
        "perPop": result.per_pop,
        "times": {str(number): count for number, count in result.times.items()},
        "plain": result.plain,
        "gbMs": result.gb_ms,
        "redrives": result.redrives,
    }


def result_from_item(item: Mapping[str, Any]) -> BatchResult:
    """Read a batch part's result back."""
    return BatchResult(
        batch=item["batch"],
        part=item["part"],
        group=item["group"],
        url_from=item["urlFrom"],
        url_to=item["urlTo"],
        pop_from=item["popFrom"],
        pops=item["pops"],
        finished=item["finished"],
        done=item["done"],
        outcomes=item["outcomes"],
        verified=item["verified"],
        bytes=item["bytes"],
        failed={int(index): counts for index, counts in item["failed"].items()},
        warm={int(index): count for index, count in item["warm"].items()},
        dark=tuple(Skipped(*entry) for entry in item["dark"]),
        layers=item["layers"],
        contents=item["contents"],
        mixed={int(index): (pops[0], pops[1]) for index, pops in item["mixed"].items()},
        per_pop=item["perPop"],
        times={int(number): count for number, count in item["times"].items()},
        plain=item["plain"],
        gb_ms=item["gbMs"],
        redrives=item["redrives"],
    )
