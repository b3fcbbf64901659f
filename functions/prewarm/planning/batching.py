"""How a run is cut into batches: blocks of URLs x ranges of POPs, and the arithmetic of their size. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from prewarm.planning.plan import Batch, Block, Group, Plan

# How many batches each of the workers that run at once should get: so many that the last ones end together and
# progress is seen, so few that starting them costs little. The arithmetic is in docs/cost.md.
BATCHES_PER_WORKER = 10
TARGETS_PER_BATCH_AT_LEAST, TARGETS_PER_BATCH_AT_MOST = 500, 10_000
# A worker keeps a connection or two to each POP of its batch, and its descriptors are bounded (1,024 in Lambda).
POPS_PER_BATCH = 100
# The map's items are one JSON array in S3; this many keep it far below the 8 GB that Step Functions reads, and the
# executions of one map run below its history's limits.
BATCHES_WANTED_AT_MOST = 5_000
# A ledger item has room for 400 KB and says per URL what failed (DynamoDB Developer Guide, "Item size"), and a cursor
# goes through states, whose payloads end at 256 KiB and hold three bits per target.
URLS_PER_BATCH_AT_MOST, TARGETS_PER_CURSOR = 2_000, 200_000


@dataclass(frozen=True, slots=True)
class Tiling:
    """How many URLs and how many POPs make one batch."""

    urls: int
    pops: int


def targets_per_batch(targets: int, workers: int) -> int:
    """Choose how many targets a batch should have in a run of so many, warmed by so many workers at once."""
    share = math.ceil(targets / (workers * BATCHES_PER_WORKER))
    return min(TARGETS_PER_BATCH_AT_MOST, max(TARGETS_PER_BATCH_AT_LEAST, share))


def tiling(urls: int, pops: int, variants: int, wanted: int) -> Tiling:
    """Cut a block of `urls` x `pops` x `variants` targets, each at least 1, into batches of about `wanted` targets.

    Batches grow beyond that until the block has no more than BATCHES_WANTED_AT_MOST of them, and never so large that
    their ledger item or their cursor would not fit.
    """
    pops_each = _pops_each(pops)
    fewest = math.ceil(urls / max(1, BATCHES_WANTED_AT_MOST // math.ceil(pops / POPS_PER_BATCH)))
    most = min(URLS_PER_BATCH_AT_MOST, max(1, TARGETS_PER_CURSOR // (pops_each * variants)))
    return Tiling(min(urls, most, max(1, wanted // (pops_each * variants), fewest)), pops_each)


def _pops_each(pops: int) -> int:
    """Share POPs out evenly over as few batches as will do."""
    return math.ceil(pops / math.ceil(pops / POPS_PER_BATCH))


def wanted_of(groups: tuple[Group, ...], variants: int, workers: int) -> int:
    """Return how many targets each of the run's batches should have."""
    return targets_per_batch(sum(group.urls * len(group.pops) for group in groups) * variants, workers)


def url_blocks(groups: tuple[Group, ...], variants: int, wanted: int) -> list[Block]:
    """Cut each group's URLs into blocks, in order of URL index."""
    blocks: list[Block] = []
    for index, group in enumerate(groups):
        step = tiling(group.urls, len(group.pops), variants, wanted).urls
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
        step = _pops_each(max(1, last - first))
        for start in range(first, last, step):
            end = min(start + step, last)
            targets = (block.url_to - block.url_from) * (end - start) * variants
            yield Batch(
                f"{stage}-{number:06}", block.group, block.number, block.url_from, block.url_to, start, end, targets
            )
            number += 1


def all_batches(plan: Plan) -> Iterator[Batch]:
    """Yield all batches of a drawn plan, stage by stage."""
    variants = len(plan.variants)
    blocks = url_blocks(plan.groups, variants, wanted_of(plan.groups, variants, plan.max_concurrency))
    for stage in (1, 2):
        yield from stage_batches(plan.groups, blocks, variants, stage)
