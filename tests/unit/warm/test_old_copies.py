"""Copies from before a run that invalidated its URLs: they are never taken for new ones."""

from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, response
from tests.support.worker import HIT, MISS, in_order, work

RUN_AGE = 60.0
LAYER = 'cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc='
NAMED, REGIONAL = f'{LAYER}"EDGE"', f'{LAYER}"REC"'
INVALIDATING: dict[str, Any] = {"invalidate": True, "run_age": RUN_AGE}


def hit(age: str, timing: str = "") -> Response:
    return response(x_cache=HIT, age=age, server_timing=timing)


@pytest.mark.parametrize("verify", ["none", "sample", "all"])
@pytest.mark.parametrize("timing", [NAMED, ""])
def test_hit_from_before_the_run_is_stale(clock: Clock, verify: str, timing: str) -> None:
    worked = work(clock, lambda _: hit("5000", timing), verify=verify, **INVALIDATING)
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"stale": 1}, 0, 2)
    assert len(set(worked.addresses)) == 1
    assert "Age: 5000: older than the run, which invalidated it" in worked.records[0]


@pytest.mark.parametrize("age", ["", "0", "30", "61"])
def test_hit_that_may_be_younger_than_the_run_is_a_proof(clock: Clock, age: str) -> None:
    """Viewers may have fetched it after the edge removed the old copy."""
    assert work(clock, lambda _: hit(age, NAMED), verify="all", **INVALIDATING).result.outcomes == {"already_warm": 1}


def test_run_that_invalidates_nothing_accepts_copies_of_any_age(clock: Clock) -> None:
    worked = work(clock, lambda _: hit("5000", NAMED), verify="all", run_age=RUN_AGE)
    assert worked.result.outcomes == {"already_warm": 1}


def test_url_that_no_pattern_covers_may_keep_its_copy(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return hit("5000", NAMED) if fetch.owner.url == 0 else hit("5", NAMED)

    worked = work(clock, edge, 2, verify="all", kept=(0,), **INVALIDATING)
    assert worked.result.outcomes == {"already_warm": 2}


def test_age_of_a_cache_behind_cloudfront_is_not_that_of_an_old_copy(clock: Clock) -> None:
    fresh = in_order(response(x_cache=MISS, age="4999"), hit("5000", NAMED))
    assert work(clock, fresh, verify="all", **INVALIDATING).result.outcomes == {"warmed": 1}


def test_old_copy_of_another_server_is_stale_although_the_first_had_none(clock: Clock) -> None:
    edge = in_order(response(x_cache=MISS), hit("5000", NAMED))
    assert work(clock, edge, verify="all", **INVALIDATING).result.outcomes == {"stale": 1}


def test_old_copy_that_is_replaced_at_once_is_warmed(clock: Clock) -> None:
    edge = in_order(hit("5000", NAMED), response(x_cache=MISS), hit("1", NAMED))
    worked = work(clock, edge, verify="all", addresses={"ATL56-C1": ["192.0.2.0"]}, **INVALIDATING)
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


@pytest.mark.parametrize("verify", ["none", "sample", "all"])
def test_old_copy_of_a_regional_cache_is_stale(clock: Clock, verify: str) -> None:
    old = hit("5000", REGIONAL)
    worked = work(clock, lambda _: old, verify=verify, areas=(("ATL56-C1", "ATL58-P1"),), **INVALIDATING)
    assert worked.result.outcomes == {"stale": 1}
