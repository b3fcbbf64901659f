"""Packing: put the pairs of URL and POP of a group into few batches. Pure; the time grows with pairs and clusters.

The rule: a group's POPs, ordered so that those of one area are neighbours, are cut into as few even clusters of at
most POPS_PER_BATCH as there can be. In each cluster the URLs that have a pair there, in order of index, are filled
into batches until the next URL would exceed MAX_URLS_PER_BATCH rows or the run's targets per batch. So a batch falls
short of both limits only where it is the last of its cluster, and a URL is in as many batches as it has clusters.
"""

from collections.abc import Iterator, Sequence

from prewarm.planning.batching import MAX_URLS_PER_BATCH, pops_each
from prewarm.planning.cells import union
from prewarm.planning.plan import Batch, Block, Group

# The pairs of one group: for each of its URLs, in order, the bits of the group's POPs that it is asked for at.
Masks = Sequence[int]


def pack_pairs(
    groups: Sequence[Group], masks: Sequence[Masks], variants: int, targets: int
) -> tuple[list[Block], list[list[Batch]]]:
    """Return the blocks and the batches of each stage; a stage without batches is left out.

    Args:
        groups: the plan's groups.
        masks: the pairs of each group, for one stage after the other: as many per stage as there are groups.
        variants: the number of variants.
        targets: the intended number of targets per batch.

    """
    blocks: list[Block] = []
    stages: list[list[Batch]] = []
    for first in range(0, len(masks), max(1, len(groups))):
        stage: list[Batch] = []
        for number, (group, of_group) in enumerate(zip(groups, masks[first : first + len(groups)], strict=True)):
            for start, end, rows, bits, count in _batches_of(group, of_group, variants, targets):
                url_from, url_to = rows[0], rows[-1] + 1
                block = Block(len(blocks), number, url_from, url_to, tuple(rows), tuple(bits))
                name = f"{len(stages) + 1}-{len(stage):06}"
                stage.append(
                    Batch(name, number, block.number, url_from, url_to, start, end, count, block.rows, block.masks)
                )
                blocks.append(block)
        if stage:
            stages.append(stage)
    return blocks, stages


def first_stage(masks: Masks, leading: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the pairs of a staged run's two stages.

    `leading`: for each area the bits of its POPs that can be reached. In the first stage each URL has one of its own
    pairs in each area, the one of the lowest POP.
    """
    first, second = [], []
    for mask in masks:
        chosen = 0
        for area in leading:
            own = mask & area
            chosen |= own & -own
        first.append(chosen)
        second.append(mask & ~chosen)
    return first, second


def reorder(masks: Masks, columns: Sequence[int]) -> list[int]:
    """Return masks with the bits of `columns` in that order; other bits are dropped."""
    used = union(masks)
    if list(columns) == list(range(len(columns))) and used < 1 << len(columns):
        return list(masks)
    # By the number of an old bit counted from 1, as bit_length returns it.
    old_bits = [0, *(1 << old for old in range(used.bit_length()))]
    new_bits = [0] * max(len(old_bits), max(columns, default=0) + 2)
    for new, old in enumerate(columns):
        new_bits[old + 1] = 1 << new
    result = []
    for mask in masks:
        new, left = 0, mask
        while left:
            # From the highest on, so that what is left gets smaller.
            length = left.bit_length()
            left ^= old_bits[length]
            new |= new_bits[length]
        result.append(new)
    return result


def _batches_of(
    group: Group, masks: Masks, variants: int, targets: int
) -> Iterator[tuple[int, int, list[int], list[int], int]]:
    """Yield a group's batches as range of POPs, URL indices and their masks within that range, and targets."""
    step = pops_each(max(1, len(group.pops)))
    # The same objects for all clusters: a million rows would need 28 MB for numbers of their own.
    indices = list(range(group.url_from, group.url_to))
    for start in range(0, len(group.pops), step):
        end = min(start + step, len(group.pops))
        whole = (1 << end) - (1 << start)
        rows: list[int] = []
        bits: list[int] = []
        count = 0
        for index, mask in zip(indices, masks, strict=False):
            own = mask & whole
            if not own:
                continue
            own >>= start
            more = own.bit_count() * variants
            if rows and (len(rows) >= MAX_URLS_PER_BATCH or count + more > targets):
                yield start, end, rows, bits, count
                rows, bits, count = [], [], 0
            rows.append(index)
            bits.append(own)
            count += more
        if rows:
            yield start, end, rows, bits, count
