"""The plan of a run: its URLs grouped by distribution, their POPs, and its batches. Pure.

Every URL of a run has an index. The URLs of one distribution are contiguous, in the order of the request. URLs
without a distribution come last and are not in any batch.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from prewarm.planning.source_report import SourceReport, mostly_skipped
from prewarm.urls import Url, redacted

# Most POP ids that a map item lists, for readers of the trace.
POPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Skipped:
    """A POP that a run skips: its id, a one-word reason, and the observed detail."""

    pop: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The URLs of one distribution and the POPs that are warmed, first stage first.

    `url_from` and `url_to` are the range of URL indices; `first_stage` is the number of POPs in the first stage (all
    of them in an unstaged run); `skipped` lists the skipped POPs; `tenant` is the id of the distribution tenant that
    owns the URLs' domains, empty for a standard distribution.
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
        """Return the number of the group's URLs."""
        return self.url_to - self.url_from


@dataclass(frozen=True, slots=True)
class Batch:
    """One worker's work: a block of URLs x a range of a group's POPs x all variants."""

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
    """A range of URL indices, stored as one object and shared by all its batches."""

    number: int
    group: int
    url_from: int
    url_to: int


@dataclass(frozen=True)
class Plan:
    """What a run will do, without URLs, addresses and batches.

    It is small enough to be read by every poll.
    """

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
    # All rounds, and those of the documents of the sources, which were over before the plan.
    invalidation_rounds: int = 0
    document_rounds: int = 0
    sources: tuple[SourceReport, ...] = ()
    strict_sources: bool | None = None
    # Entries of the request's sources that are another spelling of a URL; URLs that are fetched in another form than
    # they were given in.
    duplicates: int = 0
    respelled: int = 0
    # Whether the service runs on the user's machine; what the run was estimated to cost before it began, without
    # transfer, since sizes are unknown then, and its fetches: 0 in plans of earlier versions.
    own_machine: bool = False
    estimated_dollars: float = 0.0
    estimated_fetches: int = 0
    # Whose blocks and addresses belong to this plan: the id of the attempt that stored it; empty in earlier versions.
    attempt: str = ""
    label: str = ""
    # The number of batches of each stage; empty in plans of earlier versions.
    stage_batches: tuple[int, ...] = ()

    @property
    def mostly_skipped(self) -> str:
        """Return which sources were mostly skipped, as the first line of every output; else an empty text."""
        return mostly_skipped(self.sources)

    @property
    def sources_fail(self) -> bool:
        """Return whether the run fails because of its sources, even if every URL is warm."""
        return bool(self.mostly_skipped) and self.strict_sources is not False

    @property
    def placed(self) -> int:
        """Return the number of URLs with a distribution; higher indices have none."""
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
                "stage_batches": tuple(document.get("stage_batches", ())),
                "sources": tuple(SourceReport.from_json(entry) for entry in document.get("sources", ())),
            }
        )


def rps_of_worker(plan: Plan) -> float | None:
    """Return one worker's share of the run's fetches per second; None for no limit.

    The limit is shared evenly by the workers that run at the same time.
    """
    if plan.max_rps is None:
        return None
    return plan.max_rps / max(1, min(plan.max_concurrency, plan.batches))


def map_item(batch: Batch, group: Group, first_url: Url) -> dict[str, Any]:
    """Return a batch as a Distributed Map item, with few POP ids and no secrets."""
    pops = group.pops[batch.pop_from : batch.pop_to]
    more = f" and {len(pops) - POPS_SHOWN} more" if len(pops) > POPS_SHOWN else ""
    return asdict(batch) | {"pops": ", ".join(pops[:POPS_SHOWN]) + more, "first_url": redacted(first_url.given)}


def batch_from_item(item: dict[str, Any]) -> Batch:
    """Read a batch back from its map item."""
    return Batch(**{name: item[name] for name in Batch.__slots__})


def proven_by_sample(url: int, pop: int, urls: int, pops: int) -> bool:
    """Return whether `verify: sample` verifies a target.

    The sample is the tile's diagonal, so each URL and each POP has at least one verified target. `url` and `pop` are
    positions within the tile; `urls` and `pops` are the tile's size.
    """
    return url % pops == pop if urls >= pops else pop % urls == url
