"""Verification: which targets are fetched again, and what a second fetch decides for them and for others."""

import json
from collections import Counter
from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, response
from tests.support.worker import HIT, MISS, Edge, in_order, not_kept, work
from warm.judge import MOST_FETCHES
from warm.proof import is_hit_in_pop


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


def test_pop_that_keeps_nothing_does_not_affect_other_pops(clock: Clock) -> None:
    keeping = Edge()
    worked = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == 0 else keeping(fetch), 3, 3, verify="all"
    )
    assert worked.result.outcomes == {"unproven": 3, "warmed": 6}


@pytest.mark.parametrize("header", ["no-store", "private, max-age=60", "public, max-age=0", "s-maxage=0"])
def test_headers_that_forbid_a_copy_verify_every_target(clock: Clock, header: str) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        kept = keeping(fetch)
        # A minimum TTL overrides the header: the copy ages.
        kept.cache_control, kept.age = header, "1" if kept.hit else ""
        return kept

    worked = work(clock, edge, 1, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 3}, 3)


NO_LIFETIME = [
    {"cache_control": "max-age=0"},
    {"cache_control": "no-cache"},
    {"cache_control": "no-store"},
    {"cache_control": "private, s-maxage=0"},
    {"expires": "0"},
    {"expires": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"},
]


@pytest.mark.parametrize("headers", NO_LIFETIME)
@pytest.mark.parametrize("age", ["", "0"])
@pytest.mark.parametrize("timing", ["", 'cdn-hit-layer;desc="EDGE"'])
def test_hit_without_age_of_an_object_without_lifetime_proves_nothing(
    clock: Clock, headers: dict[str, str], age: str, timing: str
) -> None:
    """Simultaneous requests of a regional edge cache share one response of the origin, which is called a Hit."""
    hit = response(x_cache=HIT, age=age, server_timing=timing, **headers)
    refreshed = response(x_cache="RefreshHit from cloudfront", age=age, **headers)
    worked = work(clock, in_order(hit, hit, refreshed), verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"unproven": 1}, 0)


@pytest.mark.parametrize("headers", NO_LIFETIME)
def test_hit_with_an_age_of_an_object_without_lifetime_is_the_proof_after_a_second(
    clock: Clock, headers: dict[str, str]
) -> None:
    """A minimum TTL keeps it."""
    begin = clock.now

    def edge(_: Fetch) -> Response:
        return response(x_cache=HIT, age=str(int(clock.now - begin)), **headers)

    worked = work(clock, edge, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"already_warm": 1}, 1)


@pytest.mark.parametrize("control", ["max-age=0, s-maxage=60", "max-age=3", ""])
def test_hit_without_age_of_an_object_with_a_lifetime_is_the_proof(clock: Clock, control: str) -> None:
    hit = response(x_cache=HIT, cache_control=control, age="0", expires="0" if control else "")
    worked = work(clock, in_order(response(), hit), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_uncacheable_url_is_fetched_twice_and_not_cacheable(clock: Clock) -> None:
    worked = work(clock, not_kept, 2, 3, verify="sample", uncacheable={1: "its cache policy X keeps nothing"})
    assert worked.result.outcomes == {"unproven": 3, "not_cacheable": 3}
    asked = Counter(number // 3 for _, number, _ in worked.fetcher.seen)
    assert asked[1] == 3 * 2
    assert "its cache policy X keeps nothing" in "".join(worked.records)


@pytest.mark.parametrize("headers", [*NO_LIFETIME, {"cache_control": 'max-age="0"'}, {"cache_control": "max-age=-1"}])
@pytest.mark.parametrize("x_cache", [MISS, HIT])
def test_verify_none_does_not_believe_a_response_that_is_not_kept(
    clock: Clock, headers: dict[str, str], x_cache: str
) -> None:
    worked = work(clock, lambda _: response(x_cache=x_cache, age="", **headers), verify="none")
    assert (worked.result.outcomes, len(worked.addresses)) == ({"not_cacheable": 1}, 1)
    if control := headers.get("cache_control"):
        assert f"Cache-Control: {control}" in json.loads(worked.records[0])["detail"]


def test_verify_none_does_not_believe_a_url_that_the_settings_keep_from_being_cached(clock: Clock) -> None:
    worked = work(clock, lambda _: response(), 2, verify="none", uncacheable={0: "its policy keeps nothing"})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"not_cacheable": 1, "warmed": 1}, 2)
    assert "its policy keeps nothing" in "".join(worked.records)


@pytest.mark.parametrize("ttls", [(0, 0), (1, 0)])
def test_verify_none_does_not_believe_a_response_without_a_lifetime_and_a_default_ttl(
    clock: Clock, ttls: tuple[int, int]
) -> None:
    worked = work(clock, lambda _: response(), verify="none", ttls={0: ttls})
    assert worked.result.outcomes == {"not_cacheable": 1}


@pytest.mark.parametrize(
    ("headers", "scene"),
    [
        ({"cache_control": "no-store"}, {"ttls": {0: (60, 86_400)}}),
        ({"cache_control": "max-age=0"}, {"ttls": {0: (60, 86_400)}}),
        ({"cache_control": "max-age=60"}, {"ttls": {0: (0, 0)}}),
        ({"cache_control": "max-age=0, stale-while-revalidate=60"}, {}),
        ({"cache_control": "no-store", "x_cache": HIT, "age": "1"}, {}),
        ({"x_cache": HIT, "age": "1"}, {"uncacheable": {0: "reason"}}),
    ],
)
def test_verify_none_believes_a_response_that_is_kept(
    clock: Clock, headers: dict[str, str], scene: dict[str, Any]
) -> None:
    worked = work(clock, lambda _: response(**headers), verify="none", **scene)
    assert worked.result.outcomes == {"already_warm" if "age" in headers else "warmed": 1}


SHARED = [
    ({}, {"ttls": {0: (0, 0)}}),
    ({"cache_control": "public"}, {"ttls": {0: (0, 0)}}),
    ({"cache_control": "max-age=300"}, {"longest_ttls": {0: 0}}),
    *(
        ({"cache_control": control}, {})
        for control in (
            "max-age=00",
            'max-age="0"',
            'max-age="60"',
            "max-age = 0",
            "max-age=-1",
            "max-age=+60",
            "max-age=1.5",
            "max-age",
            "max-age=",
            "s-maxage=00, max-age=60",
            "s-maxage=x, max-age=60",
            "max-age=60, max-age=0",
            "public; max-age=60",
            "Max-Age=0",
        )
    ),
]


@pytest.mark.parametrize(("headers", "scene"), SHARED)
@pytest.mark.parametrize("age", ["", "0"])
def test_shared_hit_of_an_object_that_is_not_surely_kept_proves_nothing(
    clock: Clock, headers: dict[str, str], scene: dict[str, Any], age: str
) -> None:
    shared = response(x_cache=HIT, age=age, server_timing='cdn-hit-layer;desc="EDGE"', **headers)
    worked = work(clock, in_order(response(**headers), shared), verify="all", **scene)
    assert (worked.result.outcomes, worked.result.verified) == ({"unproven": 1}, 0)


@pytest.mark.parametrize(("control", "outcome"), [("max-age=0", "unproven"), ("max-age=60", "warmed")])
def test_age_that_the_origin_sends_does_not_prove_a_copy_without_a_lifetime(
    clock: Clock, control: str, outcome: str
) -> None:
    """The Miss has an Age already."""
    ages = iter(range(700, 800))

    def edge(fetch: Fetch) -> Response:
        return response(x_cache=HIT if fetch.owner.tries else MISS, age=str(next(ages)), cache_control=control)

    worked = work(clock, edge, verify="all")
    assert worked.result.outcomes == {outcome: 1}


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
