"""Planning of a regional run: one target for each URL and area, the POPs that carry it, warnings, both tiers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.planning.batching import expected_pairs
from prewarm.planning.plan import Plan, Skipped
from resolve.distributions.cache_behaviours import behaviours
from resolve.distributions.forwarding import Policies
from resolve.dry_run import Sizes, dry_run_document
from resolve.regional import MOST_POPS, SECONDS_PER_DAY
from resolve.stages import MatchedGroup, PlannedRun, ProbedGroup
from tests.support.builders import DISTRIBUTION, request
from tests.support.planning import CATALOGUE, plan_groups, planned, probed

FRANKFURT, TOKYO = ["FRA2-C1", "FRA50-C1", "FRA53-C1"], ["NRT12-C1"]
ENTRY = {"TargetOriginId": "o", "ForwardedValues": {"QueryString": True}}


def regional(**changes: Any) -> PlannedRun:
    return planned(region=[*FRANKFURT, *TOKYO], tier="regional", **changes)


def areas_of(run: PlannedRun) -> dict[str, tuple[str, ...]]:
    (group,) = run.plan.groups
    assert group.pops == tuple(pops[0] for pops in group.areas)
    return {CATALOGUE.regional_cache_of(pops[0]): pops for pops in group.areas}


def test_each_area_is_one_column_with_its_pops_as_carriers() -> None:
    run = regional(url_list=["https://www.example.com/a", "https://www.example.com/b"])
    assert areas_of(run) == {"FRA": tuple(FRANKFURT), "NRT": tuple(TOKYO)}
    assert (run.plan.tier, run.plan.targets, run.plan.stages) == ("regional", 4, 1)


def test_edge_is_the_default_and_has_no_areas() -> None:
    run = planned(region=[*FRANKFURT, *TOKYO])
    assert (run.plan.tier, run.plan.groups[0].areas, run.plan.targets) == ("edge", (), 4)


@pytest.mark.parametrize(("day", "first"), [(0, "FRA2-C1"), (1, "FRA50-C1"), (2, "FRA53-C1"), (3, "FRA2-C1")])
def test_first_pop_of_an_area_changes_every_day(day: int, first: str) -> None:
    checked = request(region=FRANKFURT, tier="regional")
    group = probed(MatchedGroup(DISTRIBUTION, checked.urls), FRANKFURT)
    run = plan_groups([group], [], started_at=SECONDS_PER_DAY * day + 7.0, region=FRANKFURT, tier="regional")
    assert run.plan.groups[0].pops == (first,)
    assert sorted(run.plan.groups[0].areas[0]) == sorted(FRANKFURT)


def test_areas_keep_the_groups_account_and_tenant() -> None:
    checked = request(region=FRANKFURT, tier="regional")
    owned = replace(DISTRIBUTION, account="210987654321", tenant="dt_1")
    run = plan_groups([probed(MatchedGroup(owned, checked.urls), FRANKFURT)], [], region=FRANKFURT, tier="regional")
    assert (run.plan.groups[0].account, run.plan.groups[0].tenant) == ("210987654321", "dt_1")


def test_unreachable_first_pop_is_skipped_and_the_next_one_carries_the_area() -> None:
    run = regional(unusable={"FRA2-C1": "timeout"})
    assert areas_of(run) == {"FRA": ("FRA50-C1", "FRA53-C1"), "NRT": tuple(TOKYO)}
    assert run.plan.groups[0].skipped == (Skipped("FRA2-C1", "timeout"),)
    assert run.plan.targets == 2


def test_named_area_without_a_reachable_pop_stays_so_that_it_fails() -> None:
    run = regional(unusable={"NRT12-C1": "timeout"})
    assert areas_of(run)["NRT"] == ("NRT12-C1",)
    assert run.plan.groups[0].skipped == ()
    assert any("cannot be reached" in warning for warning in run.plan.warnings)


def test_area_of_a_region_without_a_reachable_pop_is_skipped() -> None:
    pops = request(region_type="region", region="apac").pops
    tokyo = [pop for pop in pops if CATALOGUE.regional_cache_of(pop) == "NRT"]
    run = planned(dict.fromkeys(tokyo, "timeout"), region_type="region", region="apac", tier="regional")
    assert "NRT" not in areas_of(run)
    assert {each.pop for each in run.plan.groups[0].skipped} == set(tokyo)


def test_region_without_any_reachable_pop_keeps_its_areas() -> None:
    pops = request(region_type="country", region="nz").pops
    run = planned(dict.fromkeys(pops, "unresolved_pop"), region_type="country", region="nz", tier="regional")
    assert {pop for area in run.plan.groups[0].areas for pop in area} <= set(pops)
    assert run.plan.targets > 0


def test_plan_is_stored_and_read_with_its_areas() -> None:
    plan = replace(regional().plan, batch_list=())
    assert Plan.from_json(plan.as_json()) == plan


def test_plan_of_an_earlier_version_is_of_tier_edge() -> None:
    document = planned().plan.as_json()
    del document["tier"]
    for group in document["groups"]:
        del group["areas"]
    assert Plan.from_json(document).tier == "edge"


@given(
    urls=st.integers(1, 30),
    pops=st.sets(st.sampled_from(sorted(CATALOGUE.pops)), min_size=1, max_size=60),
    data=st.data(),
)
@bounded(max_examples=40, deadline=None)
def test_every_url_is_in_every_area_exactly_once(urls: int, pops: set[str], data: st.DataObject) -> None:
    unusable = data.draw(st.sets(st.sampled_from(sorted(pops))))
    kind = data.draw(st.sampled_from(["pop", "region"]))
    day = data.draw(st.integers(0, 400))
    listed = [f"https://www.example.com/{number}" for number in range(urls)]
    where: dict[str, Any] = {"region_type": kind, "region": sorted(pops) if kind == "pop" else ["all"]}
    changes = where | {"url_list": listed, "tier": "regional", "accept_encodings": ["br, gzip", "identity"]}
    group = ProbedGroup(
        DISTRIBUTION,
        request(**changes).urls,
        tuple(sorted(pops)),
        skipped=(),
        behaviours=[],
        addresses={pop: ["192.0.2.1"] for pop in pops},
        unusable={pop: Skipped(pop, "timeout") for pop in unusable},
    )
    run = plan_groups([group], [], started_at=float(SECONDS_PER_DAY * day), **changes)
    (stored,) = run.plan.groups
    every = {CATALOGUE.regional_cache_of(pop) for pop in pops}
    reachable = {CATALOGUE.regional_cache_of(pop) for pop in pops - unusable}
    kept = every if kind == "pop" or not reachable else reachable
    assert sorted(CATALOGUE.regional_cache_of(pop) for pop in stored.pops) == sorted(kept)
    cells = [
        (index, stored.pops[batch.pop_from + column])
        for stage in run.stages
        for batch in stage
        for row, index in enumerate(batch.cells.rows)
        for column in range(batch.cells.pops)
        if batch.cells.has(row, column)
    ]
    assert sorted(cells) == sorted((index, pop) for index in range(urls) for pop in stored.pops)
    assert run.plan.targets == 2 * len(cells)
    assert expected_pairs(run.plan) == [len(kept)] * urls
    for area in stored.areas:
        assert len(set(area)) == len(area) <= MOST_POPS
        assert len({CATALOGUE.regional_cache_of(pop) for pop in area}) == 1
        some_usable = any(
            CATALOGUE.regional_cache_of(pop) == CATALOGUE.regional_cache_of(area[0]) for pop in pops - unusable
        )
        assert some_usable is unusable.isdisjoint(area)


def warnings_of(run: PlannedRun) -> str:
    return "\n".join(run.plan.warnings)


def test_area_of_one_pop_is_a_warning() -> None:
    assert "one area has one POP in this run (NRT12-C1)" in warnings_of(regional())
    assert "unproven" not in warnings_of(planned(region=FRANKFURT, tier="regional"))


def test_staged_has_no_effect_and_says_so() -> None:
    run = regional(staged=True)
    assert run.plan.stages == 1
    assert any(warning.startswith("staged: has no effect") for warning in run.plan.warnings)
    assert not any(warning.startswith("staged") for warning in regional().plan.warnings)


def with_settings(settings: dict[str, Any], response_headers: dict[str, Any] | None = None) -> PlannedRun:
    config = {
        "DefaultCacheBehavior": ENTRY | settings,
        "Origins": {"Items": [{"Id": "o", "DomainName": "b.s3.eu-central-1.amazonaws.com", "S3OriginConfig": {}}]},
    }
    policies = Policies(response_headers={"p": response_headers}) if response_headers is not None else Policies()
    checked = request(region=FRANKFURT, tier="regional")
    group = probed(MatchedGroup(DISTRIBUTION, checked.urls), FRANKFURT)
    inspected = replace(group, behaviours=behaviours(config, {}, policies))
    return plan_groups([inspected], [], started_at=1000.0, region=FRANKFURT, tier="regional")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MinTTL": 0, "MaxTTL": 0, "DefaultTTL": 0}, "dynamic requests bypass the regional edge caches"),
        (
            {"ForwardedValues": {"QueryString": True, "Headers": {"Quantity": 1, "Items": ["*"]}}},
            "dynamic requests bypass the regional edge caches",
        ),
        ({}, "its S3 bucket is in eu-central-1"),
    ],
)
def test_bypass_of_the_regional_cache_is_a_warning(settings: dict[str, Any], reason: str) -> None:
    (found,) = [each for each in with_settings(settings).plan.warnings if "go to the origin directly" in each]
    assert reason in found
    assert found.endswith("tier regional cannot warm these: use tier edge")


@pytest.mark.parametrize(
    ("policy", "warned"),
    [
        (None, True),
        ({}, True),
        ({"ServerTimingHeadersConfig": {"Enabled": False, "SamplingRate": 0}}, True),
        ({"ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 0}}, False),
    ],
)
def test_missing_server_timing_is_a_warning(policy: dict[str, Any] | None, warned: bool) -> None:
    settings = {} if policy is None else {"ResponseHeadersPolicyId": "p"}
    run = with_settings(settings, policy)
    assert ("without Server-Timing in its response headers policy" in warnings_of(run)) is warned


def test_pairs_of_a_regional_run_are_rejected() -> None:
    with pytest.raises(InvalidRequest, match=r"tier: cannot be combined with targets_s3, whose pairs name POPs"):
        request(url_list=None, region_type=None, region=None, targets_s3="s3://b/k", tier="regional")


def test_unknown_tier_is_rejected_with_the_valid_ones() -> None:
    with pytest.raises(InvalidRequest, match=r"tier: must be 'edge' or 'regional', got 'rec'; omit it"):
        request(tier="rec")


@pytest.mark.parametrize("tier", ["edge", "regional"])
def test_dry_run_prices_both_tiers_whichever_is_asked_for(tier: str) -> None:
    urls = [f"https://www.example.com/{number}" for number in range(100)]
    where: dict[str, Any] = {"region_type": "region", "region": "eu"}
    run = planned(url_list=urls, tier=tier, dry_run=True, verify="none", **where)
    document = dry_run_document(run, [Sizes(1, 1, 1000)], CATALOGUE)
    pops = request(**where).pops
    areas = {CATALOGUE.regional_cache_of(pop) for pop in pops}
    edge, regional_ = document["tiers"]
    assert document["tier"] == tier
    assert [edge["tier"], regional_["tier"]] == ["edge", "regional"]
    assert (edge["pops"], edge["targets"], edge["fetches"]) == (len(pops), 100 * len(pops), 100 * len(pops))
    assert (regional_["pops"], regional_["targets"]) == (len(areas), 100 * len(areas))
    assert (edge["originFetches"], regional_["originFetches"]) == (100 * len(areas), 100 * len(areas))
    assert regional_["estimatedBytes"] == 100 * len(areas) * 1000
    assert 0 < regional_["dollars"] < edge["dollars"] / 5
    own = edge if tier == "edge" else regional_
    assert (own["targets"], own["dollars"]) == (document["targets"], document["cost"]["dollars"])


def test_comparison_ignores_a_max_rps_that_only_the_other_tier_exceeds() -> None:
    where: dict[str, Any] = {"region_type": "region", "region": "all", "timeout_minutes": 1, "max_rps": 1.0}
    run = planned(tier="regional", dry_run=True, **where)
    assert run.other_tier is not None
    assert run.other_tier.plan.targets > 60
    with pytest.raises(InvalidRequest, match="max_rps"):
        planned(tier="edge", dry_run=True, **where)


def test_run_that_is_not_a_dry_run_is_planned_once() -> None:
    assert planned(tier="regional").other_tier is None
