"""The roll-up: from batch results in any order to one verdict per URL."""

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.batching import expected_pairs, stage_batches, url_blocks
from prewarm.planning.plan import Batch, Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import RollUp, Verdict, roll_up, warnings_of
from tests.support.builders import POP_NAMES, plan

NOT_WARM = ("server_error", "truncated", "timeout")
ORDER = {Verdict.SUCCESS, Verdict.FAILED}


def result(**changes: Any) -> BatchResult:
    """Return the one finished batch of `plan()`: 2 URLs, 2 POPs, all warm."""
    usual = BatchResult(
        "1-000000", 0, 0, 0, 2, 2, finished=True, done=4, outcomes={"warmed": 4}, verified=1, bytes=40
    )
    return replace(usual, **changes)


@dataclass
class Simulated:
    """A run with random outcomes: its plan, its results in order of time, and the expected sums."""

    whole: Plan
    ledger: list[BatchResult]
    reachable: Counter[int]
    warm: Counter[int]


def _part(batch: Batch, part: int, outcomes: dict[tuple[int, int, int], str], *, finished: bool) -> BatchResult:
    failed: dict[int, Counter[str]] = {}
    for (url, _, _), outcome in outcomes.items():
        if outcome not in {"warmed", "dark"}:
            failed.setdefault(url, Counter())[outcome] += 1
    dark = sorted({pop for (_, pop, _), outcome in outcomes.items() if outcome == "dark"})
    return BatchResult(
        batch=batch.id,
        part=part,
        group=batch.group,
        url_from=batch.url_from,
        url_to=batch.url_to,
        pops=batch.pop_to - batch.pop_from,
        finished=finished,
        done=len(outcomes),
        outcomes=dict(Counter(outcome for outcome in outcomes.values() if outcome != "dark")),
        verified=0,
        bytes=len(outcomes),
        failed={url: dict(counts) for url, counts in failed.items()},
        dark=tuple(Skipped(f"P{pop}", "connect_error", f"seen in {batch.id}") for pop in dark),
    )


def simulate(shape: list[tuple[int, int, int]], variants: int, unplaced: int, rng: random.Random) -> Simulated:
    groups: list[Group] = []
    for urls, pops, first in shape:
        start = groups[-1].url_to if groups else 0
        names = tuple(f"P{number}" for number in range(pops))
        groups.append(Group(f"d{start}.cloudfront.net", "E1", start, start + urls, names, min(first, pops)))
    whole = plan(
        groups=tuple(groups),
        url_count=groups[-1].url_to + unplaced,
        variants=tuple(map(str, range(variants))),
        percent_needed=rng.choice([50.0, 95.0, 100.0]),
    )
    blocks = url_blocks(tuple(groups), variants, rng.choice([1, 20, 200]))
    batches = [batch for stage in (1, 2) for batch in stage_batches(tuple(groups), blocks, variants, stage)]
    simulated = Simulated(whole, [], Counter(), Counter())
    for batch in batches:
        dark = {pop for pop in range(batch.pop_from, batch.pop_to) if rng.random() < 0.15}
        outcomes = {
            (url, pop, variant): "dark" if pop in dark else rng.choice(["warmed"] * 4 + list(NOT_WARM))
            for url in range(batch.url_from, batch.url_to)
            for pop in range(batch.pop_from, batch.pop_to)
            for variant in range(variants)
        }
        for (url, _, _), outcome in outcomes.items():
            simulated.reachable[url] += outcome != "dark"
            simulated.warm[url] += outcome == "warmed"
        order = list(outcomes)
        rng.shuffle(order)
        # A POP is dark only if one part, the first, has all its targets.
        order.sort(key=lambda target: outcomes[target] != "dark")
        cut = rng.randint(sum(outcome == "dark" for outcome in outcomes.values()), len(order))
        parts = [order[:cut], order[cut:]] if 0 < cut < len(order) else [order]
        simulated.ledger += [
            _part(batch, number, {key: outcomes[key] for key in keys}, finished=number == len(parts) - 1)
            for number, keys in enumerate(parts)
        ]
    return simulated


runs = st.builds(
    simulate,
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 2),
    st.randoms(use_true_random=False),
)


def total_targets(whole: Plan) -> int:
    return sum(group.urls * len(group.pops) for group in whole.groups) * len(whole.variants)


@given(runs)
@bounded(max_examples=40, deadline=None)
def test_finished_run_has_the_expected_sums(run: Simulated) -> None:
    rolled = roll_up(run.whole, run.ledger)
    assert [url.index for url in rolled.urls] == list(range(run.whole.url_count))
    assert not rolled.indices(Verdict.IN_PROGRESS)
    assert rolled.targets_done == total_targets(run.whole) == rolled.bytes
    for url in rolled.urls[: run.whole.placed]:
        reachable, warm = run.reachable[url.index], run.warm[url.index]
        targets = expected_pairs(run.whole)[url.index] * len(run.whole.variants)
        if mostly_dark := 2 * reachable < targets:
            reachable = targets
        assert (url.reachable, url.warm) == (reachable, warm)
        enough = warm > 0 and not mostly_dark and 100 * warm >= run.whole.percent_needed * reachable
        assert (url.verdict is Verdict.SUCCESS) == enough
        assert sum(url.failures.values()) == reachable - warm
    for url in rolled.urls[run.whole.placed :]:
        assert (url.verdict, url.failures) == (Verdict.FAILED, {"no_distribution": 1})


@given(runs, st.randoms(use_true_random=False), st.floats(0, 1))
@bounded(max_examples=40, deadline=None)
def test_order_of_results_does_not_matter(run: Simulated, rng: random.Random, share: float) -> None:
    some = run.ledger[: int(share * len(run.ledger))]
    shuffled = rng.sample(some, len(some))
    for ended in (None, Outcome.LOST):
        assert roll_up(run.whole, shuffled, ended) == roll_up(run.whole, iter(some), ended)


@given(runs, st.randoms(use_true_random=False))
@bounded(max_examples=30, deadline=None)
def test_progress_never_decreases_and_verdicts_are_final(run: Simulated, rng: random.Random) -> None:
    # Batches run in parallel, the parts of a batch one after the other.
    order = [item.batch for item in run.ledger]
    rng.shuffle(order)
    waiting = {batch: [item for item in run.ledger if item.batch == batch] for batch in order}
    ledger: list[BatchResult] = []
    before = roll_up(run.whole, ledger)
    expected = [url.reachable for url in before.urls]
    for batch in order:
        ledger.append(waiting[batch].pop(0))
        now = roll_up(run.whole, ledger)
        assert sum(len(now.indices(verdict)) for verdict in Verdict) == run.whole.url_count
        for old, new in zip(before.urls, now.urls, strict=True):
            if old.verdict in ORDER:
                assert new == old
            assert new.warm >= old.warm
            # The targets at dark POPs count again where they are most of a URL's.
            assert new.reachable <= max(old.reachable, expected[new.index])
        assert now.targets_done > before.targets_done
        before = now
    assert not before.indices(Verdict.IN_PROGRESS)


@given(runs, st.floats(0, 1), st.sampled_from([Outcome.LOST, Outcome.DEADLINE, Outcome.CANCELLED]))
@bounded(max_examples=40, deadline=None)
def test_run_that_ended_early_counts_every_target_once(run: Simulated, share: float, ended: Outcome) -> None:
    some = run.ledger[: int(share * len(run.ledger))]
    rolled = roll_up(run.whole, some, ended)
    assert not rolled.indices(Verdict.IN_PROGRESS)
    dark = sum(len(item.dark) * (item.url_to - item.url_from) for item in some) * len(run.whole.variants)
    assert rolled.outcomes.total() + dark == total_targets(run.whole)
    for url in rolled.urls[: run.whole.placed]:
        assert 0 <= url.warm <= run.warm[url.index]
        assert 0 <= url.coverage <= 100
        assert url.warm + sum(url.failures.values()) == url.reachable
    assert set(roll_up(run.whole, some).indices(Verdict.SUCCESS)) <= set(rolled.indices(Verdict.SUCCESS))


def test_batch_lost_after_its_first_part_is_counted_once() -> None:
    first = result(finished=False, done=3, outcomes={"warmed": 2, "truncated": 1}, failed={0: {"truncated": 1}})
    rolled = roll_up(plan(), [first], Outcome.LOST)
    assert [(url.warm, url.failures) for url in rolled.urls] == [(0, {"truncated": 1, "lost": 1}), (0, {"lost": 2})]
    assert rolled.outcomes == {"warmed": 2, "truncated": 1, "lost": 1}


def test_url_in_progress_counts_only_reported_targets_as_warm() -> None:
    (first, _) = roll_up(plan(), []).urls
    assert (first.verdict, first.warm, first.coverage) == (Verdict.IN_PROGRESS, 0, 0.0)


def verdict_at(percent: float, failed: int, pops: int) -> Verdict:
    names = tuple(f"P{number}" for number in range(pops))
    whole = plan(url_count=1, groups=(Group("d.cloudfront.net", "E1", 0, 1, names, pops),), percent_needed=percent)
    counts = {0: {"timeout": failed}} if failed else {}
    return roll_up(whole, [result(url_to=1, pops=pops, done=pops, failed=counts)]).urls[0].verdict


@pytest.mark.parametrize(
    ("percent", "failed", "pops", "verdict"),
    [
        (100, 0, 20, Verdict.SUCCESS),
        (100, 1, 1000, Verdict.FAILED),
        (95, 1, 20, Verdict.SUCCESS),
        (95, 2, 20, Verdict.FAILED),
        (95, 1, 19, Verdict.FAILED),
        # 16.1 x 1,000 is a little more than 16,100 in floating point.
        (16.1, 839, 1000, Verdict.SUCCESS),
        (16.1, 840, 1000, Verdict.FAILED),
        # A percentage that rounding makes 0.
        (1e-7, 20, 20, Verdict.FAILED),
        (1e-7, 19, 20, Verdict.SUCCESS),
    ],
)
def test_url_succeeds_from_the_required_percentage_on(
    percent: float, failed: int, pops: int, verdict: Verdict
) -> None:
    assert verdict_at(percent, failed, pops) is verdict


def test_url_with_only_dark_pops_fails_with_their_reasons() -> None:
    dark = (Skipped("ATL56-C1", "connect_error", "refused"), Skipped("NRT57-P3", "wrong_pop", "SYD1-C1"))
    whole = plan(variants=("br", "gzip"))
    rolled = roll_up(whole, [result(outcomes={}, done=8, dark=dark)])
    assert [url.verdict for url in rolled.urls] == [Verdict.FAILED] * 2
    assert rolled.urls[0].failures == {"connect_error": 2, "wrong_pop": 2}
    assert rolled.urls[0].coverage == 0.0


@pytest.mark.parametrize("percent", [0.01, 95.0, 100.0])
@pytest.mark.parametrize(("dark", "verdict"), [(2, Verdict.SUCCESS), (3, Verdict.FAILED), (4, Verdict.FAILED)])
def test_url_fails_where_more_than_half_of_its_targets_are_at_dark_pops(
    percent: float, dark: int, verdict: Verdict
) -> None:
    group = Group("d.cloudfront.net", "E1", 0, 1, POP_NAMES[:4], 4)
    whole = plan(url_count=1, groups=(group,), percent_needed=percent)
    entries = tuple(Skipped(name, "timeout", "") for name in POP_NAMES[:dark])
    (url,) = roll_up(whole, [result(url_to=1, pops=4, done=4, outcomes={"warmed": 4 - dark}, dark=entries)]).urls
    assert url.verdict is verdict
    left_out = verdict is Verdict.SUCCESS
    assert (url.warm, url.reachable) == (4 - dark, 4 - dark if left_out else 4)
    assert url.failures == ({} if left_out else {"timeout": dark})


def test_dark_pops_and_failures_of_the_others_are_reported_together() -> None:
    group = Group("d.cloudfront.net", "E1", 0, 1, POP_NAMES[:4], 4)
    whole = plan(url_count=1, groups=(group,))
    dark = tuple(Skipped(name, "timeout", "") for name in POP_NAMES[:3])
    part = result(url_to=1, pops=4, done=4, outcomes={"timeout": 1}, dark=dark, failed={0: {"timeout:200": 1}})
    (url,) = roll_up(whole, [part]).urls
    assert (url.verdict, url.kinds, url.coverage) == (Verdict.FAILED, {"timeout:200": 1, "timeout": 3}, 0.0)


def test_skipped_pops_of_plan_and_batches_are_listed_once_in_order() -> None:
    group = replace(plan().groups[0], skipped=(Skipped("SYD1-C1", "unresolved_pop", "no name"),))
    dark = (Skipped("NRT57-P3", "connect_error", "refused"),)
    parts = [result(dark=dark, done=4), result(batch="1-000001", url_from=0, url_to=0, done=0, dark=dark)]
    rolled: RollUp = roll_up(plan(groups=(group,)), parts)
    assert [(entry.pop, entry.reason) for entry in rolled.skipped] == [
        ("NRT57-P3", "connect_error"),
        ("SYD1-C1", "unresolved_pop"),
    ]


def test_vary_of_all_workers_is_one_warning_with_the_first_url() -> None:
    halves = [
        result(batch="1-000000", url_to=1, pops=2, done=2, outcomes={"warmed": 2}, vary={"origin": (2, 0)}),
        result(batch="1-000001", url_from=1, pops=2, done=2, outcomes={"warmed": 2}, vary={"origin": (2, 1)}),
    ]
    (warning,) = warnings_of(roll_up(plan(), halves), ["https://www.example.com/0", "https://www.example.com/1"])
    assert warning.startswith("4 responses name origin in Vary, such as the one for https://www.example.com/0, but")
