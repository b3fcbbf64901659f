"""The plan of a run: its URLs grouped by distribution, their POPs, and its batches. Pure.

Every URL of a run has an index. The URLs of one distribution are contiguous, in the order of the request. URLs
without a distribution come last and are not in any batch.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from prewarm.planning.cells import Cells, pack_pairs, unpack_masks, unpack_pairs
from prewarm.planning.source_report import SourceReport, mostly_skipped
from prewarm.urls import Url, redacted

# What a run warms: POPs, or the regional edge caches behind them.
EDGE, REGIONAL = "edge", "regional"
# The region_type of a run whose targets are pairs of URL and POP.
PAIRS = "pairs"
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
    owns the URLs' domains, empty for a standard distribution; `account` is the id of the account that has the
    distribution, empty for the service's own, and in plans of earlier versions. In a run of tier REGIONAL, `pops` has
    one POP for each regional edge cache area, and `areas` for each of them the POPs that may carry the area's
    targets, itself first.
    """

    domain: str
    distribution_id: str
    url_from: int
    url_to: int
    pops: tuple[str, ...]
    first_stage: int
    skipped: tuple[Skipped, ...] = ()
    tenant: str = ""
    account: str = ""
    areas: tuple[tuple[str, ...], ...] = ()

    @property
    def urls(self) -> int:
        """Return the number of the group's URLs."""
        return self.url_to - self.url_from


@dataclass(frozen=True, slots=True)
class Batch:
    """One worker's work: pairs of the URLs of a block and a range of a group's POPs x all variants.

    Without `rows` it is a rectangle: each URL index of `url_from` to `url_to` at each of these POPs. With them,
    `rows` are its URL indices and `masks` their POPs (Cells.masks); `url_from` and `url_to` then are the ends.
    """

    id: str
    group: int
    block: int
    url_from: int
    url_to: int
    pop_from: int
    pop_to: int
    targets: int
    rows: tuple[int, ...] = ()
    masks: tuple[int, ...] = ()

    @property
    def cells(self) -> Cells:
        """Return which URLs are warmed at which POPs."""
        if self.rows:
            return Cells(self.rows, self.pop_to - self.pop_from, self.masks)
        return Cells(range(self.url_from, self.url_to), self.pop_to - self.pop_from)

    def of_block(self, block: dict[str, Any]) -> "Batch":
        """Return the batch with the pairs that its stored block has; a block without them is a rectangle's."""
        if "rows" not in block:
            return self
        return replace(self, rows=tuple(block["rows"]), masks=unpack_masks(block["masks"]))

    def as_json(self) -> list[Any]:
        """Return the batch as an entry of the plan's list of batches; its pairs are one text."""
        whole = [getattr(self, name) for name in _BOUNDS]
        return [*whole, pack_pairs(self.rows, self.masks)] if self.rows else whole

    @classmethod
    def from_json(cls, entry: Sequence[Any]) -> "Batch":
        """Read an entry of the plan's list of batches."""
        bounds, pairs = entry[: len(_BOUNDS)], entry[len(_BOUNDS) :]
        whole = cls(*bounds)
        rows, masks = unpack_pairs(*pairs) if pairs else ((), ())
        return replace(whole, rows=rows, masks=masks) if pairs else whole


# What a rectangle needs, and what the map's item of any batch has: the pairs are in its block.
_BOUNDS = tuple(each.name for each in fields(Batch))[:8]


@dataclass(frozen=True, slots=True)
class Block:
    """URL indices, stored as one object: a range that all its batches share, or the rows of one batch of pairs."""

    number: int
    group: int
    url_from: int
    url_to: int
    rows: tuple[int, ...] = ()
    masks: tuple[int, ...] = ()

    @property
    def indices(self) -> Sequence[int]:
        """Return the URL indices in order."""
        return self.rows or range(self.url_from, self.url_to)


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
    # Whether the list of batches is stored next to the plan, and whether some are batches of pairs. The list itself
    # is not in the stored plan, which every worker reads; plan_documents.with_batches adds it.
    lists_batches: bool = False
    pairs: bool = False
    batch_list: Sequence[Batch] = field(default=(), repr=False)
    tier: str = EDGE
    # What http:// URLs are fetched with in place of `variants`; empty: the same, as in plans of earlier versions.
    http_variants: tuple[str, ...] = ()
    # Whether the workers lease their fetches from one rate; in plans of earlier versions each has a fixed share.
    shared_rate: bool = False

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

    @property
    def pops_per_url(self) -> int | None:
        """Return at how many POPs each URL is to be warmed; None where URLs differ in it."""
        numbers = {len(group.pops) for group in self.groups}
        return numbers.pop() if len(numbers) == 1 and not self.pairs else None

    def as_json(self) -> dict[str, Any]:
        """Return the plan as it is stored."""
        document = asdict(replace(self, batch_list=()))
        del document["batch_list"]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Plan":
        """Read a stored plan."""
        groups = tuple(
            Group(
                **entry
                | {
                    "pops": tuple(entry["pops"]),
                    "skipped": tuple(Skipped(**skipped) for skipped in entry["skipped"]),
                    "areas": tuple(tuple(pops) for pops in entry.get("areas", ())),
                }
            )
            for entry in document["groups"]
        )
        return cls(
            **document
            | {
                "groups": groups,
                "variants": tuple(document["variants"]),
                "http_variants": tuple(document.get("http_variants", ())),
                "warnings": tuple(document["warnings"]),
                "stage_batches": tuple(document.get("stage_batches", ())),
                "sources": tuple(SourceReport.from_json(entry) for entry in document.get("sources", ())),
            }
        )


def rps_of_worker(plan: Plan) -> float | None:
    """Return one worker's even share of the run's fetches per second; None for no limit."""
    return None if plan.max_rps is None else plan.max_rps / workers_of(plan)


def workers_of(plan: Plan) -> int:
    """Return how many workers of a run there are at the same time, at most."""
    return max(1, min(plan.max_concurrency, plan.batches))


def map_item(batch: Batch, group: Group, first_url: Url) -> dict[str, Any]:
    """Return a batch as a Distributed Map item, with few POP ids and no secrets."""
    pops = [group.pops[batch.pop_from + column] for column in batch.cells.columns()]
    more = f" and {len(pops) - POPS_SHOWN} more" if len(pops) > POPS_SHOWN else ""
    bounds = {name: getattr(batch, name) for name in _BOUNDS}
    return bounds | {"pops": ", ".join(pops[:POPS_SHOWN]) + more, "first_url": redacted(first_url.given)}


def batch_from_item(item: dict[str, Any]) -> Batch:
    """Read a batch back from its map item; its block has the pairs (Batch.of_block)."""
    return Batch(**{name: item[name] for name in _BOUNDS})
