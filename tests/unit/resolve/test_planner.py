"""Planning: POPs that are skipped or kept, stages, batches, variants, timing and limits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Skipped
from resolve.planner import check_max_rps
from tests.support.builders import POP_NAMES, request
from tests.support.planning import CATALOGUE, SERVED, matched, plan_groups, planned, probed


@pytest.mark.parametrize(("region_type", "region"), [("country", "jp"), ("region", "apac"), ("pop", "all")])
def test_unusable_pops_of_an_area_are_skipped_and_listed(region_type: str, region: str) -> None:
    pops = request(region_type=region_type, region=region).pops
    assert len(pops) > 1
    group = planned({pops[0]: "wrong_pop"}, region_type=region_type, region=region).plan.groups[0]
    assert group.pops == tuple(pops[1:])
    assert group.skipped == (Skipped(pops[0], "wrong_pop"),)


def test_area_without_a_usable_pop_keeps_all_of_them() -> None:
    pops = request(region_type="country", region="nz").pops
    group = planned(dict.fromkeys(pops, "unresolved_pop"), region_type="country", region="nz").plan.groups[0]
    assert group.pops == tuple(pops)
    assert group.skipped == ()


@given(st.sets(st.sampled_from(POP_NAMES)), st.booleans())
@bounded(max_examples=30, deadline=None)
def test_named_pop_is_never_skipped(unusable: set[str], staged: bool) -> None:
    run = planned(dict.fromkeys(unusable, "unresolved_pop"), region=list(POP_NAMES), staged=staged)
    (group,) = run.plan.groups
    assert sorted(group.pops) == sorted(POP_NAMES)
    assert group.skipped == ()
    assert run.plan.targets == len(POP_NAMES)


def test_unstaged_run_keeps_the_order_of_its_pops_in_one_stage() -> None:
    run = planned(region=list(POP_NAMES))
    assert run.plan.groups[0].pops == POP_NAMES
    assert (run.plan.stages, len(run.stages)) == (1, 1)


def test_staged_run_starts_with_the_first_pop_of_each_regional_cache() -> None:
    submitted = request(region_type="region", region="apac", staged=True)
    run = planned(region_type="region", region="apac", staged=True)
    (group,) = run.plan.groups
    leading, others = group.pops[: group.first_stage], group.pops[group.first_stage :]
    areas = [CATALOGUE.regional_cache_of(pop) for pop in leading]
    assert len(set(areas)) == len(areas)
    assert set(areas) == {CATALOGUE.regional_cache_of(pop) for pop in submitted.pops}
    assert sorted(leading + others) == sorted(submitted.pops)
    assert list(others) == [pop for pop in submitted.pops if pop not in leading]
    assert run.plan.stages == 2
    assert [batch.pop_to <= group.first_stage for batch in run.stages[0]] == [True] * len(run.stages[0])


def test_staged_run_with_one_pop_per_regional_cache_has_one_stage() -> None:
    assert planned(region=["ATL56-C1", "NRT57-P3"], staged=True).plan.stages == 1


@pytest.mark.parametrize("reason", ["unresolved_pop", "wrong_pop"])
def test_unreachable_pop_is_not_the_first_of_its_regional_cache(reason: str) -> None:
    """It would fill no regional cache, and all other POPs of its area would request from the origin."""
    area = ["NRT57-P3", "NRT12-C1"]
    assert {CATALOGUE.regional_cache_of(pop) for pop in area} == {"NRT"}
    group = planned({"NRT57-P3": reason}, region=area, staged=True, allow_unknown_pops=True).plan.groups[0]
    assert (group.pops, group.first_stage) == (("NRT12-C1", "NRT57-P3"), 1)


def test_staged_run_with_only_unreachable_pops_has_one_stage() -> None:
    run = planned(dict.fromkeys(POP_NAMES, "unresolved_pop"), region=list(POP_NAMES), staged=True)
    assert (run.plan.stages, run.plan.targets) == (1, len(POP_NAMES))


@given(
    st.integers(1, 40),
    st.integers(0, 30),
    st.integers(0, 3),
    st.sampled_from([["apac"], ["eu", "jp"], ["mx"], ["all"]]),
    st.lists(st.sampled_from(["br, gzip", "gzip", "identity"]), min_size=1, max_size=3),
    st.booleans(),
)
@bounded(max_examples=25, deadline=None)
def test_every_target_is_in_exactly_one_batch(
    here: int,
    there: int,
    nowhere: int,
    region: list[str],
    encodings: list[str],
    staged: bool,
) -> None:
    texts = [f"https://www.example.com/{n}" for n in range(here)]
    texts += [f"https://other.example.com/{n}" for n in range(there)]
    texts += [f"https://unserved.example/{n}" for n in range(nowhere)]
    changes: dict[str, Any] = {
        "url_list": texts,
        "region_type": "region",
        "region": region,
        "accept_encodings": encodings,
        "staged": staged,
    }
    submitted = request(**changes)
    result = matched(**changes)
    groups = [probed(group, submitted.pops) for group in result.groups]
    run = plan_groups(groups, result.unmatched, **changes)
    batched: set[tuple[str, str]] = set()
    for batch in (batch for stage in run.stages for batch in stage):
        group = run.plan.groups[batch.group]
        tile = {
            (url.fetch, pop)
            for url in run.urls[batch.url_from : batch.url_to]
            for pop in group.pops[batch.pop_from : batch.pop_to]
        }
        assert not tile & batched
        assert batch.targets == len(tile) * len(run.plan.variants)
        batched |= tile
    assert batched == {(url.fetch, pop) for url in submitted.urls if url.host in SERVED for pop in submitted.pops}
    assert run.plan.targets == len(batched) * len(set(encodings))
    assert run.plan.batches == sum(map(len, run.stages))
    assert (run.plan.url_count, run.plan.placed) == (len(texts), here + there)
    assert [url.fetch for url in run.urls[run.plan.placed :]] == [url.fetch for url in result.unmatched]


@pytest.mark.parametrize(
    ("submitted", "order"),
    [
        (["identity", "br, gzip", "gzip"], ("br, gzip", "gzip", "identity")),
        (["IDENTITY", "gzip"], ("gzip", "IDENTITY")),
        (["deflate", "zstd", "Br"], ("Br", "deflate", "zstd")),
        (["gzip", "gzip"], ("gzip",)),
    ],
)
def test_variants_are_unique_and_identity_is_last(submitted: list[str], order: tuple[str, ...]) -> None:
    assert planned(accept_encodings=submitted).plan.variants == order


def test_plan_contains_the_fields_of_the_request() -> None:
    plan = planned(
        timeout_minutes=7, verify="all", fail_on="none", max_bytes=9, invalidate=True, min_warm_percent=80
    ).plan
    assert (plan.started_at, plan.deadline) == (1000.0, 1420.0)
    assert (plan.verify, plan.fail_on, plan.max_bytes, plan.invalidate) == ("all", "none", 9, True)
    assert (plan.percent_needed, plan.region_type) == (80.0, "pop")


def test_plan_contains_the_seconds_that_resolving_took() -> None:
    assert planned().plan.resolve_seconds == 2.5


@pytest.mark.parametrize(("invalidate", "counts"), [(True, (2, 1)), (False, (0, 0))])
def test_invalidation_is_counted_only_if_requested(invalidate: bool, counts: tuple[int, int]) -> None:
    urls = [f"https://www.example.com/{path}" for path in "ab"]
    plan = planned(url_list=urls, invalidate=invalidate).plan
    assert (plan.invalidation_paths, plan.invalidation_rounds) == counts


def test_url_indices_continue_across_distributions() -> None:
    changes: dict[str, Any] = {
        "url_list": ["https://www.example.com/1", "https://other.example.com/2", "https://x.example/3"]
    }
    result = matched(**changes)
    groups = [probed(group, ["ATL56-C1"]) for group in result.groups]
    run = plan_groups(groups, result.unmatched, **changes)
    assert [(group.url_from, group.url_to) for group in run.plan.groups] == [(0, 1), (1, 2)]
    assert [group.addresses for group in run.groups] == [{"ATL56-C1": ["192.0.2.1"]}] * 2
    assert [group.stored for group in run.groups] == list(run.plan.groups)


def test_max_rps_that_misses_the_deadline_is_rejected_with_the_limits_that_would_do() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_max_rps(0.1, 70, 10)
    assert str(caught.value) == (
        "max_rps: 70 fetches take 12 minutes or more at 0.1 per second; "
        "set more than 0.1 per second, or raise timeout_minutes (10)"
    )
    check_max_rps(0.1, 60, 10)
    check_max_rps(None, 10**9, 1)
