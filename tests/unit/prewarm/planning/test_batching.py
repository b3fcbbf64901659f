"""Batching: every target is in one batch, and batches fit the run's size and the storage limits."""

import gc
import json

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.batching import (
    BATCHES_PER_WORKER,
    MAX_BATCHES,
    MAX_TARGETS_PER_BATCH,
    MAX_TARGETS_PER_CURSOR,
    MAX_URLS_PER_BATCH,
    MIN_TARGETS_PER_BATCH,
    POPS_PER_BATCH,
    all_batches,
    batch_size,
    once_per_plan,
    stage_batches,
    targets_per_batch,
    tiling,
    url_blocks,
)
from prewarm.planning.plan import Group, Plan
from prewarm.results.outcome import Outcome
from tests.support.builders import plan
from warm.cursor import FETCHED, Cursor

# DynamoDB Developer Guide, "Item size"; Step Functions Developer Guide, "Service quotas".
ITEM_BYTES, PAYLOAD_BYTES = 400 * 1024, 256 * 1024


@given(st.integers(1, 10**9), st.integers(1, 1000))
def test_batch_size_is_within_bounds_with_several_batches_per_worker(targets: int, workers: int) -> None:
    size = targets_per_batch(targets, workers)
    assert MIN_TARGETS_PER_BATCH <= size <= MAX_TARGETS_PER_BATCH
    if MIN_TARGETS_PER_BATCH < size < MAX_TARGETS_PER_BATCH:
        assert BATCHES_PER_WORKER - 1 <= targets / size / workers <= BATCHES_PER_WORKER


@given(st.integers(1, 1_000_000), st.integers(1, 1200), st.integers(1, 8), st.integers(200, 10_000))
def test_tile_is_within_bounds(urls: int, pops: int, variants: int, size: int) -> None:
    tile = tiling(urls, pops, variants, size)
    assert 1 <= tile.urls <= min(urls, MAX_URLS_PER_BATCH)
    assert 1 <= tile.pops <= min(pops, POPS_PER_BATCH)
    targets = tile.urls * tile.pops * variants
    assert targets <= max(MAX_TARGETS_PER_CURSOR, tile.pops * variants)
    batches = -(-urls // tile.urls) * -(-pops // tile.pops)
    if targets > max(size, tile.pops * variants):
        assert batches >= MAX_BATCHES / 2


@pytest.mark.parametrize(
    ("urls", "pops", "workers", "tile", "batches"),
    [
        (1, 1, 5, (1, 1), 1),
        (24, 297, 5, (5, 99), 15),
        (1_000, 1, 5, (500, 1), 2),
        (10_000, 540, 5, (111, 90), 546),
        (10_000, 540, 100, (60, 90), 1_002),
        (1_000_000, 537, 1000, (1_201, 90), 4_998),
    ],
)
def test_small_runs_have_small_batches_and_large_runs_larger_ones(
    urls: int, pops: int, workers: int, tile: tuple[int, int], batches: int
) -> None:
    computed = tiling(urls, pops, 1, targets_per_batch(urls * pops, workers))
    assert (computed.urls, computed.pops) == tile
    assert -(-urls // computed.urls) * -(-pops // computed.pops) == batches


@pytest.mark.parametrize(("urls", "pops", "variants"), [(1_000_000, 1, 8), (1_000_000, 700, 8), (2_000, 3, 1)])
def test_largest_failed_batch_fits_into_ledger_item_and_state_payload(urls: int, pops: int, variants: int) -> None:
    tile = tiling(urls, pops, variants, MAX_TARGETS_PER_BATCH)
    worst = {outcome.value: 100 for outcome in (Outcome.ORIGIN_OVERLOAD, Outcome.CONNECT_ERROR, Outcome.SERVER_ERROR)}
    first = 1_000_000 - tile.urls
    whole = plan(variants=tuple(map(str, range(variants))))
    indices = range(first, first + tile.urls)
    item = {
        "failed": {str(index): worst for index in indices},
        "warm": {str(index): 100 for index in indices},
        "mixed": {str(index): ["NRT57-P3", "NRT57-P1"] for index in indices},
        "contents": "f" * 8 * tile.urls * len(whole.variants),
        "dark": [["NRT57-P3", "connect_error", "x" * 200]] * tile.pops,
    }
    assert size_of(item) < ITEM_BYTES
    targets = tile.urls * tile.pops * variants
    noise = bytes((number * 7919) % 251 for number in range(targets // 8))
    cursor = Cursor(3, noise, {number: (number * 31 % FETCHED) + 1 for number in range(targets)})
    assert len(json.dumps(cursor.as_json())) < PAYLOAD_BYTES / 2


def size_of(value: object) -> int:
    """Return an item's size in DynamoDB: bytes of names and strings, digits of numbers, 3 per list or map."""
    if isinstance(value, dict):
        return 3 + sum(1 + len(name) + size_of(entry) for name, entry in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + size_of(entry) for entry in value)
    return len(value) if isinstance(value, str) else len(str(value)) // 2 + 2


@given(st.integers(1, 400), st.integers(1, 250), st.integers(0, 250), st.integers(1, 3))
@bounded(max_examples=30, deadline=None)
def test_all_batches_equals_the_batches_of_both_stages(urls: int, pops: int, first: int, workers: int) -> None:
    groups = (Group("d.cloudfront.net", "E1", 0, urls, tuple(f"P{n}" for n in range(pops)), min(first, pops)),)
    blocks = url_blocks(groups, 1, batch_size(groups, 1, workers))
    drawn = [batch for stage in (1, 2) for batch in stage_batches(groups, blocks, 1, stage)]
    assert list(all_batches(plan(groups=groups, max_concurrency=workers))) == drawn


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 250), st.integers(1, 250)), min_size=1, max_size=4),
    st.integers(1, 4),
    st.sampled_from([1, 200, 5_000]),
)
@bounded(max_examples=40, deadline=None)
def test_blocks_and_batches_cover_each_target_once(
    shape: list[tuple[int, int, int]], variants: int, size: int
) -> None:
    groups: list[Group] = []
    for urls, pops, first in shape:
        start = groups[-1].url_to if groups else 0
        ids = tuple(f"P{number}" for number in range(pops))
        groups.append(Group("d.cloudfront.net", "E1", start, start + urls, ids, min(first, pops)))
    blocks = url_blocks(tuple(groups), variants, size)
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert [url for block in blocks for url in range(block.url_from, block.url_to)] == list(range(groups[-1].url_to))
    covered: dict[int, list[tuple[int, int]]] = {block.number: [] for block in blocks}
    ids_seen = set()
    for stage in (1, 2):
        for batch in stage_batches(tuple(groups), blocks, variants, stage):
            block, group = blocks[batch.block], groups[batch.group]
            assert (batch.url_from, batch.url_to, batch.group) == (block.url_from, block.url_to, block.group)
            assert 1 <= batch.pop_to - batch.pop_from <= POPS_PER_BATCH
            assert batch.targets == (batch.url_to - batch.url_from) * (batch.pop_to - batch.pop_from) * variants
            assert batch.pop_to <= group.first_stage if stage == 1 else batch.pop_from >= group.first_stage
            covered[batch.block].append((batch.pop_from, batch.pop_to))
            ids_seen.add(batch.id)
    assert len(ids_seen) == sum(map(len, covered.values()))
    for block in blocks:
        through = [pop for start, end in covered[block.number] for pop in range(start, end)]
        assert through == list(range(len(groups[block.group].pops)))


def test_batches_are_ordered_by_url_block() -> None:
    group = Group("d.cloudfront.net", "E1", 0, 40, tuple(f"P{number}" for number in range(300)), 300)
    batches = list(stage_batches((group,), url_blocks((group,), 1, 200), 1, 1))
    assert [batch.url_from for batch in batches] == sorted(batch.url_from for batch in batches)
    assert [batch.id for batch in batches[:2]] == ["1-000000", "1-000001"]
    assert batches[0].block == batches[1].block


def test_result_is_computed_once_per_plan_and_kept_no_longer_than_the_plan() -> None:
    computed: list[int] = []

    @once_per_plan
    def urls(of: Plan) -> int:
        computed.append(of.url_count)
        return of.url_count

    one, other = plan(url_count=1), plan(url_count=2)
    assert [urls(each) for each in (one, other, one, other)] == [1, 2, 1, 2]
    assert computed == [1, 2]
    del one
    gc.collect()
    again = [plan(url_count=3) for _ in range(10)]
    assert [urls(each) for each in again] == [3] * 10
