"""Batching: divide a run into blocks of URLs x ranges of POPs of a suitable size. Pure.

packing.py does it for pairs of URL and POP.
"""

import functools
import math
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from prewarm.planning.batch_list import BatchList
from prewarm.planning.plan import Batch, Block, Group, Plan

# Batches per concurrent worker: enough for even load and visible progress, few enough that starting them is cheap.
# The arithmetic is in docs/cost.md.
BATCHES_PER_WORKER = 10
MIN_TARGETS_PER_BATCH, MAX_TARGETS_PER_BATCH = 500, 10_000
# A worker keeps one or two connections to each POP of its batch; Lambda allows 1,024 file descriptors.
POPS_PER_BATCH = 100
# The map's items are one JSON array in S3. This number keeps it far below the 8 GB that Step Functions reads, and the
# child executions of one map run below its history's limits.
MAX_BATCHES = 5_000
# A ledger item has at most 400 KB and lists failures per URL (DynamoDB Developer Guide, "Item size"). A cursor has
# three bits per target and is passed in the state's payload of at most 256 KiB.
MAX_URLS_PER_BATCH, MAX_TARGETS_PER_CURSOR = 2_000, 200_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tiling:
    """The number of URLs and of POPs in one batch."""

    urls: int
    pops: int


def targets_per_batch(targets: int, workers: int) -> int:
    """Return the suitable batch size for a run of `targets` and `workers` at once."""
    share = math.ceil(targets / (workers * BATCHES_PER_WORKER))
    return min(MAX_TARGETS_PER_BATCH, max(MIN_TARGETS_PER_BATCH, share))


def tiling(urls: int, pops: int, variants: int, targets: int) -> Tiling:
    """Divide `urls` x `pops` x `variants` targets into batches of about `targets`.

    All arguments are at least 1. Batches grow beyond `targets` so that there are at most MAX_BATCHES, but never so
    large that the ledger item or the cursor would exceed its limit.
    """
    each = pops_each(pops)
    fewest = math.ceil(urls / max(1, MAX_BATCHES // math.ceil(pops / POPS_PER_BATCH)))
    most = min(MAX_URLS_PER_BATCH, max(1, MAX_TARGETS_PER_CURSOR // (each * variants)))
    return Tiling(min(urls, most, max(1, targets // (each * variants), fewest)), each)


def pops_each(pops: int) -> int:
    """Return the POPs per batch: evenly distributed over as few batches as possible."""
    return math.ceil(pops / math.ceil(pops / POPS_PER_BATCH))


def batch_size(groups: tuple[Group, ...], variants: int, workers: int) -> int:
    """Return the number of targets that each of the run's batches should have."""
    return targets_per_batch(sum(group.urls * len(group.pops) for group in groups) * variants, workers)


def url_blocks(groups: tuple[Group, ...], variants: int, targets: int) -> list[Block]:
    """Divide each group's URLs into blocks, sorted by URL index.

    `targets`: the intended number of targets per batch.
    """
    blocks: list[Block] = []
    for index, group in enumerate(groups):
        step = tiling(group.urls, len(group.pops), variants, targets).urls
        for start in range(group.url_from, group.url_to, step):
            blocks.append(Block(len(blocks), index, start, min(start + step, group.url_to)))
    return blocks


def stage_batches(groups: tuple[Group, ...], blocks: list[Block], variants: int, stage: int) -> Iterator[Batch]:
    """Yield one stage's batches, block by block, so that URLs finish early one by one.

    Stage 1 contains each group's first-stage POPs, stage 2 the others.
    """
    number = 0
    for block in blocks:
        group = groups[block.group]
        first, last = (0, group.first_stage) if stage == 1 else (group.first_stage, len(group.pops))
        step = pops_each(max(1, last - first))
        for start in range(first, last, step):
            end = min(start + step, last)
            targets = (block.url_to - block.url_from) * (end - start) * variants
            yield Batch(
                f"{stage}-{number:06}", block.group, block.number, block.url_from, block.url_to, start, end, targets
            )
            number += 1


def all_batches(plan: Plan) -> Sequence[Batch]:
    """Return all batches of a plan, stage by stage: those that it lists, or those of a plan that lists none.

    Raises:
        ValueError: the plan's list has not been read, and it cannot be computed since it has pairs.

    """
    if plan.batch_list:
        return plan.batch_list
    if plan.pairs and plan.batches:
        raise ValueError(f"the batches of run {plan.run} have not been read")
    return tuple(tiled(plan))


def batch_ids(plan: Plan) -> list[str]:
    """Return the ids of all batches of a plan, in the order of `all_batches`."""
    batches = all_batches(plan)
    return batches.ids if isinstance(batches, BatchList) else [batch.id for batch in batches]


def once_per_plan(compute: Callable[[Plan], T]) -> Callable[[Plan], T]:
    """Return a function that computes its result once for each plan, and keeps it as long as there is the plan.

    Plans are distinguished by identity: to compare or hash one takes as long as its list of batches is.
    """
    known: dict[int, T] = {}

    @functools.wraps(compute)
    def computed_once(plan: Plan) -> T:
        key = id(plan)
        if key not in known:
            known[key] = compute(plan)
            weakref.finalize(plan, known.pop, key)
        return known[key]

    return computed_once


@once_per_plan
def batch_places(plan: Plan) -> Mapping[str, int]:
    """Return the place of each batch in the plan's list, by id."""
    return {name: place for place, name in enumerate(batch_ids(plan))}


@once_per_plan
def expected_pairs(plan: Plan) -> Sequence[int]:
    """Return by URL index the number of pairs that the plan's batches have; 0 beyond `plan.placed`."""
    if isinstance(plan.batch_list, BatchList) and plan.batch_list.of_urls is not None:
        return plan.batch_list.of_urls
    differences = [0] * (plan.url_count + 1)
    for batch in all_batches(plan):
        for start, end, pairs in batch.cells.by_url():
            differences[start] += pairs
            differences[end] -= pairs
    return list(accumulate(differences[: plan.url_count]))


@once_per_plan
def pairs_by_pop(plan: Plan) -> Mapping[tuple[int, str], int]:
    """Return by group's number and POP's id how many of the group's URLs the plan's batches have there."""
    if isinstance(plan.batch_list, BatchList) and plan.batch_list.of_pops is not None:
        return plan.batch_list.of_pops
    rectangles: Counter[tuple[int, int, int]] = Counter()
    pairs: Counter[tuple[int, str]] = Counter()
    for batch in all_batches(plan):
        if batch.rows:
            names = plan.groups[batch.group].pops[batch.pop_from : batch.pop_to]
            for name, count in zip(names, batch.cells.by_column(), strict=True):
                pairs[batch.group, name] += count
        else:
            # Thousands of rectangles have the same few ranges of POPs.
            rectangles[batch.group, batch.pop_from, batch.pop_to] += batch.url_to - batch.url_from
    for (group, start, end), urls in rectangles.items():
        for name in plan.groups[group].pops[start:end]:
            pairs[group, name] += urls
    return +pairs


def tiled(plan: Plan) -> Iterator[Batch]:
    """Yield the batches of rectangles into which a plan's groups are divided, stage by stage."""
    variants = len(plan.variants)
    blocks = url_blocks(plan.groups, variants, batch_size(plan.groups, variants, plan.max_concurrency))
    for stage in (1, 2):
        yield from stage_batches(plan.groups, blocks, variants, stage)
