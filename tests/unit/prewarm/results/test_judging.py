"""Whose fault a failure is: URLs that fail everywhere are set aside, and POPs are judged by the others."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.plan import Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.judging import cannot_succeed, failed_everywhere, set_aside
from prewarm.results.outcome import Outcome
from prewarm.results.outliers import outliers
from prewarm.results.rollup import UrlResult, Verdict, roll_up
from prewarm.results.stats import PopSums, measure, pack_pops
from tests.support.builders import plan

POPS = ("ATL56-C1", "NRT57-P3", "FRA2-C1")


def run_of(
    outcomes: dict[int, dict[str, str]], urls: int, ended: Outcome | None = Outcome.LOST, **changes: Any
) -> tuple[Plan, list[BatchResult], list[UrlResult]]:
    """Return a run of one batch: by URL and POP, the kinds of its failures; all else is warm."""
    group = Group("d111.cloudfront.net", "E1", 0, urls, POPS, len(POPS))
    whole = plan(groups=(group,), url_count=urls, targets=urls * len(POPS))
    sums = [PopSums(done=urls, warm=sum(pop not in outcomes.get(url, {}) for url in range(urls))) for pop in POPS]
    failed = {url: dict(Counter(kinds.values())) for url, kinds in outcomes.items()}
    result = BatchResult(
        "1-000000", 0, 0, 0, urls, len(POPS), finished=True, done=urls * len(POPS), outcomes={}, verified=0, bytes=0,
        failed=failed, per_pop=pack_pops(sums), **changes,
    )  # fmt: skip
    return whole, [result], list(roll_up(whole, [result], ended).urls)


def table_of(*run: Any) -> dict[str, tuple[int, int, bool]]:
    whole, results, urls = run
    pops = measure(whole, results, set_aside(whole, urls)).pops_as_json()
    return {pop["pop"]: (pop["judged"], pop["judgedFailed"], pop["differs"]) for pop in pops}


def test_a_url_that_fails_everywhere_does_not_count_against_any_pop() -> None:
    everywhere = dict.fromkeys(POPS, "client_error:404")
    run = run_of({1: everywhere}, urls=13)
    assert [url.index for url in run[2] if failed_everywhere(url)] == [1]
    assert table_of(*run) == dict.fromkeys(POPS, (12, 0, False))


def test_a_pop_that_fails_what_is_warm_elsewhere_differs() -> None:
    failing = {url: {POPS[1]: "timeout"} for url in range(4)}
    run = run_of(failing | {5: dict.fromkeys(POPS, "client_error:404")}, urls=8)
    assert table_of(*run) == {POPS[0]: (7, 0, False), POPS[1]: (7, 4, True), POPS[2]: (7, 0, False)}


def test_where_every_url_fails_everywhere_no_pop_is_judged() -> None:
    everywhere = dict.fromkeys(POPS, "client_error:404")
    assert table_of(*run_of({0: everywhere, 1: everywhere}, urls=2)) == dict.fromkeys(POPS, (0, 0, False))


@pytest.mark.parametrize("kind", ["connect_error", "tls_error", "timeout", "wrong_pop:200", "unresolved_pop"])
def test_pops_that_answer_nothing_are_not_excused_by_their_urls(kind: str) -> None:
    run = run_of({0: dict.fromkeys(POPS, kind)}, urls=1)
    assert failed_everywhere(run[2][0])
    assert table_of(*run) == dict.fromkeys(POPS, (1, 1, False))


@pytest.mark.parametrize("kind", ["deadline", "cancelled", "lost", "rejected", "origin_overload"])
def test_a_url_that_was_not_tried_everywhere_has_not_failed_everywhere(kind: str) -> None:
    kinds = {POPS[0]: "client_error:404", POPS[1]: kind, POPS[2]: "client_error:404"}
    run = run_of({0: kinds}, urls=2)
    assert not any(map(failed_everywhere, run[2]))
    assert [judged for judged, _, _ in table_of(*run).values()] == [2, 2, 2]


def test_a_url_in_progress_has_not_failed_everywhere() -> None:
    whole, _, urls = run_of({}, urls=2)
    assert not any(map(failed_everywhere, roll_up(whole, []).urls))
    assert set_aside(whole, roll_up(whole, []).urls) == {}
    assert not any(map(failed_everywhere, urls))


def test_a_url_without_a_distribution_failed_everywhere() -> None:
    assert failed_everywhere(UrlResult(9, Verdict.FAILED, 0, 0, {"no_distribution": 1}))


def test_dark_pops_are_not_judged_by_a_url_that_failed_everywhere_else() -> None:
    dark = (Skipped(POPS[2], "connect_error", ""),)
    kinds = {POPS[0]: "client_error:404", POPS[1]: "client_error:404"}
    whole, results, urls = run_of({0: kinds}, urls=1, dark=dark)
    assert [failed_everywhere(url) for url in urls] == [True]
    assert table_of(whole, results, urls) == dict.fromkeys((POPS[0], POPS[1]), (0, 0, False)) | {
        POPS[2]: (0, 0, False)
    }


@bounded(max_examples=200, deadline=None)
@given(
    cells=st.lists(st.lists(st.sampled_from(["", "client_error:404", "timeout"]), min_size=3, max_size=3), max_size=6)
)
def test_judged_targets_add_up(cells: list[list[str]]) -> None:
    urls = len(cells)
    outcomes = {
        url: {pop: kind for pop, kind in zip(POPS, row, strict=True) if kind} for url, row in enumerate(cells)
    }
    run = run_of({url: kinds for url, kinds in outcomes.items() if kinds}, urls=max(1, urls))
    for place, (pop, (judged, failed, _)) in enumerate(table_of(*run).items()):
        warm = sum(not row[place] for row in cells) if urls else 1
        assert judged == warm + failed, pop


@pytest.mark.parametrize(
    ("shares", "differing"),
    [
        ([100.0] * 139 + [99.0], [139]),
        ([100.0] * 20 + [90.0] * 20, list(range(20, 40))),
        ([100.0] * 21 + [90.0] * 20, list(range(21, 41))),
        ([100.0] * 21 + [96.0] * 20, []),
        ([50.0, 50.0, 50.0], []),
        ([100.0, 0.0], [1]),
        ([0.0], []),
        ([None, 100.0, 100.0, None, 40.0], [4]),
        ([None], []),
        ([], []),
    ],
)
def test_few_or_much_colder_pops_differ(shares: list[float | None], differing: list[int]) -> None:
    assert [place for place, differs in enumerate(outliers(shares)) if differs] == differing


@pytest.mark.parametrize(
    ("failed", "percent", "hopeless"),
    [(0, 100.0, False), (1, 100.0, True), (5, 95.0, False), (6, 95.0, True), (100, 0.1, True)],
)
def test_url_in_progress_is_failing_once_too_few_targets_are_left(
    failed: int, percent: float, hopeless: bool
) -> None:
    kinds = {"client_error:404": failed} if failed else {}
    running = UrlResult(0, Verdict.IN_PROGRESS, 100, 0, kinds)
    assert cannot_succeed(running, percent) is hopeless
    assert not cannot_succeed(UrlResult(0, Verdict.FAILED, 100, 0, kinds), percent)


def test_failing_url_is_known_before_all_of_its_batches_are_finished() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 2, POPS, len(POPS))
    whole = plan(groups=(group,), url_count=2, targets=6, batches=2)
    first = BatchResult(
        "1-000000", 0, 0, 0, 2, 1, finished=True, done=2, outcomes={}, verified=0, bytes=0,
        failed={1: {"client_error:404": 1}}, per_pop=pack_pops([PopSums(done=2, warm=1)]),
    )  # fmt: skip
    urls = roll_up(whole, [first]).urls
    assert [(url.verdict, cannot_succeed(url, whole.percent_needed)) for url in urls] == [
        (Verdict.IN_PROGRESS, False),
        (Verdict.IN_PROGRESS, True),
    ]
