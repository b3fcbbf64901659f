"""The plan of a run: its URLs by distribution, their POPs, and what a batch is. Pure.

Every URL of a run has an index. The URLs of one distribution stand together, in the order of the request; those
that no distribution serves stand at the end and are in no batch.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from prewarm.urls import Url, redacted

# Longest list of POP ids that an item spells out, for people who read the trace.
POPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Skipped:
    """A POP that a run leaves out, and why: a reason in one word, and what was seen."""

    pop: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The URLs of one distribution, and the POPs through which they are warmed, first stage first.

    `url_from` and `url_to` are the range of URL indices; `first_stage` is how many of the POPs the first stage has
    (all of them in an unstaged run); `skipped` lists the POPs left out; `tenant` is the id of the distribution tenant
    whose domains these URLs have, empty for a distribution of one's own.
    """

    domain: str
    distribution_id: str
    url_from: int
    url_to: int
    pops: tuple[str, ...]
    first_stage: int
    skipped: tuple[Skipped, ...] = ()
    tenant: str = ""

    @property
    def urls(self) -> int:
        """Return how many URLs the distribution has."""
        return self.url_to - self.url_from


@dataclass(frozen=True, slots=True)
class Batch:
    """A tile of targets: a block of URLs x a range of a group's POPs x all variants; one worker's work."""

    id: str
    group: int
    block: int
    url_from: int
    url_to: int
    pop_from: int
    pop_to: int
    targets: int


@dataclass(frozen=True, slots=True)
class Block:
    """A run of URL indices that is stored as one object, and shared by the batches of all POP ranges."""

    number: int
    group: int
    url_from: int
    url_to: int


@dataclass(frozen=True)
class Plan:
    """What a run will do, small enough to be read whole: everything but URLs, addresses and batches."""

    run: str
    started_at: float
    deadline: float
    url_count: int
    region_type: str
    variants: tuple[str, ...]
    percent_needed: float
    fail_on: str
    verify: str
    max_bytes: int | None
    invalidate: bool
    groups: tuple[Group, ...]
    stages: int = 1
    targets: int = 0
    batches: int = 0
    warnings: tuple[str, ...] = field(default_factory=tuple)
    max_concurrency: int = 5
    max_rps: float | None = None
    resolve_seconds: float = 0.0
    invalidation_paths: int = 0
    invalidation_rounds: int = 0

    @property
    def placed(self) -> int:
        """Return how many URLs have a distribution; those from this index on have none."""
        return self.groups[-1].url_to if self.groups else 0

    def as_json(self) -> dict[str, Any]:
        """Return the plan as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Plan":
        """Read a stored plan."""
        groups = tuple(
            Group(
                **entry
                | {
                    "pops": tuple(entry["pops"]),
                    "skipped": tuple(Skipped(**skipped) for skipped in entry["skipped"]),
                }
            )
            for entry in document["groups"]
        )
        return cls(
            **document
            | {
                "groups": groups,
                "variants": tuple(document["variants"]),
                "warnings": tuple(document["warnings"]),
            }
        )


def rps_of_worker(plan: Plan) -> float | None:
    """Return how many fetches a second one worker may make, or None: the run's limit, shared by all at once."""
    if plan.max_rps is None:
        return None
    return plan.max_rps / max(1, min(plan.max_concurrency, plan.batches))


def map_item(batch: Batch, group: Group, first_url: Url) -> dict[str, Any]:
    """Return a batch as an item of the Distributed Map, readable in a trace: no secrets, few POP ids."""
    ids = group.pops[batch.pop_from : batch.pop_to]
    more = f" and {len(ids) - POPS_SHOWN} more" if len(ids) > POPS_SHOWN else ""
    return asdict(batch) | {"pops": ", ".join(ids[:POPS_SHOWN]) + more, "first_url": redacted(first_url.given)}


def batch_from_item(item: dict[str, Any]) -> Batch:
    """Read a batch back from its map item."""
    return Batch(**{name: item[name] for name in Batch.__slots__})


def proven_by_sample(url: int, pop: int, urls: int, pops: int) -> bool:
    """Say whether `verify: sample` proves a target: a diagonal, so that each URL and each POP has at least one.

    `url` and `pop` count from the tile's corner; `urls` and `pops` are the tile's size.
    """
    return url % pops == pop if urls >= pops else pop % urls == url
