"""A run's sums are the same in whatever order its batches are added, and whenever they were stored in between."""

import json
import random
from dataclasses import replace
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import counted_parts, current_parts
from prewarm.results.failure_kinds import FailureKinds
from prewarm.results.judging import set_aside, set_aside_of
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from prewarm.results.run_sums import RunSums, sums_of
from prewarm.results.url_results import UrlResults
from prewarm.storage.sums_form import Blobs, sums_as_json, sums_from_json
from tests.support.contents import uncompressed_pops
from tests.support.rich_runs import facts_of, rich_parts, rich_plan

seeds = st.integers(0, 10**9)


def run_of(rng: random.Random) -> tuple[Plan, list[BatchResult]]:
    """Return a plan and the current parts of some of its batches."""
    plan = rich_plan(rng)
    return plan, current_parts(part for part in rich_parts(plan, rng) if rng.random() < 0.9)


def stored_and_read(sums: RunSums) -> RunSums:
    blobs = Blobs()
    text = json.dumps(sums_as_json(sums, blobs))
    return sums_from_json(sums.plan, json.loads(text), Blobs(blobs.joined()))


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_sums_do_not_depend_on_the_order_of_batches(seed: int) -> None:
    rng = random.Random(seed)
    plan, parts = run_of(rng)
    expected = facts_of(sums_of(plan, parts))
    chains = [list(chain) for _, chain in groupby(parts, lambda part: part.batch)]
    rng.shuffle(chains)
    sums = RunSums(plan)
    for chain in chains:
        sums.add_batch(chain)
        if rng.random() < 0.3:
            sums = stored_and_read(sums)
    assert facts_of(sums) == expected


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_copy_can_be_added_to_without_changing_the_sums(seed: int) -> None:
    rng = random.Random(seed)
    plan, parts = run_of(rng)
    chains = [list(chain) for _, chain in groupby(parts, lambda part: part.batch)]
    half = [part for chain in chains[::2] for part in chain]
    sums = sums_of(plan, half)
    whole = sums.copy()
    for chain in chains[1::2]:
        whole.add_batch(chain)
    assert facts_of(sums) == facts_of(sums_of(plan, half))
    assert facts_of(whole) == facts_of(sums_of(plan, parts))


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_counts_of_distinct_states_are_those_of_all_urls(seed: int) -> None:
    plan, parts = run_of(random.Random(seed))
    urls = roll_up(plan, parts).urls
    distinct = list(UrlResults(sums_of(plan, parts), None).distinct)
    for verdict in Verdict:
        assert sum(count for url, count in distinct if url.verdict is verdict) == sum(
            url.verdict is verdict for url in urls
        )
    for url, _ in distinct:
        same = [each for each in urls if (each.verdict, each.kinds, each.warm) == (url.verdict, url.kinds, url.warm)]
        assert url.index in {each.index for each in same}


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_set_aside_is_the_same_from_states_as_from_all_urls(seed: int) -> None:
    rng = random.Random(seed)
    plan, parts = run_of(rng)
    if rng.random() < 0.7:
        everywhere = {index: {"client_error:404": 1} for index in range(plan.placed) if rng.random() < 0.5}
        parts = [replace(part, failed=everywhere, done=part.targets) for part in parts]
    for ended in (None, Outcome.CANCELLED):
        expected = set_aside(plan, roll_up(plan, parts, ended).urls)
        assert set_aside_of(plan, UrlResults(sums_of(plan, parts), ended)) == expected


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_uncompressed_urls_are_the_same_one_by_one_as_all_at_once(seed: int) -> None:
    plan, parts = run_of(random.Random(seed))
    contents = sums_of(plan, parts).contents
    one_by_one = contents.uncompressed()
    assert list(one_by_one.items()) == list(contents.all_uncompressed().items())
    assert list(one_by_one.items()) == list(uncompressed_pops(plan, counted_parts(parts, len(plan.variants))).items())


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_results_stay_the_same_when_their_sums_are_stored_and_continued(seed: int) -> None:
    plan, parts = run_of(random.Random(seed))
    chains = [list(chain) for _, chain in groupby(parts, lambda part: part.batch)]
    half = [part for chain in chains[::2] for part in chain]
    sums = sums_of(plan, half)
    results = UrlResults(sums, None)
    more = sums.copy()
    for chain in chains[1::2]:
        more.add_batch(chain)
    stored_and_read(sums)
    assert list(results) == list(roll_up(plan, half).urls)
    assert list(UrlResults(more, None)) == list(roll_up(plan, parts).urls)


def test_failure_table_keeps_only_what_some_url_has() -> None:
    kinds = FailureKinds(3)
    for counts in ({"timeout": 1}, {"blocked": 1}, {"timeout": 2}):
        kinds.add(1, counts)
    kinds.add(2, {"timeout": 3})
    compact = kinds.compact()
    assert len(kinds.table) > len(compact.table) == 3
    assert [compact.of(index) for index in range(3)] == [{}, {"blocked": 1, "timeout": 3}, {"timeout": 3}]
    assert compact.compact() is compact
