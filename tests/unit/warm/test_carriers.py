"""Which POP of an area carries a target in a regional run, and what happens when one fails."""

import json
from collections import Counter

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.regional_causes import COLD
from tests.support.builders import Clock, refused
from tests.support.regional_area import (
    FRA,
    NRT,
    Area,
    outcomes,
    warmed,
)
from tests.support.worker import work


@pytest.mark.parametrize("verify", ["all", "sample", "none"])
def test_dead_first_pop_hands_its_targets_to_the_next_one(verify: str) -> None:
    edge = Area(FRA, NRT, dead=FRA[:1])
    worked = warmed(edge, FRA, NRT, urls=20, verify=verify)
    assert outcomes(worked) == {"warmed": 40}
    assert (worked.result.failed, worked.result.dark) == ({}, ())
    assert worked.reported_pops == [(FRA[0], "connect_error")]
    # It is given up on after six connections, and not tried for each target.
    assert sum(pop == FRA[0] for _, pop in edge.asked) <= 6
    carried = Counter(json.loads(line)["pop"] for line in worked.records)
    assert carried == {FRA[1]: 20, NRT[0]: 20}


def test_pop_that_another_worker_reported_as_dark_is_not_asked() -> None:
    edge = Area(FRA)
    worked = warmed(edge, FRA, urls=3, dark_pops={FRA[0]: "timeout"})
    assert outcomes(worked) == {"warmed": 3}
    assert FRA[0] not in {pop for _, pop in edge.asked}


def test_broken_connection_moves_one_target_only() -> None:
    edge = Area(FRA)
    real, broken = edge.get, [FRA[0]]
    edge.get = lambda url, pop: refused() if broken and broken.pop() else real(url, pop)  # type: ignore[method-assign]
    worked = warmed(edge, FRA, urls=4)
    assert outcomes(worked) == {"warmed": 4}
    carried = Counter(json.loads(line)["pop"] for line in worked.records)
    assert carried == {FRA[0]: 3, FRA[1]: 1}


def test_area_whose_pops_are_all_dead_is_listed_once_and_fails_no_target_of_others() -> None:
    edge = Area(FRA, NRT, dead=NRT)
    worked = warmed(edge, FRA, NRT, urls=4)
    assert outcomes(worked) == {"warmed": 4}
    assert [(each.pop, each.reason) for each in worked.result.dark] == [(NRT[0], "connect_error")]


def test_area_without_a_live_second_pop_is_unproven_and_not_skipped() -> None:
    edge = Area(NRT, dead=NRT[1:])
    worked = warmed(edge, NRT, urls=3)
    assert (outcomes(worked), worked.result.dark) == ({"unproven": 3}, ())
    assert {each.kind for each in worked.result.examples} == {f"unproven:200:{COLD}"}


def test_named_areas_that_are_dead_fail_once_for_each_url() -> None:
    worked = warmed(Area(FRA, dead=FRA), FRA, urls=2, region_type="pop")
    assert (outcomes(worked), worked.result.done) == ({"connect_error": 2}, 2)


def test_timeouts_of_a_slow_origin_are_not_repeated_at_every_pop() -> None:
    many = tuple(f"FRA{number}-C1" for number in range(2, 10))
    asked = []

    def slow(fetch: Fetch) -> Response:
        asked.append(fetch.queue)
        return Response(error=28, error_text="timeout", connected=True, status=200)

    worked = work(Clock(), slow, 1, areas=(many,), verify="all", region_type="pop")
    assert (outcomes(worked), len(asked)) == ({"timeout": 1}, 3)
