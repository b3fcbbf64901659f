"""The plan: it is unchanged after storing and reading, and its map items are readable."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.cells import Cells
from prewarm.planning.plan import (
    POPS_SHOWN,
    Batch,
    Group,
    Plan,
    Skipped,
    batch_from_item,
    map_item,
    rps_of_worker,
)
from prewarm.request.url_parser import parse_url
from tests.support.builders import POP_NAMES, plan

names = st.text("ABCXYZ0129-", min_size=1, max_size=9)
skipped = st.builds(Skipped, names, names, st.text(max_size=20))


@given(st.integers(1, 60), st.integers(1, 60))
def test_sample_is_a_diagonal_with_every_url_and_every_pop(urls: int, pops: int) -> None:
    proven = {(u, p) for u in range(urls) for p in range(pops) if Cells(range(urls), pops).sample().has(u, p)}
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
    max_concurrency=st.integers(1, 1000),
    max_rps=st.none() | st.floats(0.1, 1e6),
)


@given(plans)
@bounded(max_examples=60, deadline=None)
def test_a_plan_reads_back_as_it_was_stored(whole: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(whole.as_json()))) == whole


def test_urls_after_the_last_group_have_no_distribution() -> None:
    assert plan(url_count=5).placed == 2
    assert plan(groups=()).placed == 0


def test_map_item_is_readable_and_contains_its_batch() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 3, (*POP_NAMES, "HKG1-C1"), 7)
    batch = Batch("1-000004", 0, 2, 0, 3, 0, 7, 21)
    item = json.loads(json.dumps(map_item(batch, group, parse_url("https://www.example.com/a?token=s3cret"))))
    assert batch_from_item(item) == batch
    assert item["first_url"] == "https://www.example.com/a?token=…"
    assert item["pops"] == ", ".join(POP_NAMES[:POPS_SHOWN]) + " and 2 more"


def test_map_item_with_few_pops_lists_all() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 1, POP_NAMES, 6)
    item = map_item(Batch("1-000000", 0, 0, 0, 1, 4, 6, 2), group, parse_url("https://www.example.com/"))
    assert item["pops"] == "LHR3-C1, GRU1-C1"


@pytest.mark.parametrize(
    ("max_rps", "workers", "batches", "share"),
    [(None, 5, 100, None), (100.0, 5, 100, 20.0), (100.0, 50, 4, 25.0), (3.0, 1, 0, 3.0)],
)
def test_max_rps_is_shared_by_concurrent_workers(
    max_rps: float | None, workers: int, batches: int, share: float | None
) -> None:
    assert rps_of_worker(plan(max_rps=max_rps, max_concurrency=workers, batches=batches)) == share
