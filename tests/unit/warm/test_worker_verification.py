"""Proofs: which targets are fetched again, and what a second fetch says of them and of others."""

from collections import Counter

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, lines_of, response
from tests.support.worker import HIT, Edge, not_kept, one_after_the_other, work
from warm.worker import (
    TRIES,
)


def test_a_hit_at_first_sight_is_already_warm_and_proven(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"already_warm": 1}, 1, 1)


def test_a_proof_is_a_second_fetch_at_once_at_the_same_address(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(response(), response(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0"] * 2
    assert worked.waits == [0.0, 0.0]
    assert (worked.result.outcomes, worked.result.verified, worked.result.bytes) == ({"warmed": 1}, 1, 20)


def test_the_record_of_a_proven_target_is_of_the_fetch_that_warmed_it(clock: Clock) -> None:
    worked = work(
        clock, one_after_the_other(response(etag="first"), response(x_cache=HIT, etag="proof")), verify="all"
    )
    (line,) = lines_of(worked.worker.recorder)
    assert '"etag":"first"' in line
    assert '"tries":2' in line


def test_a_second_miss_is_asked_at_another_address(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(response(), response(), response(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0", "192.0.2.0", "198.51.100.0"]
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_a_target_that_is_a_miss_every_time_is_unproven_in_the_end(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(response()), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert len(worked.addresses) == TRIES + 1
    assert worked.result.verified == 0


def test_only_the_sample_is_fetched_twice(clock: Clock) -> None:
    edge = Edge()
    work(clock, edge, 3, 3, verify="sample")
    assert sorted(Counter(edge.asked).values()) == [1] * 6 + [2] * 3


def test_misses_on_the_way_to_a_proof_cost_no_tries(clock: Clock) -> None:
    broken = response(bytes=3)
    worked = work(clock, one_after_the_other(response(), broken, broken, response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_where_the_sample_is_not_kept_every_target_is_proven_by_itself(clock: Clock) -> None:
    worked = work(clock, not_kept, 3, 3, verify="sample")
    assert worked.result.outcomes == {"unproven": 9}
    # The sample has its full number of fetches; what it speaks against is asked once more, and no oftener.
    assert len(worked.addresses) == 3 * (TRIES + 1) + 6 * 2


def test_what_the_sample_speaks_for_is_believed(clock: Clock) -> None:
    worked = work(clock, Edge(), 3, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 9}, 3)


def test_one_pop_that_keeps_nothing_does_not_condemn_the_others(clock: Clock) -> None:
    keeping = Edge()
    worked = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == 0 else keeping(fetch), 3, 3, verify="all"
    )
    assert worked.result.outcomes == {"unproven": 3, "warmed": 6}


def test_when_the_sampled_target_fails_otherwise_another_one_is_proven(clock: Clock) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        return response("ATL56-C1", status=404) if fetch.owner.number == 0 else keeping(fetch)

    worked = work(clock, edge, 1, 3, verify="sample", region_type="pop")
    assert worked.result.outcomes == {"client_error": 1, "warmed": 2}
    assert worked.result.verified == 2 or Counter(keeping.asked).total() == 4


@pytest.mark.parametrize("header", ["no-store", "private, max-age=60", "public, max-age=0", "s-maxage=0"])
def test_headers_that_speak_against_a_copy_have_every_target_proven(clock: Clock, header: str) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        found = keeping(fetch)
        found.cache_control = header
        return found

    worked = work(clock, edge, 1, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 3}, 3)


def test_what_the_settings_forbid_is_not_cacheable_and_asked_no_oftener_than_needed(clock: Clock) -> None:
    worked = work(clock, not_kept, 2, 3, verify="sample", uncacheable={1: "its cache policy X keeps nothing"})
    assert worked.result.outcomes == {"unproven": 3, "not_cacheable": 3}
    asked = Counter(number // 3 for _, number, _ in worked.fetcher.seen)
    assert asked[1] == 3 * 2
    assert "its cache policy X keeps nothing" in "".join(lines_of(worked.worker.recorder))


def test_without_proofs_nothing_is_asked_twice_whatever_the_headers_say(clock: Clock) -> None:
    worked = work(clock, lambda _: response(cache_control="no-store"), verify="none", uncacheable={0: "why"})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"warmed": 1}, 1)


@pytest.mark.parametrize(
    "weak",
    [
        response(x_cache="RefreshHit from cloudfront"),
        response(x_cache=HIT, server_timing='cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="REC"'),
    ],
)
def test_a_copy_that_is_not_the_pops_own_proves_nothing(clock: Clock, weak: Response) -> None:
    worked = work(clock, one_after_the_other(response(), weak), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    worked = work(clock, one_after_the_other(weak, response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_the_layers_that_answered_are_counted(clock: Clock) -> None:
    told = response(server_timing='cdn-upstream-layer;desc="EDGE",cdn-cache-miss,cdn-pop;desc="ATL56-C1"')
    assert work(clock, lambda _: told, 4).result.layers == {"EDGE": 4}
