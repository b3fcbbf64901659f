"""Packing pairs into batches: each pair once, within the bounds, in about as few batches as the pairs allow."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.batching import MAX_URLS_PER_BATCH, POPS_PER_BATCH, all_batches, expected_pairs, pairs_by_pop
from prewarm.planning.cells import Cells, pack_masks, unpack_masks
from prewarm.planning.packing import first_stage, pack_pairs, reorder
from prewarm.planning.plan import Batch, Block, Group
from tests.support.builders import plan

Pairs = tuple[tuple[Group, ...], list[list[int]]]


def drawn(shape: list[tuple[int, int, float]], seed: int) -> Pairs:
    """Return groups with random pairs: URLs, POPs, and the share of the rectangle that is asked for."""
    rng = random.Random(seed)
    groups: list[Group] = []
    masks = []
    for urls, pops, share in shape:
        start = groups[-1].url_to if groups else 0
        names = tuple(f"P{number}" for number in range(pops))
        groups.append(Group("d.cloudfront.net", "E1", start, start + urls, names, pops))
        masks.append([sum(1 << pop for pop in range(pops) if rng.random() < share) for _ in range(urls)])
    return tuple(groups), masks


sparse = st.builds(
    drawn,
    st.lists(
        st.tuples(st.integers(1, 120), st.integers(1, 250), st.sampled_from([0.0, 0.01, 0.1, 1.0])),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 2**32),
)


def pairs_of(groups: tuple[Group, ...], batches: list[Batch]) -> Counter[tuple[int, str]]:
    return Counter(
        (index, groups[batch.group].pops[batch.pop_from + column])
        for batch in batches
        for row, index in enumerate(batch.cells.rows)
        for column in range(batch.cells.pops)
        if batch.cells.has(row, column)
    )


@given(sparse, st.integers(1, 3), st.sampled_from([500, 2_000, 10_000]))
@bounded(max_examples=40, deadline=None)
def test_each_pair_is_in_one_batch_within_the_bounds(pairs: Pairs, variants: int, size: int) -> None:
    groups, masks = pairs
    blocks, stages = pack_pairs(groups, masks, variants, size)
    batches = [batch for stage in stages for batch in stage]
    expected = Counter(
        (group.url_from + row, group.pops[column])
        for group, of_group in zip(groups, masks, strict=True)
        for row, mask in enumerate(of_group)
        for column in range(len(group.pops))
        if mask >> column & 1
    )
    assert pairs_of(groups, batches) == expected
    assert len({batch.id for batch in batches}) == len(batches) == len(blocks)
    lowest = 0
    for batch in batches:
        cells, block = batch.cells, blocks[batch.block]
        assert (block.rows, block.masks, block.group) == (batch.rows, batch.masks, batch.group)
        assert block.indices == cells.rows == tuple(sorted(set(cells.rows)))
        assert 0 < len(cells.rows) <= MAX_URLS_PER_BATCH
        assert 0 < cells.pops <= POPS_PER_BATCH
        assert batch.targets == cells.pairs * variants
        assert batch.targets <= size or len(cells.rows) == 1
        assert all(mask.bit_length() <= cells.pops and mask for mask in cells.masks or ())
        assert Batch.from_json(batch.as_json()) == batch
    # Only the last batch of a cluster of POPs falls short of a limit by more than one URL.
    for number, group in enumerate(groups):
        widths = {(batch.pop_from, batch.pop_to) for batch in batches if batch.group == number}
        for start, end in widths:
            own = [batch for batch in batches if (batch.group, batch.pop_from, batch.pop_to) == (number, start, end)]
            targets = sum(batch.targets for batch in own)
            lowest += max(1, -(-targets // size), -(-sum(len(each.rows) for each in own) // MAX_URLS_PER_BATCH))
            widest = (end - start) * variants
            rows = sum(len(batch.rows) for batch in own)
            assert len(own) <= 1 + targets / (size - widest + 1) + rows / MAX_URLS_PER_BATCH or widest > size
        assert len(widths) <= -(-len(group.pops) // POPS_PER_BATCH)
    assert len(batches) >= lowest


@given(sparse, st.integers(1, 3))
@bounded(max_examples=30, deadline=None)
def test_expected_targets_follow_from_the_list_of_batches(pairs: Pairs, variants: int) -> None:
    groups, masks = pairs
    _, stages = pack_pairs(groups, masks, variants, 500)
    batches = tuple(batch for stage in stages for batch in stage)
    whole = plan(groups=groups, url_count=groups[-1].url_to + 2, batch_list=batches, pairs=True, batches=len(batches))
    if not batches:
        return
    assert expected_pairs(whole) == [mask.bit_count() for of_group in masks for mask in of_group] + [0, 0]
    counted = Counter(
        (number, group.pops[column])
        for number, (group, of_group) in enumerate(zip(groups, masks, strict=True))
        for mask in of_group
        for column in range(len(group.pops))
        if mask >> column & 1
    )
    assert pairs_by_pop(whole) == counted


def test_batches_of_pairs_that_were_not_read_are_an_error() -> None:
    with pytest.raises(ValueError, match="have not been read"):
        all_batches(plan(pairs=True))


masks_of_batch = st.integers(1, 100).flatmap(
    lambda pops: st.tuples(st.just(pops), st.lists(st.integers(1, (1 << pops) - 1), min_size=1, max_size=40))
)


@given(masks_of_batch)
def test_sample_has_a_pair_of_each_url_and_of_each_pop(batch: tuple[int, list[int]]) -> None:
    pops, masks = batch
    cells = Cells(range(5, 5 + len(masks)), pops, masks)
    sample = cells.sample()
    chosen = {(row, column) for row in range(len(masks)) for column in range(pops) if sample.has(row, column)}
    assert all(cells.has(row, column) for row, column in chosen)
    assert {row for row, _ in chosen} == set(range(len(masks)))
    assert {column for _, column in chosen} == set(cells.columns())
    assert len(chosen) == sample.size <= len(masks) + len(cells.columns())
    assert unpack_masks(pack_masks(masks)) == tuple(masks)


@given(st.integers(1, 100), st.lists(st.integers(0, 2**100 - 1) | st.integers(0, 9), max_size=40))
def test_size_of_a_sample_is_known_without_the_sample(pops: int, masks: list[int]) -> None:
    of_pops = [mask % (1 << pops) for mask in masks]
    cells = Cells(range(len(masks)), pops, of_pops)
    assert cells.sample_size == cells.sample().size
    assert Cells(range(len(masks)), pops).sample_size == Cells(range(len(masks)), pops).sample().size


@given(st.integers(1, 30), st.integers(1, 30))
def test_rectangle_and_all_pairs_of_it_have_the_same_cells(urls: int, pops: int) -> None:
    rectangle, pairs = Cells(range(urls), pops), Cells(range(urls), pops, [(1 << pops) - 1] * urls)
    assert rectangle.pairs == pairs.pairs == urls * pops
    assert rectangle.columns() == pairs.columns()
    assert [rectangle.in_column(pop) for pop in range(pops)] == [pairs.in_column(pop) for pop in range(pops)]

    def spread(cells: Cells) -> list[int]:
        return [each for start, end, count in cells.by_url() for each in [count] * (end - start)]

    assert spread(rectangle) == spread(pairs)
    for pop in range(pops):
        assert sum(end - start for start, end in rectangle.urls_of(pop)) == len(list(pairs.urls_of(pop)))


@given(masks_of_batch, st.data())
def test_staged_pairs_begin_with_one_of_the_urls_own_in_each_area(
    batch: tuple[int, list[int]], data: st.DataObject
) -> None:
    pops, masks = batch
    areas = data.draw(st.lists(st.integers(0, 3), min_size=pops, max_size=pops))
    bits = [sum(1 << pop for pop in range(pops) if areas[pop] == area) for area in range(3)]
    first, second = first_stage(masks, bits)
    for mask, leading, rest in zip(masks, first, second, strict=True):
        assert leading | rest == mask
        assert not leading & rest
        # POPs of area 3 cannot be reached, so that none of them leads.
        assert [(leading & area).bit_count() for area in bits] == [int(bool(mask & area)) for area in bits]


@given(masks_of_batch, st.randoms(use_true_random=False))
def test_reordered_masks_have_the_same_pops(batch: tuple[int, list[int]], rng: random.Random) -> None:
    pops, masks = batch
    columns = rng.sample(range(pops), rng.randint(1, pops))
    for mask, now in zip(masks, reorder(masks, columns), strict=True):
        assert {columns[new] for new in range(len(columns)) if now >> new & 1} == {
            old for old in columns if mask >> old & 1
        }


def test_block_of_a_rectangle_is_a_range() -> None:
    assert list(Block(0, 0, 3, 6).indices) == [3, 4, 5]


@given(st.integers(1, 130).flatmap(lambda pops: st.tuples(st.just(pops), st.lists(st.integers(0, 2**pops - 1)))))
def test_columns_counted_at_once_are_those_counted_one_by_one(drawn_cells: tuple[int, list[int]]) -> None:
    pops, masks = drawn_cells
    cells = Cells(range(len(masks)), pops, masks)
    assert cells.by_column() == [cells.in_column(column) for column in range(pops)]


@given(st.lists(st.integers(0, 255)), st.permutations(range(8)), st.integers(0, 8))
def test_reordered_masks_have_the_bits_of_the_named_columns(masks: list[int], order: list[int], kept: int) -> None:
    expected = [[mask >> old & 1 for old in order[:kept]] for mask in masks]
    assert [[mask >> new & 1 for new in range(kept)] for mask in reorder(masks, order[:kept])] == expected
    whole = reorder(masks, range(kept))
    assert whole == [mask & (1 << kept) - 1 for mask in masks]
