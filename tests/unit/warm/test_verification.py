"""Verification: which targets are fetched again, and what a second fetch decides for them and for others."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, response
from tests.support.worker import HIT, Edge, in_order, not_kept, work
from warm.cursor import FETCHED
from warm.judge import MOST_FETCHES
from warm.proof import is_hit_in_pop

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


def test_miss_is_verified_at_once_at_another_address(clock: Clock) -> None:
    worked = work(clock, in_order(response(), response(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0", "198.51.100.0"]
    assert worked.waits == [0.0, 0.0]
    assert (worked.result.outcomes, worked.result.verified, worked.result.bytes) == ({"warmed": 1}, 1, 20)


def test_record_of_verified_target_has_the_warming_response(clock: Clock) -> None:
    worked = work(clock, in_order(response(cf_id="first"), response(x_cache=HIT, cf_id="second")), verify="all")
    (line,) = worked.records
    assert '"cf_id":"first"' in line
    assert '"tries":2' in line


def test_miss_at_a_second_address_is_followed_by_a_fetch_at_the_same_one(clock: Clock) -> None:
    """It shows whether that address keeps a copy of its own; then the first one is asked for its copy too."""
    worked = work(clock, in_order(response(), response(), response(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0", "198.51.100.0", "198.51.100.0", "192.0.2.0"]
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_target_that_is_always_a_miss_is_unproven(clock: Clock) -> None:
    worked = work(clock, in_order(response()), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert len(worked.addresses) == MOST_FETCHES
    assert worked.result.verified == 0


def test_verify_sample_fetches_only_the_sample_twice(clock: Clock) -> None:
    edge = Edge()
    work(clock, edge, 3, 3, verify="sample")
    assert sorted(Counter(edge.asked).values()) == [1] * 6 + [2] * 3


def test_misses_do_not_count_as_tries(clock: Clock) -> None:
    broken = response(bytes=3)
    worked = work(clock, in_order(response(), broken, broken, response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_failed_sample_verifies_every_target_by_itself(clock: Clock) -> None:
    worked = work(clock, not_kept, 3, 3, verify="sample")
    assert worked.result.outcomes == {"unproven": 9}
    # The sample is fetched the full number of times, each target that follows from it once more.
    assert len(worked.addresses) == 3 * (MOST_FETCHES) + 6 * 2


def test_verified_sample_makes_held_targets_warm(clock: Clock) -> None:
    worked = work(clock, Edge(), 3, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 9}, 3)


def test_pop_that_keeps_nothing_does_not_affect_other_pops(clock: Clock) -> None:
    keeping = Edge()
    worked = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == 0 else keeping(fetch), 3, 3, verify="all"
    )
    assert worked.result.outcomes == {"unproven": 3, "warmed": 6}


def test_sampled_target_that_fails_is_replaced_by_another(clock: Clock) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        return response("ATL56-C1", status=404) if fetch.owner.number == 0 else keeping(fetch)

    worked = work(clock, edge, 1, 3, verify="sample", region_type="pop")
    assert worked.result.outcomes == {"client_error": 1, "warmed": 2}
    assert worked.result.verified == 2 or Counter(keeping.asked).total() == 4


@pytest.mark.parametrize("header", ["no-store", "private, max-age=60", "public, max-age=0", "s-maxage=0"])
def test_headers_that_forbid_a_copy_verify_every_target(clock: Clock, header: str) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        kept = keeping(fetch)
        kept.cache_control = header
        return kept

    worked = work(clock, edge, 1, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 3}, 3)


def test_uncacheable_url_is_fetched_twice_and_not_cacheable(clock: Clock) -> None:
    worked = work(clock, not_kept, 2, 3, verify="sample", uncacheable={1: "its cache policy X keeps nothing"})
    assert worked.result.outcomes == {"unproven": 3, "not_cacheable": 3}
    asked = Counter(number // 3 for _, number, _ in worked.fetcher.seen)
    assert asked[1] == 3 * 2
    assert "its cache policy X keeps nothing" in "".join(worked.records)


def test_verify_none_fetches_once_despite_no_store(clock: Clock) -> None:
    worked = work(clock, lambda _: response(cache_control="no-store"), verify="none", uncacheable={0: "reason"})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"warmed": 1}, 1)


@pytest.mark.parametrize(
    "weak",
    [
        response(x_cache="RefreshHit from cloudfront"),
        response(x_cache=HIT, server_timing='cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="REC"'),
    ],
)
def test_hit_outside_the_pop_does_not_verify(clock: Clock, weak: Response) -> None:
    worked = work(clock, in_order(response(), weak), verify="all")
    assert set(worked.result.outcomes) <= {"unproven", "stale"}
    worked = work(clock, in_order(weak, response(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_layers_are_counted(clock: Clock) -> None:
    timed = response(server_timing='cdn-upstream-layer;desc="EDGE",cdn-cache-miss,cdn-pop;desc="ATL56-C1"')
    assert work(clock, lambda _: timed, 4).result.layers == {"EDGE": 4}


@pytest.mark.parametrize(
    ("x_cache", "server_timing", "verified"),
    [
        (HIT, "", True),
        (HIT, 'cdn-hit-layer;desc="EDGE"', True),
        (HIT, 'cdn-hit-layer;desc="REC"', False),
        ("RefreshHit from cloudfront", "", False),
        ("Miss from cloudfront", "", False),
    ],
)
def test_only_a_hit_in_the_pop_itself_verifies(x_cache: str, server_timing: str, *, verified: bool) -> None:
    assert is_hit_in_pop(response(x_cache=x_cache, server_timing=server_timing)) is verified


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_pop_that_keeps_nothing_is_unproven_at_every_url_and_alone(clock: Clock, bad: int) -> None:
    """Its samples fail, and the proofs of its other URLs at other POPs do not prove anything here."""
    keeping = Edge()
    worked = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == bad else keeping(fetch), 24, 3, verify="sample"
    )
    assert worked.result.outcomes == {"unproven": 24, "warmed": 48}
    assert {url: dict(counts) for url, counts in worked.result.failed.items()} == {
        url: {"unproven:200": 1} for url in range(24)
    }


def test_url_that_is_never_kept_condemns_no_pop(clock: Clock) -> None:
    keeping = Edge()
    worked = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.url in {0, 5} else keeping(fetch), 24, 3, verify="sample"
    )
    assert worked.result.outcomes == {"unproven": 6, "warmed": 66}
    assert set(worked.result.failed) == {0, 5}
    # The other URLs are not verified one by one: their POPs are proven by other samples.
    assert worked.result.verified < 30


@pytest.mark.parametrize(("urls", "pops"), [(1, 3), (3, 1), (2, 3), (7, 2)])
def test_target_is_believed_only_with_proofs_of_its_url_and_its_pop(clock: Clock, urls: int, pops: int) -> None:
    worked = work(clock, Edge(), urls, pops, verify="sample")
    proven = [json.loads(line) for line in worked.records if json.loads(line)["verified"]]
    assert worked.result.outcomes == {"warmed": urls * pops}
    assert {record["url"] for record in proven} == {f"https://www.example.com/{n}" for n in range(urls)}
    assert len({record["pop"] for record in proven}) == pops


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 7), st.integers(1, 3), st.sampled_from(["sample", "all"]), st.data())
def test_warm_is_only_what_the_edge_kept_unless_a_single_copy_was_dropped(
    urls: int, pops: int, verify: str, data: st.DataObject
) -> None:
    """POPs and URLs that are never kept are never warm, in any combination; all others are."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr("warm.worker.time", clock)
        bad_pops = data.draw(st.sets(st.integers(0, pops - 1)))
        bad_urls = data.draw(st.sets(st.integers(0, urls - 1)))
        keeping = Edge()

        def edge(fetch: Fetch) -> Response:
            owner = fetch.owner
            return not_kept(fetch) if owner.pop in bad_pops or owner.url in bad_urls else keeping(fetch)

        worked = work(clock, edge, urls, pops, verify=verify)
    kept = (urls - len(bad_urls)) * (pops - len(bad_pops))
    expected = {"warmed": kept, "unproven": urls * pops - kept}
    assert worked.result.outcomes == {name: count for name, count in expected.items() if count}
    assert worked.result.finished


def test_targets_beyond_the_bound_of_held_ones_are_verified_by_themselves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warm.verification.MAX_HELD", 4)
    worked = work(clock, Edge(), 1, 3, variants=tuple(f"gzip;q=0.{n}" for n in range(1, 10)), verify="sample")
    assert worked.result.outcomes == {"warmed": 27}
    assert worked.result.verified >= 9
    keeping = Edge()
    bad = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == 1 else keeping(fetch), 40, 3, verify="sample"
    )
    assert bad.result.outcomes == {"unproven": 40, "warmed": 80}


def test_proofs_of_an_earlier_worker_do_not_count(clock: Clock) -> None:
    """The samples of this part's URL and POPs were finished by the earlier worker."""
    worked = work(clock, not_kept, 2, 2, done=bytes([0b1001]), verify="sample")
    assert worked.result.outcomes == {"unproven": 2}


def test_held_targets_are_left_to_the_next_worker_as_fetched(clock: Clock) -> None:
    worked = work(clock, Edge(), 3, 3, seconds=10, own=95, verify="sample")
    assert not worked.result.finished
    assert set(worked.result.outcomes) <= {"warmed"}
    unproven = [number for number in range(9) if not worked.tile.is_done(number)]
    assert unproven
    assert {worked.progress.get(number) for number in unproven} == {FETCHED}


def test_target_not_proven_at_the_deadline_is_not_warm(clock: Clock) -> None:
    worked = work(clock, not_kept, 3, 3, seconds=10, run=95, verify="sample")
    assert (set(worked.result.outcomes), worked.result.finished) == ({"deadline"}, True)
    assert any("not verified" in line for line in worked.records)
