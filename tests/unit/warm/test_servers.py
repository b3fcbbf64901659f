"""The servers of a POP: through which addresses a copy is fetched and proven, and what is counted of that."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.planning.cells import Sample
from tests.support.builders import POP_NAMES, Clock, response
from tests.support.worker import HIT, MISS, Worked, work
from warm import stop_rules, worker
from warm.judge import MOST_FETCHES
from warm.servers import MOST_SERVERS, is_copy_of


@dataclass
class Pops:
    """POPs of several addresses before one regional edge cache; `separate`: each address has its own cache.

    `visible`: a hit of the regional cache says Hit; `timing`: Server-Timing names the layer; `keeps`: whether a copy
    is kept at all; `made`: the copies that were fetched since the test began, the others have an Age of 5,000 s.
    """

    separate: bool = True
    visible: bool = False
    timing: bool = False
    keeps: bool = True
    caches: set[tuple[int, int, int]] = field(default_factory=set)
    made: set[tuple[int, int, int]] = field(default_factory=set)
    regional: set[int] = field(default_factory=set)
    asked: Counter[tuple[int, int]] = field(default_factory=Counter)
    fresh: list[bool] = field(default_factory=list)

    def __call__(self, fetch: Fetch) -> Response:
        target, server = fetch.owner, fetch.address % len(fetch.queue.addresses)
        self.asked[target.number, server] += 1
        self.fresh.append(fetch.fresh)
        key = (target.url, target.pop, server if self.separate else 0)
        regional = target.url in self.regional
        hit, layer = (True, "EDGE") if key in self.caches else (regional and self.visible, "REC" if regional else "")
        if self.keeps:
            if key not in self.caches:
                self.made.add(key)
            self.caches.add(key)
            self.regional.add(target.url)
        timing = f'cdn-hit-layer;desc="{layer}"' if self.timing and hit else ""
        age = ("0" if key in self.made else "5000") if hit else ""
        return response(POP_NAMES[target.pop], HIT if hit else MISS, server_timing=timing, age=age)


def addresses(count: int, pops: int = 1) -> dict[str, list[str]]:
    return {name: [f"192.0.{pop}.{n}" for n in range(count)] for pop, name in enumerate(POP_NAMES[:pops])}


def warm(clock: Clock, edge: Pops, urls: int = 1, pops: int = 1, *, count: int = 2, **scene: Any) -> Worked:
    return work(clock, edge, urls, pops, addresses=addresses(count, pops), **scene)


def test_proof_of_a_shared_cache_is_at_another_address(clock: Clock) -> None:
    edge = Pops(separate=False)
    worked = warm(clock, edge, verify="all")
    assert (worked.addresses, worked.result.outcomes) == (["192.0.0.0", "192.0.0.1"], {"warmed": 1})
    assert (worked.result.verified, worked.result.verified_elsewhere, worked.result.servers) == (1, 1, "2/2")


def test_pop_with_one_address_is_proven_through_another_connection_once(clock: Clock) -> None:
    edge = Pops()
    worked = warm(clock, edge, 3, count=1, verify="all")
    assert worked.result.outcomes == {"warmed": 3}
    assert (worked.result.verified, worked.result.verified_elsewhere) == (3, 0)
    assert Counter(edge.fresh) == {False: 5, True: 1}
    assert edge.fresh[0] is False


def test_address_with_a_cache_of_its_own_is_warmed_and_proven_too(clock: Clock) -> None:
    edge = Pops()
    worked = warm(clock, edge, verify="all")
    assert worked.result.outcomes == {"warmed": 1}
    assert (worked.result.verified, worked.result.verified_elsewhere, worked.result.servers) == (1, 0, "3/2s")
    assert edge.asked == {(0, 0): 2, (0, 1): 2}


def test_all_addresses_of_a_pop_with_separate_caches_are_warmed_also_without_proof_of_each(clock: Clock) -> None:
    """A viewer reaches any address of the POP, so a sampled run fetches each target through all of them."""
    edge = Pops()
    worked = warm(clock, edge, 6, 3, count=4, verify="sample")
    assert worked.result.outcomes == {"warmed": 18}
    assert len(edge.caches) == 18 * 4
    # Sampled targets are asked for twice at each address, the others once.
    assert edge.asked.total() == 6 * 8 + 12 * 4
    assert worked.result.verified == 6


def test_copy_at_one_address_does_not_hide_that_another_one_is_cold(clock: Clock) -> None:
    edge = Pops(timing=True, caches={(0, 0, 0)})
    worked = warm(clock, edge, verify="all")
    assert worked.result.outcomes == {"already_warm": 1}
    assert edge.caches == {(0, 0, 0), (0, 0, 1)}


def test_addresses_beyond_the_limit_are_not_asked(clock: Clock) -> None:
    edge = Pops()
    worked = warm(clock, edge, 2, count=MOST_SERVERS + 3, verify="all")
    assert worked.result.outcomes == {"warmed": 2}
    assert len(edge.caches) == 2 * MOST_SERVERS


@pytest.mark.parametrize("count", [1, 2, 4])
def test_pop_that_keeps_nothing_is_unproven_after_the_usual_number_of_fetches(clock: Clock, count: int) -> None:
    edge = Pops(keeps=False)
    worked = warm(clock, edge, count=count, verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert edge.asked.total() == MOST_FETCHES
    assert worked.result.servers == f"0/{count}"


def test_one_of_two_addresses_that_keeps_nothing_is_unproven(clock: Clock) -> None:
    """A viewer at that address would get a Miss."""
    edge = Pops()

    def half(fetch: Fetch) -> Response:
        answer = edge(fetch)
        edge.caches.discard((0, 0, 1))
        return answer

    worked = work(clock, half, verify="all", addresses=addresses(2))
    assert worked.result.outcomes == {"unproven": 1}


def test_verify_none_asks_one_address_once(clock: Clock) -> None:
    edge = Pops()
    assert warm(clock, edge, 3, verify="none").result.outcomes == {"warmed": 3}
    assert edge.asked.total() == 3


def test_target_fetched_by_an_earlier_worker_is_proven_at_another_address(clock: Clock) -> None:
    edge = Pops(separate=False, caches={(0, 0, 0)})
    worked = warm(clock, edge, verify="all", progress={0: 3})
    assert (worked.addresses, worked.result.verified_elsewhere) == (["192.0.0.1"], 1)


@settings(deadline=None, max_examples=60)
@given(
    separate=st.booleans(),
    visible=st.booleans(),
    timing=st.booleans(),
    count=st.integers(1, 5),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 3)),
    verify=st.sampled_from(["sample", "all"]),
    warm_before=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 4))),
)
def test_separate_caches_are_never_unproven_and_never_left_cold(
    *,
    separate: bool,
    visible: bool,
    timing: bool,
    count: int,
    shape: tuple[int, int],
    verify: str,
    warm_before: set[tuple[int, int, int]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        for module in (worker, stop_rules):
            patch.setattr(module, "time", clock)
        edge = Pops(separate=separate, visible=visible, timing=timing, caches=set(warm_before) if separate else set())
        urls, pops = shape
        worked = warm(clock, edge, urls, pops, count=count, verify=verify)
    assert set(worked.result.outcomes) <= {"warmed", "already_warm"}
    assert edge.asked.total() <= urls * pops * (2 * count + 2)
    # Every address that was asked has a copy; where the answers say which cache had it, all addresses have one. A
    # sample does not ask again for what its first fetch finds.
    hidden = visible and not timing
    found = {key[:2] for key in warm_before if verify == "sample" and key[2] == key[0] % count}
    if separate and not hidden:
        cold = {
            (url, pop, server)
            for url in range(urls)
            for pop in range(pops)
            for server in range(count)
            if (url, pop) not in found
        } - edge.caches
        assert cold == set()
    if verify == "all":
        assert worked.result.verified == urls * pops


@pytest.mark.parametrize("known", [frozenset(), frozenset(POP_NAMES[:3])])
def test_pops_that_other_workers_found_to_have_separate_caches_are_filled_at_every_address(
    clock: Clock, known: frozenset[str]
) -> None:
    """Viewers have filled the samples' other addresses, whose copies are older than what this worker fetched."""
    edge = Pops()
    edge.caches = {(url, pop, 1 - url % 2) for url in range(3) for pop in range(3) if Sample(3, 3).has(url, pop)}
    worked = warm(clock, edge, 3, 3, verify="sample", separate_pops=known)
    assert worked.result.outcomes == {"warmed": 9}
    assert len(edge.asked) == 2 * 9


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_new_url_next_to_urls_that_are_warm_at_each_address_is_filled_at_each(clock: Clock, verify: str) -> None:
    """A nightly run with a new URL: the samples, all of them Hits, do not show that the caches are separate."""
    edge = Pops(
        timing=True, caches={(url, pop, server) for url in range(5) for pop in range(3) for server in range(4)}
    )
    worked = warm(clock, edge, 6, 3, count=4, verify=verify)
    assert worked.result.outcomes == {"already_warm": 15, "warmed": 3}
    assert len(edge.caches) == 6 * 3 * 4
    assert worked.separate_pops == set(POP_NAMES[:3])


def test_new_url_at_pops_that_share_a_cache_is_proven_once_for_each_pop(clock: Clock) -> None:
    edge = Pops(separate=False, timing=True, caches={(url, pop, 0) for url in range(5) for pop in range(3)})
    worked = warm(clock, edge, 8, 3, count=4, verify="sample")
    assert worked.result.outcomes == {"already_warm": 15, "warmed": 9}
    assert worked.separate_pops == frozenset()
    # Each POP once, and the samples of the new URLs: the other targets are believed after one fetch.
    assert edge.asked.total() <= 8 * 3 + 8 * 3 + 3


def test_hit_that_is_older_than_the_miss_of_another_address_is_a_copy_of_its_own(clock: Clock) -> None:
    edge = Pops(timing=True, caches={(0, 0, 1)})
    worked = warm(clock, edge, count=4, verify="all")
    assert worked.result.outcomes == {"warmed": 1}
    assert len(edge.caches) == 4
    assert worked.result.verified_elsewhere == 0


def test_copies_of_some_addresses_do_not_hide_that_others_are_cold(clock: Clock) -> None:
    edge = Pops(timing=True, caches={(0, 0, 0), (0, 0, 1)})
    worked = warm(clock, edge, count=4, verify="all")
    assert worked.result.outcomes == {"already_warm": 1}
    assert len(edge.caches) == 4


def test_target_fetched_by_an_earlier_worker_is_filled_at_each_address(clock: Clock) -> None:
    edge = Pops(timing=True, caches={(0, 0, 0), (0, 0, 1)})
    warm(clock, edge, count=3, verify="all", progress={0: 3})
    assert len(edge.caches) == 3


@pytest.mark.parametrize(
    ("miss", "hit", "seconds", "same"),
    [
        (response(), response(x_cache=HIT, age="3"), 2.0, True),
        (response(), response(x_cache=HIT, age="5"), 2.0, False),
        (response(age="700"), response(x_cache=HIT, age="702"), 2.0, True),
        (response(), response(x_cache=HIT, age=""), 2.0, None),
        (response(etag='"a"'), response(x_cache=HIT, age="0", etag='"b"'), 0.0, None),
        (response(encoding="br"), response(x_cache=HIT, age="0"), 0.0, None),
        (None, response(x_cache=HIT, age="0"), 0.0, None),
    ],
)
def test_hit_is_the_copy_of_a_miss_if_it_is_not_older(
    miss: Response | None, hit: Response, seconds: float, *, same: bool | None
) -> None:
    assert is_copy_of(miss, hit, seconds) is same


def test_worker_returns_the_pops_that_it_found_to_have_separate_caches(clock: Clock) -> None:
    first, again = warm(clock, Pops(), 2, 2, verify="all"), Pops()
    assert first.separate_pops == set(POP_NAMES[:2])
    known = frozenset(POP_NAMES[:1])
    assert warm(clock, again, 2, 2, verify="all", separate_pops=known).separate_pops == set(POP_NAMES[1:2])
    assert warm(clock, Pops(separate=False), 2, 2, verify="all").separate_pops == frozenset()
