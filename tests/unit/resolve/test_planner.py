"""From a checked request to a plan: placement, POPs that are skipped or kept, stages, invalidation paths."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.plan import Skipped
from resolve.planner import draw, place
from tests.support.builders import POP_NAMES, request
from tests.support.planning import FOUND, KNOWN, NETWORKS, SERVED, drawn, refusal


def test_urls_are_placed_by_distribution_in_the_order_of_the_request() -> None:
    texts = ["https://other.example.com/1", "https://www.example.com/2", "https://nobody.example/3"]
    texts += ["https://other.example.com/4", "https://www.example.com/5"]
    placements, unplaced = place(request(url_list=texts), FOUND)
    assert [each.distribution.id for each in placements] == ["E2", "E1"]
    assert [[url.fetch[-1] for url in each.urls] for each in placements] == [["1", "4"], ["2", "5"]]
    assert [url.host for url in unplaced] == ["nobody.example"]


def test_a_request_of_which_no_url_can_be_placed_is_refused_with_its_hosts() -> None:
    sentence = refusal(url_list=["https://a.example/1", "https://b.example/"])
    assert sentence == ("url_list: none of its hosts can be warmed: nobody serves a.example; nobody serves b.example")


def test_hosts_that_are_not_listed_are_counted() -> None:
    sentence = refusal(url_list=[f"https://h{number}.example/" for number in range(9)])
    assert sentence.endswith("nobody serves h4.example; and 4 more hosts")


@pytest.mark.parametrize(("region_type", "region"), [("country", "jp"), ("region", "apac"), ("pop", "all")])
def test_unfit_pops_of_an_area_are_skipped_and_listed(region_type: str, region: str) -> None:
    pops = request(region_type=region_type, region=region).pops
    assert len(pops) > 1
    group = drawn({pops[0]: "wrong_pop"}, region_type=region_type, region=region).plan.groups[0]
    assert group.pops == tuple(pops[1:])
    assert group.skipped == (Skipped(pops[0], "wrong_pop"),)


def test_when_no_pop_of_an_area_is_fit_none_is_skipped() -> None:
    pops = request(region_type="country", region="nz").pops
    group = drawn(dict.fromkeys(pops, "unresolved_pop"), region_type="country", region="nz").plan.groups[0]
    assert group.pops == tuple(pops)
    assert group.skipped == ()


@given(st.sets(st.sampled_from(POP_NAMES)), st.booleans())
@bounded(max_examples=30, deadline=None)
def test_a_pop_asked_for_by_name_is_never_skipped(unfit: set[str], staged: bool) -> None:
    found = drawn(dict.fromkeys(unfit, "unresolved_pop"), region=list(POP_NAMES), staged=staged)
    (group,) = found.plan.groups
    assert sorted(group.pops) == sorted(POP_NAMES)
    assert group.skipped == ()
    assert found.plan.targets == len(POP_NAMES)


def test_an_unstaged_run_keeps_the_order_of_its_pops_in_one_stage() -> None:
    found = drawn(region=list(POP_NAMES))
    assert found.plan.groups[0].pops == POP_NAMES
    assert (found.plan.stages, len(found.stages)) == (1, 1)


def test_a_staged_run_begins_with_the_first_pop_of_each_regional_cache() -> None:
    asked = request(region_type="region", region="apac", staged=True)
    found = drawn(region_type="region", region="apac", staged=True)
    (group,) = found.plan.groups
    leading, others = group.pops[: group.first_stage], group.pops[group.first_stage :]
    areas = [KNOWN.regional_cache_of(pop) for pop in leading]
    assert len(set(areas)) == len(areas)
    assert set(areas) == {KNOWN.regional_cache_of(pop) for pop in asked.pops}
    assert sorted(leading + others) == sorted(asked.pops)
    assert list(others) == [pop for pop in asked.pops if pop not in leading]
    assert found.plan.stages == 2
    assert [batch.pop_to <= group.first_stage for batch in found.stages[0]] == [True] * len(found.stages[0])


def test_a_staged_run_of_one_area_per_pop_has_one_stage() -> None:
    assert drawn(region=["ATL56-C1", "NRT57-P3"], staged=True).plan.stages == 1


@pytest.mark.parametrize("reason", ["unresolved_pop", "wrong_pop"])
def test_a_pop_that_cannot_be_reached_leads_no_area(reason: str) -> None:
    """It would fill no regional cache, and the others of its area would all ask the origin."""
    area = ["NRT57-P3", "NRT12-C1"]
    assert {KNOWN.regional_cache_of(pop) for pop in area} == {"NRT"}
    group = drawn({"NRT57-P3": reason}, region=area, staged=True, allow_unknown_pops=True).plan.groups[0]
    assert (group.pops, group.first_stage) == (("NRT12-C1", "NRT57-P3"), 1)


def test_a_staged_run_whose_pops_are_all_unreachable_has_one_stage() -> None:
    found = drawn(dict.fromkeys(POP_NAMES, "unresolved_pop"), region=list(POP_NAMES), staged=True)
    assert (found.plan.stages, found.plan.targets) == (1, len(POP_NAMES))


@given(
    st.integers(1, 40),
    st.integers(0, 30),
    st.integers(0, 3),
    st.sampled_from([["apac"], ["eu", "jp"], ["mx"], ["all"]]),
    st.lists(st.sampled_from(["br, gzip", "gzip", "identity"]), min_size=1, max_size=3),
    st.booleans(),
)
@bounded(max_examples=25, deadline=None)
def test_every_target_of_a_run_is_in_exactly_one_batch(
    here: int,
    there: int,
    nowhere: int,
    region: list[str],
    encodings: list[str],
    staged: bool,
) -> None:
    texts = [f"https://www.example.com/{n}" for n in range(here)]
    texts += [f"https://other.example.com/{n}" for n in range(there)]
    texts += [f"https://nobody.example/{n}" for n in range(nowhere)]
    asked = request(url_list=texts, region_type="region", region=region, accept_encodings=encodings, staged=staged)
    placements, unplaced = place(asked, FOUND)
    for placement in placements:
        for pop in asked.pops:
            placement.pops.append(pop)
            placement.take_addresses(pop, ["192.0.2.1"], NETWORKS)
    found = draw("run", 0.0, asked, placements, unplaced, KNOWN)
    seen: set[tuple[str, str]] = set()
    for batch in (batch for stage in found.stages for batch in stage):
        group = found.plan.groups[batch.group]
        tile = {
            (url.fetch, pop)
            for url in found.urls[batch.url_from : batch.url_to]
            for pop in group.pops[batch.pop_from : batch.pop_to]
        }
        assert not tile & seen
        assert batch.targets == len(tile) * len(found.plan.variants)
        seen |= tile
    assert seen == {(url.fetch, pop) for url in asked.urls if url.host in SERVED for pop in asked.pops}
    assert found.plan.targets == len(seen) * len(set(encodings))
    assert found.plan.batches == sum(map(len, found.stages))
    assert (found.plan.url_count, found.plan.placed) == (len(texts), here + there)
    assert [url.fetch for url in found.urls[found.plan.placed :]] == [url.fetch for url in unplaced]


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        (["identity", "br, gzip", "gzip"], ("br, gzip", "gzip", "identity")),
        (["IDENTITY", "gzip"], ("gzip", "IDENTITY")),
        (["deflate", "", "Br"], ("Br", "deflate", "")),
        (["gzip", "gzip"], ("gzip",)),
    ],
)
def test_variants_come_once_and_what_is_not_encoded_last(asked: list[str], order: tuple[str, ...]) -> None:
    assert drawn(accept_encodings=asked).plan.variants == order


def test_a_plan_carries_what_the_request_says() -> None:
    wanted = drawn(
        timeout_minutes=7, verify="all", fail_on="none", max_bytes=9, invalidate=True, min_warm_percent=80
    ).plan
    assert (wanted.started_at, wanted.deadline) == (1000.0, 1420.0)
    assert (wanted.verify, wanted.fail_on, wanted.max_bytes, wanted.invalidate) == ("all", "none", 9, True)
    assert (wanted.percent_needed, wanted.region_type) == (80.0, "pop")


def test_items_carry_their_batch_and_no_secret() -> None:
    found = drawn(url_list=["https://www.example.com/?token=s3cret"])
    (item,) = found.items(found.stages[0])
    assert item["id"] == "1-000000"
    assert "s3cret" not in str(item)


def test_a_placement_of_several_distributions_numbers_urls_through() -> None:
    asked = request(url_list=["https://www.example.com/1", "https://other.example.com/2", "https://x.example/3"])
    placements, unplaced = place(asked, FOUND)
    ready = [replace(each, pops=["ATL56-C1"], addresses={"ATL56-C1": ["192.0.2.1"]}) for each in placements]
    found = draw("run", 0.0, asked, ready, unplaced, KNOWN)
    assert [(group.url_from, group.url_to) for group in found.plan.groups] == [(0, 1), (1, 2)]
    assert found.addresses == [{"ATL56-C1": ["192.0.2.1"]}] * 2
