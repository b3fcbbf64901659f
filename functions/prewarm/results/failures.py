"""Failures as a batch's result counts them: by outcome, HTTP status and cause, with an example of each URL. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

# Characters kept of a header in an example: x-amz-cf-id has 56, and an edge can be anything that answers.
HEADER_CHARACTERS = 100
# The status of failures whose statuses did not fit into the ledger's item, and the request id of an example whose
# did not: both are in the run's records.
UNKNOWN_STATUS, ID_IN_RECORDS = "?", "?"


class Kind(NamedTuple):
    """What distinguishes failures: outcome, HTTP status ("" without a response, UNKNOWN_STATUS), cause of a 5xx."""

    outcome: str
    status: str = ""
    cause: str = ""

    @classmethod
    def of(cls, key: str) -> "Kind":
        """Read a kind from the key of its count, such as `server_error:502:unreachable`."""
        outcome, _, rest = key.partition(":")
        status, _, cause = rest.partition(":")
        return cls(outcome, status, cause)

    @property
    def key(self) -> str:
        """Return the key under which failures of this kind are counted."""
        return ":".join(self).rstrip(":")


@dataclass(frozen=True, slots=True)
class Example:
    """One failed target: its URL's index, its POP, and what the edge answered (status 0: nothing)."""

    url: int
    pop: str
    outcome: str
    status: int
    x_cache: str = ""
    cf_id: str = ""
    cause: str = ""

    @property
    def kind(self) -> str:
        """Return the key under which failures like this one are counted."""
        return failure_kind(self.outcome, self.status, self.cause)


@dataclass
class Examples:
    """Collects the first failure of each URL and kind of one batch."""

    _first: dict[tuple[int, str], Example] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Keep a failure as an example, unless there is one of its URL and kind."""
        self._first.setdefault((example.url, example.kind), example)

    def chosen(self, counted: Iterable[tuple[int, str, str]]) -> tuple[Example, ...]:
        """Return one example for each URL: of its most frequent kind.

        `counted` has URL index, kind and POP of each failure that counts, so none at a dark POP. If the first failure
        of a kind was at a dark POP, another one replaces it, without its headers.
        """
        counts: dict[int, Counter[str]] = {}
        pops: dict[tuple[int, str], str] = {}
        for url, kind, pop in counted:
            counts.setdefault(url, Counter())[kind] += 1
            pops.setdefault((url, kind), pop)
        chosen = []
        for url in sorted(counts):
            key = (url, counts[url].most_common(1)[0][0])
            first = self._first[key]
            chosen.append(first if first.pop == pops[key] else replace(first, pop=pops[key], x_cache="", cf_id=""))
        return tuple(chosen)


def failure_kind(outcome: str, status: int, cause: str = "") -> str:
    """Return the key of a failure's count: `client_error:404`, `server_error:502:origin`; `timeout` has no status."""
    return Kind(outcome, str(status) if status else "", cause if status else "").key


def by_outcome(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by kind as counts by outcome; those of earlier versions have no status in their keys."""
    sums: dict[str, int] = {}
    for kind, count in counts.items():
        outcome = kind.partition(":")[0]
        sums[outcome] = sums.get(outcome, 0) + count
    return sums


def without_statuses(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by kind whose statuses are unknown, for an item that has no room for them."""
    sums: Counter[str] = Counter()
    for key, count in counts.items():
        kind = Kind.of(key)
        sums[Kind(kind.outcome, UNKNOWN_STATUS if kind.status else "").key] += count
    return dict(sums)


def by_status(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by kind as counts by HTTP status: `none` without a response, `unknown` where none was kept."""
    sums: Counter[str] = Counter()
    for key, count in counts.items():
        status = Kind.of(key).status
        sums["unknown" if status == UNKNOWN_STATUS else status or "none"] += count
    return dict(sorted(sums.items()))
