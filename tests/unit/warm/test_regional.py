"""Targets of a regional run: what proves that the regional edge cache has a copy, and which POP takes over."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.planning.cells import Cells
from prewarm.results.regional_causes import COLD, DIRECT, OWN_COPIES, SINGLE, UNNAMED
from tests.support.builders import Clock, response
from tests.support.regional_area import (
    FRA,
    HIT,
    MISS,
    NRT,
    REFRESHED,
    Area,
    kind_of,
    only_record,
    outcomes,
    timing,
    warmed,
)
from tests.support.worker import work
from warm.regional import Seen, seen


@pytest.mark.parametrize(
    ("x_cache", "header", "expected"),
    [
        (HIT, timing("REC", "FRA2-C1", hit=True), Seen.REGIONAL),
        (HIT, timing("Origin Shield", "FRA2-C1", hit=True), Seen.REGIONAL),
        (HIT, timing("EDGE", "FRA2-C1", hit=True), Seen.OWN),
        (MISS, timing("REC", "FRA2-C1", hit=False), Seen.FILLED),
        (MISS, timing("Origin Shield", "FRA2-C1", hit=False), Seen.FILLED),
        (MISS, timing("EDGE", "FRA2-C1", hit=False), Seen.DIRECT),
        (REFRESHED, timing("REC", "FRA2-C1", hit=False), Seen.FILLED),
        (HIT, "", Seen.UNNAMED),
        (MISS, "db;dur=53", Seen.UNNAMED),
        # Contradictions, and the metrics of an origin that is a CloudFront distribution.
        (MISS, timing("REC", "FRA2-C1", hit=True), Seen.UNCLEAR),
        (HIT, timing("REC", "FRA2-C1", hit=False), Seen.UNCLEAR),
        (HIT, timing("REC", "IAD89-P1", hit=True), Seen.UNCLEAR),
        (HIT, 'cdn-cache-hit,cdn-hit-layer;desc="REC"', Seen.UNCLEAR),
        (HIT, f"{timing('EDGE', 'FRA2-C1', hit=True)}, {timing('REC', 'IAD89-P1', hit=True)}", Seen.UNCLEAR),
        (MISS, f"{timing('REC', 'FRA2-C1', hit=False)}, {timing('EDGE', 'IAD89-P1', hit=False)}", Seen.UNCLEAR),
        (HIT, timing("LATER", "FRA2-C1", hit=True), Seen.UNCLEAR),
    ],
)
def test_layer_counts_only_as_the_single_one_of_the_pop_that_answered(
    x_cache: str, header: str, expected: Seen
) -> None:
    assert seen(response("FRA2-C1", x_cache, server_timing=header)) is expected


def test_site_without_a_number_is_the_pop_that_answered() -> None:
    answer = response("FRA2", HIT, server_timing=timing("REC", "FRA2-C1", hit=True))
    assert seen(answer) is Seen.REGIONAL


@pytest.mark.parametrize(("shared", "expected"), [(True, Seen.FILLED), (False, Seen.REGIONAL)])
def test_regional_hit_that_may_be_a_shared_response_shows_no_copy(expected: Seen, *, shared: bool) -> None:
    header = timing("REC", "FRA2-C1", hit=True)
    assert seen(response("FRA2-C1", HIT, server_timing=header), shared=shared) is expected


def test_cold_area_is_filled_by_its_first_pop_and_proven_by_the_second() -> None:
    edge = Area(FRA)
    worked = warmed(edge, FRA)
    assert outcomes(worked) == {"warmed": 1}
    assert [pop for _, pop in edge.asked] == [FRA[0], FRA[1]]
    record = only_record(worked)
    assert (record["pop"], record["proof_pop"], record["verified"]) == (FRA[0], FRA[1], True)
    assert edge.origin.total() == 1
    assert (worked.result.verified, worked.result.verified_in_pop) == (1, 0)


def test_regional_run_claims_no_gain() -> None:
    worked = warmed(Area(FRA), FRA)
    assert (worked.result.verified, worked.result.gain) == (1, "")


def test_hit_of_the_regional_cache_through_the_first_pop_is_the_proof() -> None:
    edge = Area(FRA, regional={("https://www.example.com/0", FRA[0])})
    worked = warmed(edge, FRA)
    assert (outcomes(worked), len(edge.asked), edge.origin.total()) == ({"already_warm": 1}, 1, 0)


@pytest.mark.parametrize("verify", ["all", "sample", "none"])
def test_own_copy_of_the_first_pop_does_not_stand_for_the_regional_cache(verify: str) -> None:
    """The regional edge cache is cold although the first POP answers with a Hit: another POP fills it."""
    edge = Area(FRA, own={("https://www.example.com/0", FRA[0])})
    worked = warmed(edge, FRA, verify=verify)
    assert outcomes(worked) == {"warmed": 1}
    assert ("https://www.example.com/0", FRA[0]) in edge.regional
    assert [pop for _, pop in edge.asked][:2] == [FRA[0], FRA[1]]


def test_second_pop_with_a_copy_of_its_own_is_passed_over_for_the_third() -> None:
    edge = Area(FRA, own={("https://www.example.com/0", FRA[1])})
    worked = warmed(edge, FRA)
    assert outcomes(worked) == {"warmed": 1}
    assert only_record(worked)["proof_pop"] == FRA[2]


@pytest.mark.parametrize("verify", ["all", "sample"])
def test_own_copy_of_the_only_second_pop_leaves_the_target_unproven(verify: str) -> None:
    edge = Area(NRT, own={("https://www.example.com/0", NRT[1])})
    worked = warmed(edge, NRT, verify=verify)
    assert (outcomes(worked), kind_of(worked)) == ({"unproven": 1}, f"unproven:200:{OWN_COPIES}")


@pytest.mark.parametrize("verify", ["all", "sample", "none"])
def test_own_copies_at_all_pops_leave_the_target_unproven(verify: str) -> None:
    edge = Area(FRA, own={("https://www.example.com/0", pop) for pop in FRA})
    worked = warmed(edge, FRA, verify=verify)
    assert (outcomes(worked), kind_of(worked)) == ({"unproven": 1}, f"unproven:200:{OWN_COPIES}")


@pytest.mark.parametrize("verify", ["all", "sample", "none"])
def test_pop_that_asks_the_origin_itself_leaves_the_target_unproven(verify: str) -> None:
    edge = Area(FRA, direct=FRA)
    worked = warmed(edge, FRA, verify=verify)
    assert (outcomes(worked), kind_of(worked)) == ({"unproven": 1}, f"unproven:200:{DIRECT}")
    assert len(edge.asked) == 1


def test_bypass_shown_by_the_second_pop_leaves_the_target_unproven() -> None:
    worked = warmed(Area(FRA, direct=FRA[1:]), FRA)
    assert (outcomes(worked), kind_of(worked)) == ({"unproven": 1}, f"unproven:200:{DIRECT}")


def test_bypass_of_one_url_in_one_area_is_not_hidden_by_the_proofs_of_others() -> None:
    """As with an S3 bucket in the Region of one area: URL and area are each proven by other targets."""
    edge = Area(FRA, NRT)
    real = edge.get

    def get(url: str, pop: str) -> Response:
        bypassed = url.endswith("/1") and pop in NRT
        return response(pop, MISS, server_timing=timing("EDGE", pop, hit=False)) if bypassed else real(url, pop)

    edge.get = get  # type: ignore[method-assign]
    worked = warmed(edge, FRA, NRT, urls=6, verify="sample")
    assert outcomes(worked) == {"warmed": 11, "unproven": 1}
    assert worked.result.failed == {1: {f"unproven:200:{DIRECT}": 1}}


@pytest.mark.parametrize(("verify", "expected"), [("all", "unproven"), ("sample", "unproven"), ("none", "warmed")])
def test_without_server_timing_nothing_is_proven_by_one_fetch(verify: str, expected: str) -> None:
    edge = Area(FRA, silent=True)
    worked = warmed(edge, FRA, verify=verify)
    assert (outcomes(worked), len(edge.asked)) == ({expected: 1}, 1)
    if expected == "unproven":
        assert kind_of(worked) == f"unproven:200:{UNNAMED}"


@pytest.mark.parametrize(("verify", "expected"), [("all", "unproven"), ("sample", "unproven"), ("none", "warmed")])
def test_area_of_one_pop_is_unproven_after_one_fetch(verify: str, expected: str) -> None:
    edge = Area(FRA[:1])
    worked = warmed(edge, FRA[:1], urls=3, verify=verify)
    assert (outcomes(worked), len(edge.asked)) == ({expected: 3}, 3)
    if expected == "unproven":
        assert worked.result.failed == {url: {f"unproven:200:{SINGLE}": 1} for url in range(3)}


@pytest.mark.parametrize("shown_as_miss", [False, True])
def test_cache_that_never_shows_a_hit_leaves_the_target_unproven(shown_as_miss: bool) -> None:
    edge = Area(FRA, keeps=shown_as_miss, shown_as_miss=shown_as_miss)
    worked = warmed(edge, FRA)
    assert (outcomes(worked), kind_of(worked)) == ({"unproven": 1}, f"unproven:200:{COLD}")


def test_copy_that_an_earlier_worker_fetched_is_proven_through_another_pop() -> None:
    edge = Area(FRA, own={("https://www.example.com/0", FRA[0])}, regional={("https://www.example.com/0", FRA[0])})
    worked = warmed(edge, FRA, progress={0: 3})
    assert (outcomes(worked), edge.origin.total()) == ({"warmed": 1}, 0)
    assert only_record(worked)["proof_pop"] == FRA[1]


def test_expired_copy_that_was_refreshed_is_not_a_proof() -> None:
    header = timing("REC", "FRA2-C1", hit=False)
    worked = work(
        Clock(),
        lambda fetch: response(_names(fetch), REFRESHED, server_timing=header.replace("FRA2-C1", _names(fetch))),
        1,
        areas=(FRA,),
        verify="sample",
    )
    assert outcomes(worked) == {"stale": 1}


def _names(fetch: Fetch) -> str:
    return FRA[int(fetch.queue.addresses[0].rpartition(".")[2])]


@given(
    urls=st.integers(1, 6),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    verify=st.sampled_from(["none", "sample", "all"]),
    data=st.data(),
)
@bounded(max_examples=60, deadline=None)
def test_every_url_has_one_result_in_each_area_and_warm_means_the_regional_cache_has_it(
    urls: int, sizes: list[int], verify: str, data: st.DataObject
) -> None:
    areas = tuple(tuple(f"AAA{area}-C{n}" for n in range(size)) for area, size in enumerate(sizes))
    pops = [pop for area in areas for pop in area]
    listed = [f"https://www.example.com/{number}" for number in range(urls)]
    pairs = st.sets(st.tuples(st.sampled_from(listed), st.sampled_from(pops)))
    edge = Area(
        *areas,
        own=data.draw(pairs),
        dead=tuple(data.draw(st.sets(st.sampled_from(pops), max_size=3))),
        direct=tuple(data.draw(st.sets(st.sampled_from(pops), max_size=1))),
        keeps=True,
    )
    worked = warmed(edge, *areas, urls=urls, verify=verify, region_type="pop")
    assert worked.result.finished
    assert worked.result.done == worked.result.targets == urls * len(areas)
    places = []
    for line in worked.records:
        record = json.loads(line)
        area = next(area for area in areas if record["pop"] in area)
        places.append((record["url"], area[0]))
        if record["outcome"] in {"warmed", "already_warm"}:
            assert (record["url"], area[0]) in edge.regional
        else:
            assert record["outcome"] in {"unproven", "connect_error"}
    assert sorted(places) == sorted((url, area[0]) for url in listed for area in areas)


def test_cells_of_a_regional_batch_are_urls_by_areas() -> None:
    worked = warmed(Area(FRA, NRT), FRA, NRT, urls=5, verify="sample")
    assert worked.tile.cells == Cells(range(5), 2)
    assert outcomes(worked) == {"warmed": 10}
    assert worked.result.verified == 5
