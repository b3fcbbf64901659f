"""Failures as a batch's result counts them: by outcome and HTTP status, with a few examples of each. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

# Examples per batch, and per outcome and status. The ledger's item has at most 400 KB.
MAX_EXAMPLES, MAX_EXAMPLES_PER_KIND = 50, 10
# Characters kept of a header in an example: x-amz-cf-id has 56, and an edge can be anything that answers.
HEADER_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Example:
    """One failed target: its URL's index, its POP, and what the edge answered (status 0: nothing)."""

    url: int
    pop: str
    outcome: str
    status: int
    x_cache: str = ""
    cf_id: str = ""

    @property
    def kind(self) -> str:
        """Return the key under which failures like this one are counted."""
        return failure_kind(self.outcome, self.status)


@dataclass
class Examples:
    """Collects examples of one batch's failures, at most MAX_EXAMPLES_PER_KIND of each kind."""

    _by_kind: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Keep a failure as an example, unless there are enough of its kind."""
        kept = self._by_kind.setdefault(example.kind, [])
        if len(kept) < MAX_EXAMPLES_PER_KIND:
            kept.append(example)

    def chosen(self, left_out: Iterable[str] = ()) -> tuple[Example, ...]:
        """Return at most MAX_EXAMPLES, first one of each kind; without those of the POPs `left_out`."""
        pops = frozenset(left_out)
        kinds = ([each for each in kept if each.pop not in pops] for kept in self._by_kind.values())
        in_turn = (each for turn in zip_longest(*kinds) for each in turn if each is not None)
        return tuple(each for each, _ in zip(in_turn, range(MAX_EXAMPLES), strict=False))


def failure_kind(outcome: str, status: int) -> str:
    """Return the key of a failure's count: `client_error:404`, or `timeout` without an HTTP status."""
    return f"{outcome}:{status}" if status else outcome


def by_outcome(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by kind as counts by outcome; those of earlier versions have no status in their keys."""
    sums: Counter[str] = Counter()
    for kind, count in counts.items():
        sums[kind.partition(":")[0]] += count
    return dict(sums)
