"""The plan of a run: URL blocks, POPs with addresses, and stages of batches. Pure: tiling and its arithmetic.

Every URL of a run has an index. The URLs of one distribution stand together, in the order of the request; those
that no distribution serves stand at the end and are in no batch.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from prewarm.urls import Url, redacted

# A batch of 1,000 small targets is a second or so of work for one worker. Smaller ones cost more state transitions
# and Lambda starts per target; larger ones show progress later and lose more when a worker dies.
TARGETS_PER_BATCH = 1_000
# A worker keeps a connection or two to each POP of its batch, and its descriptors are bounded (1,024 in Lambda).
POPS_PER_BATCH = 100
# So that a small run's URLs finish one after the other and several workers share it, yet no batch is so small that
# starting it costs more than its work.
URL_BLOCKS_WANTED = 8
TARGETS_PER_BATCH_AT_LEAST = 200
# The map's items are one JSON array in S3; this many keep it far below the 8 GB that Step Functions reads, and the
# executions of one map run below its history's limits.
BATCHES_WANTED_AT_MOST = 5_000
# Longest list of POP ids that an item spells out, for people who read the trace.
POPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Tiling:
    """How many URLs and how many POPs make one batch."""

    urls: int
    pops: int


def tiling(urls: int, pops: int, variants: int) -> Tiling:
    """Choose the size of a batch for a block of `urls` x `pops` x `variants` targets, each at least 1.

    Small runs get small batches, so that URLs finish one by one and workers share the load; big ones get batches
    that grow until the block has no more than BATCHES_WANTED_AT_MOST of them.
    """
    pop_blocks = math.ceil(pops / POPS_PER_BATCH)
    pops_each = math.ceil(pops / pop_blocks)
    fewest = math.ceil(urls / max(1, BATCHES_WANTED_AT_MOST // pop_blocks))
    urls_each = max(1, TARGETS_PER_BATCH // (pops_each * variants), fewest)
    small = max(math.ceil(urls / URL_BLOCKS_WANTED), math.ceil(TARGETS_PER_BATCH_AT_LEAST / (pops_each * variants)))
    return Tiling(min(urls, urls_each, small), pops_each)


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


def url_blocks(groups: tuple[Group, ...], variants: int) -> list[Block]:
    """Cut each group's URLs into blocks, in order of URL index."""
    blocks: list[Block] = []
    for index, group in enumerate(groups):
        step = tiling(group.urls, len(group.pops), variants).urls
        for start in range(group.url_from, group.url_to, step):
            blocks.append(Block(len(blocks), index, start, min(start + step, group.url_to)))
    return blocks


def stage_batches(groups: tuple[Group, ...], blocks: list[Block], variants: int, stage: int) -> Iterator[Batch]:
    """Yield one stage's batches: URL block by URL block, so that URLs finish one after the other.

    Stage 1 has each group's first-stage POPs, stage 2 the others.
    """
    number = 0
    for block in blocks:
        group = groups[block.group]
        first, last = (0, group.first_stage) if stage == 1 else (group.first_stage, len(group.pops))
        step = tiling(group.urls, max(1, last - first), variants).pops
        for start in range(first, last, step):
            end = min(start + step, last)
            targets = (block.url_to - block.url_from) * (end - start) * variants
            yield Batch(
                f"{stage}-{number:06}", block.group, block.number, block.url_from, block.url_to, start, end, targets
            )
            number += 1


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
