"""A first response that is a Hit or a RefreshHit: when it proves a copy, and when it is asked again."""

from collections import Counter

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, response
from tests.support.worker import HIT, Edge, in_order, work

EDGE_HIT = response(x_cache=HIT, server_timing='cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="EDGE"')


def test_first_hit_of_an_unknown_layer_is_asked_again(clock: Clock) -> None:
    """It may be the regional edge cache's, while the POP has no copy."""
    worked = work(clock, in_order(response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"already_warm": 1}, 1, 2)
    assert worked.result.verified_in_pop == 0


def test_first_hit_that_names_the_pop_is_a_proof(clock: Clock) -> None:
    worked = work(clock, in_order(EDGE_HIT), verify="all", addresses={"ATL56-C1": ["192.0.2.0"]})
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"already_warm": 1}, 1, 1)
    assert worked.result.verified_in_pop == 1


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_pop_behind_a_warm_regional_cache_that_keeps_nothing_is_unproven(clock: Clock, verify: str) -> None:
    """Each of its responses is a hit of the regional edge cache, and says so: none is a proof."""
    regional = 'cdn-cache-hit,cdn-hit-layer;desc="REC"'

    def edge(fetch: Fetch) -> Response:
        return response(("ATL56-C1", "NRT57-P3")[fetch.owner.pop], HIT, server_timing=regional)

    worked = work(clock, edge, 4, 2, verify=verify)
    assert worked.result.outcomes == {"unproven": 8}


def test_cold_pop_behind_a_warm_regional_cache_is_proven_by_the_second_hit(clock: Clock) -> None:
    """In a second stage the first fetch through a cold POP is a hit of the regional edge cache."""
    edge = Edge()

    def hits(fetch: Fetch) -> Response:
        kept = edge(fetch)
        kept.x_cache = HIT
        return kept

    worked = work(clock, hits, 4, 2, verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"already_warm": 8}, 8)
    assert set(Counter(edge.asked).values()) == {2}
    sampled = work(clock, hits, 3, 3, verify="sample")
    assert sampled.result.verified == 3


def test_hit_with_another_etag_than_the_copy_just_fetched_is_asked_again(clock: Clock) -> None:
    old = response(x_cache=HIT, etag='"old"')
    new = response(x_cache=HIT, etag='"new"')
    worked = work(clock, in_order(response(etag='"new"'), old, new, old), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert "changing contents" in worked.records[0]
    weak = work(clock, in_order(response(etag='"new"'), response(x_cache=HIT, etag='W/"new"')), verify="all")
    assert (weak.result.outcomes, weak.result.verified) == ({"warmed": 1}, 1)
    steady = work(clock, in_order(response(etag='"new"'), old, old), verify="all")
    assert (steady.result.outcomes, steady.result.verified) == ({"warmed": 1}, 1)


REFRESHED = response(x_cache="RefreshHit from cloudfront", age="90", cache_control="max-age=60")


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_refresh_hit_that_stays_is_stale(clock: Clock, verify: str) -> None:
    """An expired copy that the edge serves while the origin fails is a RefreshHit at every fetch."""
    worked = work(clock, lambda _: REFRESHED, 3, 1, verify=verify)
    assert worked.result.outcomes == {"stale": 3}
    assert "RefreshHit, Age: 90" in worked.records[0]


def test_refresh_hit_is_asked_again_and_a_hit_then_proves_it(clock: Clock) -> None:
    worked = work(clock, in_order(REFRESHED, response(x_cache=HIT)), verify="sample")
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"warmed": 1}, 1, 2)


def test_refresh_hit_of_a_copy_without_a_lifetime_is_unproven(clock: Clock) -> None:
    worked = work(
        clock, lambda _: response(x_cache="RefreshHit from cloudfront", cache_control="max-age=0"), verify="all"
    )
    assert worked.result.outcomes == {"unproven": 1}


def test_refresh_hit_after_an_invalidation_is_asked_again_even_without_verification(clock: Clock) -> None:
    worked = work(clock, lambda _: REFRESHED, verify="none", invalidate=True)
    assert worked.result.outcomes == {"stale": 1}
    assert work(clock, lambda _: REFRESHED, verify="none").result.outcomes == {"already_warm": 1}
