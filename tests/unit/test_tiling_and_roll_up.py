"""Every target in exactly one batch; every URL with exactly one verdict."""

import json
import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.outcome import Outcome
from prewarm.plan import (
    BATCHES_WANTED_AT_MOST,
    Batch,
    Group,
    Plan,
    Skipped,
    proven_by_sample,
    stage_batches,
    tiling,
    url_blocks,
)
from prewarm.verdict import BatchResult, RollUp, Verdict, result_as_json, result_from_json, roll_up
from warm.targets import Cursor

shapes = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 130), st.integers(1, 130)), min_size=1, max_size=3)


def groups_of(shape: list[tuple[int, int, int]]) -> tuple[Group, ...]:
    groups: list[Group] = []
    start = 0
    for urls, pops, first in shape:
        names = tuple(f"P{number}" for number in range(pops))
        groups.append(Group("d.cloudfront.net", "E1", start, start + urls, names, min(first, pops)))
        start += urls
    return tuple(groups)


def plan_of(groups: tuple[Group, ...], variants: int = 1, percent: float = 100.0, unplaced: int = 0) -> Plan:
    return Plan(
        run="run",
        started_at=0.0,
        deadline=1.0,
        url_count=groups[-1].url_to + unplaced,
        region_type="region",
        variants=tuple(f"v{number}" for number in range(variants)),
        percent_needed=percent,
        fail_on="any",
        verify="sample",
        max_bytes=None,
        invalidate=False,
        groups=groups,
    )


def batches_of(groups: tuple[Group, ...], variants: int) -> list[Batch]:
    blocks = url_blocks(groups, variants)
    return [batch for stage in (1, 2) for batch in stage_batches(groups, blocks, variants, stage)]


@given(shapes, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_every_target_is_in_exactly_one_batch(shape: list[tuple[int, int, int]], variants: int) -> None:
    groups = groups_of(shape)
    batches = batches_of(groups, variants)
    seen = Counter(
        (url, batch.group, pop)
        for batch in batches
        for url in range(batch.url_from, batch.url_to)
        for pop in range(batch.pop_from, batch.pop_to)
    )
    wanted = {
        (url, number, pop)
        for number, group in enumerate(groups)
        for url in range(group.url_from, group.url_to)
        for pop in range(len(group.pops))
    }
    assert set(seen) == wanted
    assert set(seen.values()) == {1}
    assert len({batch.id for batch in batches}) == len(batches)
    assert sum(batch.targets for batch in batches) == len(wanted) * variants
    for batch in batches:
        first = groups[batch.group].first_stage
        assert (batch.pop_to <= first) if batch.id.startswith("1-") else (batch.pop_from >= first)


@given(st.integers(1, 1_000_000), st.integers(1, 541), st.integers(1, 8))
@settings(deadline=None)
def test_batches_are_neither_too_many_nor_empty(urls: int, pops: int, variants: int) -> None:
    chosen = tiling(urls, pops, variants)
    assert 1 <= chosen.urls <= urls
    assert 1 <= chosen.pops <= min(pops, 100)
    batches = -(-urls // chosen.urls) * -(-pops // chosen.pops)
    # Rounding up at both edges of a tile may double the number at the most.
    assert batches <= max(2 * BATCHES_WANTED_AT_MOST, 2 * urls * pops * variants / 200 + 2, -(-pops // 100) * urls)


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_sample_proves_every_url_and_every_pop(urls: int, pops: int) -> None:
    proven = {(u, p) for u in range(urls) for p in range(pops) if proven_by_sample(u, p, urls, pops)}
    assert {u for u, _ in proven} == set(range(urls))
    assert {p for _, p in proven} == set(range(pops))
    assert len(proven) == max(urls, pops)


@given(st.binary(max_size=300), st.integers(0, 9))
def test_a_cursor_survives_the_way_through_the_state_machine(done: bytes, part: int) -> None:
    cursor = Cursor(part, done)
    assert Cursor.from_json(json.loads(json.dumps(cursor.as_json()))) == cursor
    assert Cursor.from_json(None) == Cursor()


def result_of(batch: Batch, failed: dict[int, dict[str, int]], dark: int = 0) -> BatchResult:
    gone = tuple(Skipped(f"P{batch.pop_from + number}", "connect_error") for number in range(dark))
    return BatchResult(
        batch=batch.id,
        part=0,
        group=batch.group,
        url_from=batch.url_from,
        url_to=batch.url_to,
        pops=batch.pop_to - batch.pop_from,
        finished=True,
        done=batch.targets,
        outcomes={},
        verified=0,
        bytes=1,
        failed=failed,
        dark=gone,
    )


@given(shapes, st.integers(1, 2), st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_no_url_is_lost_counted_twice_or_goes_back(
    shape: list[tuple[int, int, int]], variants: int, unplaced: int, dice: random.Random
) -> None:
    groups = groups_of(shape)
    plan = plan_of(groups, variants, percent=90, unplaced=unplaced)
    results = []
    for batch in batches_of(groups, variants):
        pops = batch.pop_to - batch.pop_from
        dark = dice.choice([0, 0, 0, dice.randint(0, pops)])
        failing = [url for url in range(batch.url_from, batch.url_to) if dice.random() < 0.2]
        counts = {url: {"truncated": dice.randint(1, max(1, (pops - dark) * variants))} for url in failing}
        results.append(result_of(batch, counts if pops > dark else {}, dark))
    dice.shuffle(results)
    decided: dict[int, Verdict] = {}
    for count in range(0, len(results) + 1, max(1, len(results) // 5)):
        urls = roll_up(plan, results[:count]).urls
        assert [url.index for url in urls] == list(range(plan.url_count))
        for url in urls:
            if url.index in decided:
                assert url.verdict is decided[url.index]
            elif url.verdict is not Verdict.IN_PROGRESS:
                decided[url.index] = url.verdict
    whole = roll_up(plan, results)
    assert not whole.indices(Verdict.IN_PROGRESS)
    dice.shuffle(results)
    assert roll_up(plan, results) == whole


ONE = (Group("d.cloudfront.net", "E1", 0, 2, ("A", "B", "C", "D"), 4),)
TILE = Batch("1-000000", 0, 0, 0, 2, 0, 4, 8)


def rolled(results: list[BatchResult], percent: float = 100.0, ended: Outcome | None = None) -> RollUp:
    return roll_up(plan_of(ONE, percent=percent), results, ended)


@pytest.mark.parametrize(("percent", "verdict"), [(100, Verdict.FAILED), (75, Verdict.SUCCESS), (76, Verdict.FAILED)])
def test_a_url_is_warm_when_enough_of_its_targets_are(percent: float, verdict: Verdict) -> None:
    url = rolled([result_of(TILE, {0: {"truncated": 1}})], percent).urls[0]
    assert (url.verdict, url.reachable, url.warm, url.coverage) == (verdict, 4, 3, 75.0)


def test_dark_pops_are_not_reachable_and_are_listed() -> None:
    whole = rolled([result_of(TILE, {}, dark=1)])
    assert whole.urls[0].verdict is Verdict.SUCCESS
    assert whole.urls[0].reachable == 3
    assert [entry.pop for entry in whole.skipped] == ["P0"]


def test_a_url_that_every_pop_was_dark_for_is_failed_with_that_reason() -> None:
    url = rolled([result_of(TILE, {}, dark=4)]).urls[0]
    assert (url.verdict, url.failures) == (Verdict.FAILED, {"connect_error": 4})


def test_what_an_ended_run_left_is_failed_with_the_reason() -> None:
    assert rolled([]).urls[0].verdict is Verdict.IN_PROGRESS
    ended = rolled([], ended=Outcome.CANCELLED)
    assert [(url.verdict, url.failures) for url in ended.urls] == [(Verdict.FAILED, {"cancelled": 4})] * 2
    assert ended.outcomes == {"cancelled": 8}


def test_urls_without_a_distribution_are_failed_from_the_start() -> None:
    urls = roll_up(plan_of(ONE, unplaced=1), []).urls
    assert (urls[2].verdict, urls[2].failures) == (Verdict.FAILED, {"no_distribution": 1})


def test_plan_and_result_read_back_as_they_were_written() -> None:
    group = Group("d.cloudfront.net", "E1", 0, 2, ("A",), 1, (Skipped("B", "wrong_pop", "x"),))
    plan = plan_of((group,), 2)
    assert Plan.from_json(json.loads(json.dumps(plan.as_json()))) == plan
    result = result_of(TILE, {1: {"timeout": 2}}, dark=2)
    stored = json.loads(json.dumps(result_as_json(result)), parse_int=Decimal)
    assert result_from_json(stored) == result
