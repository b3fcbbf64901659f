"""Tiling: every target in one batch, no batch too large, and what is stored reads back."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.plan import (
    BATCHES_WANTED_AT_MOST,
    POPS_PER_BATCH,
    POPS_SHOWN,
    TARGETS_PER_BATCH,
    Batch,
    Group,
    Plan,
    Skipped,
    batch_from_item,
    map_item,
    proven_by_sample,
    stage_batches,
    tiling,
    url_blocks,
)
from prewarm.urls import parse_url
from tests.unit.builders import POP_NAMES, plan

names = st.text("ABCXYZ0129-", min_size=1, max_size=9)
skipped = st.builds(Skipped, names, names, st.text(max_size=20))


@given(st.integers(1, 300_000), st.integers(1, 1200), st.integers(1, 8))
def test_a_tile_stays_within_its_bounds(urls: int, pops: int, variants: int) -> None:
    tile = tiling(urls, pops, variants)
    assert 1 <= tile.urls <= urls
    assert 1 <= tile.pops <= min(pops, POPS_PER_BATCH)
    url_blocks_needed, pop_blocks = -(-urls // tile.urls), -(-pops // tile.pops)
    assert url_blocks_needed * pop_blocks <= BATCHES_WANTED_AT_MOST
    targets, grown = tile.urls * tile.pops * variants, urls * pop_blocks > BATCHES_WANTED_AT_MOST
    assert targets <= max(TARGETS_PER_BATCH, tile.pops * variants) or grown


@pytest.mark.parametrize(
    ("shape", "tile"),
    [
        ((1, 1, 1), (1, 1)),
        ((8, 537, 1), (3, 90)),
        ((1000, 1, 1), (200, 1)),
        ((100_000, 1, 1), (1000, 1)),
        ((100_000, 537, 1), (121, 90)),
    ],
)
def test_small_runs_get_small_batches_and_large_ones_grow(shape: tuple[int, int, int], tile: tuple[int, int]) -> None:
    found = tiling(*shape)
    assert (found.urls, found.pops) == tile


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 250), st.integers(1, 250)), min_size=1, max_size=4),
    st.integers(1, 4),
)
@bounded(max_examples=40, deadline=None)
def test_blocks_and_batches_cover_each_target_once(shape: list[tuple[int, int, int]], variants: int) -> None:
    groups: list[Group] = []
    for urls, pops, first in shape:
        start = groups[-1].url_to if groups else 0
        ids = tuple(f"P{number}" for number in range(pops))
        groups.append(Group("d.cloudfront.net", "E1", start, start + urls, ids, min(first, pops)))
    blocks = url_blocks(tuple(groups), variants)
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


def test_batches_go_url_block_by_url_block() -> None:
    group = Group("d.cloudfront.net", "E1", 0, 40, tuple(f"P{number}" for number in range(300)), 300)
    batches = list(stage_batches((group,), url_blocks((group,), 1), 1, 1))
    assert [batch.url_from for batch in batches] == sorted(batch.url_from for batch in batches)
    assert [batch.id for batch in batches[:2]] == ["1-000000", "1-000001"]
    assert batches[0].block == batches[1].block


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_sample_is_a_diagonal_over_every_url_and_every_pop(urls: int, pops: int) -> None:
    proven = {(u, p) for u in range(urls) for p in range(pops) if proven_by_sample(u, p, urls, pops)}
    assert {u for u, _ in proven} == set(range(urls))
    assert {p for _, p in proven} == set(range(pops))
    assert len(proven) == max(urls, pops)


groups = st.builds(
    Group,
    domain=names,
    distribution_id=names,
    url_from=st.integers(0, 9),
    url_to=st.integers(10, 99),
    pops=st.lists(names, max_size=4).map(tuple),
    first_stage=st.integers(0, 4),
    skipped=st.lists(skipped, max_size=3).map(tuple),
)
plans = st.builds(
    Plan,
    run=names,
    started_at=st.floats(0, 2e9),
    deadline=st.floats(0, 2e9),
    url_count=st.integers(0, 10**6),
    region_type=st.sampled_from(["pop", "country", "region"]),
    variants=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    percent_needed=st.floats(0.1, 100),
    fail_on=st.sampled_from(["any", "none"]),
    verify=st.sampled_from(["none", "sample", "all"]),
    max_bytes=st.none() | st.integers(1, 10**12),
    invalidate=st.booleans(),
    groups=st.lists(groups, max_size=3).map(tuple),
    stages=st.integers(1, 2),
    targets=st.integers(0, 10**8),
    batches=st.integers(0, 10**5),
    warnings=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)


@given(plans)
@bounded(max_examples=60, deadline=None)
def test_a_plan_reads_back_as_it_was_stored(whole: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(whole.as_json()))) == whole


def test_urls_after_the_last_group_have_no_distribution() -> None:
    assert plan(url_count=5).placed == 2
    assert plan(groups=()).placed == 0


def test_an_item_reads_well_in_a_trace_and_gives_its_batch_back() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 3, (*POP_NAMES, "HKG1-C1"), 7)
    batch = Batch("1-000004", 0, 2, 0, 3, 0, 7, 21)
    item = json.loads(json.dumps(map_item(batch, group, parse_url("https://www.example.com/a?token=s3cret"))))
    assert batch_from_item(item) == batch
    assert item["first_url"] == "https://www.example.com/a?token=…"
    assert item["pops"] == ", ".join(POP_NAMES[:POPS_SHOWN]) + " and 2 more"


def test_an_item_of_few_pops_names_them_all() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 1, POP_NAMES, 6)
    item = map_item(Batch("1-000000", 0, 0, 0, 1, 4, 6, 2), group, parse_url("https://www.example.com/"))
    assert item["pops"] == "LHR3-C1, GRU1-C1"
