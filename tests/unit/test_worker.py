"""The worker: retries, proofs, dark POPs, and why it stops."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from prewarm.exchange import Fetch
from prewarm.items import Control
from prewarm.outcome import Answer, Outcome
from prewarm.verdict import BatchResult
from tests.unit.builders import Clock, FakeFetcher, answer, lines_of, refused, tile_of
from warm import worker as module
from warm.limits import Limits
from warm.tally import Tally
from warm.targets import FETCHED, Tile
from warm.worker import (
    CONTROL_SECONDS,
    FAILURES_OF_A_DARK_POP,
    SHARE_OF_AN_ENDLESS_FETCH,
    TRIES,
    Halt,
    Worker,
)

if TYPE_CHECKING:
    from prewarm.fetch import Fetcher

HIT, MISS = "Hit from cloudfront", "Miss from cloudfront"
ERROR_CACHE_SECONDS = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock of our own, and jitter that always takes the shortest pause."""
    own = Clock()
    monkeypatch.setattr(module, "time", own)
    monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, _high: low))
    return own


@dataclass
class Worked:
    """What a worker left behind."""

    worker: Worker
    fetcher: FakeFetcher
    tile: Tile
    result: BatchResult
    told: list[str]

    @property
    def addresses(self) -> list[str]:
        return [address for address, _, _ in self.fetcher.seen]

    @property
    def waits(self) -> list[float]:
        return [round(waited, 3) for _, _, waited in self.fetcher.seen]


def work(
    clock: Clock,
    edge: Callable[[Fetch], Answer],
    urls: int = 1,
    pops: int = 1,
    *,
    seconds: float = 0.0,
    own: float = 600.0,
    run: float = 6000.0,
    control: Callable[[], Control] = lambda: Control(ended=False),
    max_bytes: int | None = None,
    rps: float | None = None,
    **scene: Any,
) -> Worked:
    plan, tile = tile_of(urls, pops, **scene)
    fetcher = FakeFetcher(edge, clock, seconds)
    tally = Tally(plan, tile)
    limits = Limits(own, run, ERROR_CACHE_SECONDS, max_bytes, rps)
    told: list[str] = []
    worker = Worker(tile, tally, cast("Fetcher", fetcher), limits, control, told.append)
    worker.run()
    return Worked(worker, fetcher, tile, tally.result(0), told)


def one_after_the_other(*answers: Answer) -> Callable[[Fetch], Answer]:
    """Give these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda _fetch: left.pop(0) if len(left) > 1 else left[0]


def test_a_miss_with_a_whole_body_is_warmed_at_once(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer()), max_bytes=77)
    assert worked.result.outcomes == {"warmed": 1}
    assert (len(worked.addresses), worked.result.verified, worked.result.bytes) == (1, 0, 10)
    assert worked.fetcher.max_bytes == 77


def test_a_hit_at_first_sight_is_already_warm_and_proven(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"already_warm": 1}, 1, 1)


def test_a_proof_is_a_second_fetch_at_once_at_the_same_address(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer(), answer(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0"] * 2
    assert worked.waits == [0.0, 0.0]
    assert (worked.result.outcomes, worked.result.verified, worked.result.bytes) == ({"warmed": 1}, 1, 20)


def test_the_record_of_a_proven_target_is_of_the_fetch_that_warmed_it(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer(etag="first"), answer(x_cache=HIT, etag="proof")), verify="all")
    (line,) = lines_of(worked.worker.tally)
    assert '"etag":"first"' in line
    assert '"tries":2' in line


def test_a_second_miss_is_asked_at_another_address(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer(), answer(), answer(x_cache=HIT)), verify="all")
    assert worked.addresses == ["192.0.2.0", "192.0.2.0", "198.51.100.0"]
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_a_target_that_is_a_miss_every_time_is_unproven_in_the_end(clock: Clock) -> None:
    worked = work(clock, one_after_the_other(answer()), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert len(worked.addresses) == TRIES + 1
    assert worked.result.verified == 0


def test_only_the_sample_is_fetched_twice(clock: Clock) -> None:
    edge = Edge()
    work(clock, edge, 3, 3, verify="sample")
    assert sorted(Counter(edge.asked).values()) == [1] * 6 + [2] * 3


class Edge:
    """POPs that keep what they fetched, as real ones do."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, fetch: Fetch) -> Answer:
        number = fetch.owner.number
        self.asked.append(number)
        pop = ("ATL56-C1", "NRT57-P3", "SYD1-C1")[fetch.owner.pop]
        return answer(pop, HIT if self.asked.count(number) > 1 else MISS)


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        (answer(bytes=3), Outcome.TRUNCATED),
        (Answer(error=28, connected=True), Outcome.TIMEOUT),
        (answer(x_cache="FunctionGeneratedResponse from cloudfront"), Outcome.UNPROVEN),
        (refused(), Outcome.CONNECT_ERROR),
    ],
)
def test_what_may_yet_succeed_is_tried_at_other_addresses_with_growing_pauses(
    clock: Clock, broken: Answer, outcome: Outcome
) -> None:
    worked = work(clock, lambda _: broken, region_type="pop")
    assert worked.result.outcomes == {outcome.value: 1}
    assert worked.addresses == ["192.0.2.0", "198.51.100.0", "192.0.2.0"]
    assert worked.waits == [0.0, 0.2, 0.4]
    saved = work(clock, one_after_the_other(broken, broken, answer()))
    assert saved.result.outcomes == {"warmed": 1}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_5xx_and_a_429_wait_until_the_edge_has_forgotten_the_error(clock: Clock, status: int) -> None:
    worked = work(clock, lambda _: answer(status=status, x_cache="Error from cloudfront"))
    assert worked.result.outcomes == {"server_error": 1}
    assert len(worked.waits) == TRIES
    assert min(worked.waits[1:]) >= ERROR_CACHE_SECONDS


def test_other_work_goes_on_while_an_error_is_waited_out(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Answer:
        first = fetch.owner.number == 0 and fetch.owner.tries == 0
        return answer(status=503, x_cache="Error from cloudfront") if first else answer()

    worked = work(clock, edge, 3)
    assert [number for _, number, _ in worked.fetcher.seen] == [0, 1, 2, 0]
    assert worked.result.outcomes == {"warmed": 3}


@pytest.mark.parametrize(
    ("final", "outcome"),
    [
        (answer(status=404, x_cache="Error from cloudfront"), "client_error"),
        (answer(status=403, x_cache="Error from cloudfront", server="CloudFront"), "blocked"),
        (answer(status=301), "redirect"),
        (answer("NRT57-P3"), "wrong_pop"),
        (answer(error=63), "too_large"),
        (Answer(error=60), "tls_error"),
    ],
)
def test_what_would_be_the_same_again_is_not_retried(clock: Clock, final: Answer, outcome: str) -> None:
    worked = work(clock, lambda _: final, region_type="pop")
    assert (worked.result.outcomes, len(worked.addresses)) == ({outcome: 1}, 1)


def test_misses_on_the_way_to_a_proof_cost_no_tries(clock: Clock) -> None:
    broken = answer(bytes=3)
    worked = work(clock, one_after_the_other(answer(), broken, broken, answer(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_jitter_only_ever_lengthens_a_pause(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(module, "random", SimpleNamespace(uniform=uniform))
    work(clock, lambda _: answer(status=500, x_cache="Error from cloudfront"))
    assert asked
    assert all(1.0 <= low < high for low, high in asked)


def test_a_dark_pop_is_given_up_and_the_others_are_warmed(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Answer:
        return refused() if fetch.owner.pop == 0 else answer("NRT57-P3")

    worked = work(clock, edge, 200, 2)
    asked = Counter(address.rpartition(".")[2] for address in worked.addresses)
    assert asked["1"] == 200
    assert asked["0"] <= 2 * FAILURES_OF_A_DARK_POP
    assert worked.result.outcomes == {"warmed": 200}
    assert [entry.reason for entry in worked.result.dark] == ["connect_error"]
    assert worked.result.finished


def test_a_dark_pop_asked_for_by_name_fails_for_every_url(clock: Clock) -> None:
    worked = work(clock, lambda _: refused(), 50, region_type="pop")
    assert worked.result.outcomes == {"connect_error": 50}
    assert set(worked.result.failed) == set(range(50))
    assert worked.result.dark == ()


def test_a_pop_that_answered_once_is_not_given_up(clock: Clock) -> None:
    edge = one_after_the_other(answer(), refused())
    worked = work(clock, edge, 20)
    assert len(worked.addresses) == 1 + 19 * TRIES
    assert worked.result.outcomes == {"warmed": 1, "connect_error": 19}


def test_a_pop_without_address_is_unresolved_and_never_asked(clock: Clock) -> None:
    worked = work(clock, lambda _: answer("NRT57-P3"), 3, 2, addresses={"NRT57-P3": ["192.0.2.1"]})
    assert worked.result.outcomes == {"unresolved_pop": 3, "warmed": 3}
    assert set(worked.addresses) == {"192.0.2.1"}


def test_the_runs_deadline_finishes_what_is_left_as_deadline(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), 10, seconds=10, run=35)
    assert worked.worker.halted is Halt.DEADLINE
    assert worked.result.outcomes == {"warmed": 3, "deadline": 7}
    assert worked.result.finished


def test_a_run_whose_deadline_has_passed_fetches_nothing(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), 4, run=-1)
    assert (worked.addresses, worked.result.outcomes) == ([], {"deadline": 4})


def test_a_worker_out_of_time_leaves_the_rest_to_the_next(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), 10, seconds=10, own=35)
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.result.finished
    again = work(clock, lambda _: answer(), 10, done=bytes(worked.tile.done))
    assert [number for _, number, _ in again.fetcher.seen] == list(range(3, 10))
    assert again.result.finished


def test_a_retry_that_waits_is_left_to_the_next_worker(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Answer:
        return answer(status=503, x_cache="Error from cloudfront") if fetch.owner.number == 0 else answer()

    worked = work(clock, edge, 5, seconds=1, own=4.5)
    assert worked.result.outcomes == {"warmed": 3}
    assert not worked.tile.is_done(0)


def test_a_run_that_ended_stops_the_worker_within_seconds(clock: Clock) -> None:
    looks: list[float] = []

    def control() -> Control:
        looks.append(clock.now)
        return Control(ended=len(looks) >= 3)

    worked = work(clock, lambda _: answer(), 1000, seconds=0.5, control=control)
    assert worked.worker.halted is Halt.RUN_ENDED
    assert not worked.result.finished
    assert "cancelled" not in worked.result.outcomes
    pauses = [later - sooner for sooner, later in zip([1000.0, *looks], looks, strict=False)]
    assert all(CONTROL_SECONDS <= pause <= CONTROL_SECONDS + 1 for pause in pauses)


def test_a_fetch_that_took_a_workers_whole_time_is_a_timeout_and_not_begun_for_ever(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), 2, seconds=500, own=400)
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert worked.result.outcomes == {"timeout": 1}
    assert (worked.tile.is_done(0), worked.tile.is_done(1)) == (True, False)


def test_a_fetch_cut_short_that_may_fit_into_the_next_worker_is_left_to_it(clock: Clock) -> None:
    seconds = 100 * SHARE_OF_AN_ENDLESS_FETCH - 5
    worked = work(clock, lambda _: answer(), 2, seconds=seconds, own=100)
    assert worked.result.outcomes == {"warmed": 1}
    assert not worked.tile.is_done(1)


def test_a_proof_that_does_not_fit_beside_its_fetch_is_not_begun_for_ever(clock: Clock) -> None:
    """Every worker would fetch once, begin the proof, and hand the target on unfinished."""
    worked = work(clock, lambda _: answer(total_ms=60_000), seconds=60, own=100, verify="all")
    assert worked.worker.halted is Halt.OUT_OF_TIME
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 0)
    assert "no worker has the time to prove it" in lines_of(worked.worker.tally)[0]


def test_a_proof_that_was_cut_short_by_other_work_is_left_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(total_ms=20_000), 5, seconds=20, own=110, verify="all")
    assert worked.result.outcomes == {}
    assert not worked.result.finished


def test_nothing_to_do_is_done_at_once(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), 8, done=b"\xff")
    assert (worked.addresses, worked.result.finished, worked.worker.halted) == ([], True, None)


def not_kept(fetch: Fetch) -> Answer:
    """An edge that keeps nothing."""
    return answer(("ATL56-C1", "NRT57-P3", "SYD1-C1")[fetch.owner.pop])


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

    def edge(fetch: Fetch) -> Answer:
        return answer("ATL56-C1", status=404) if fetch.owner.number == 0 else keeping(fetch)

    worked = work(clock, edge, 1, 3, verify="sample", region_type="pop")
    assert worked.result.outcomes == {"client_error": 1, "warmed": 2}
    assert worked.result.verified == 2 or Counter(keeping.asked).total() == 4


@pytest.mark.parametrize("header", ["no-store", "private, max-age=60", "public, max-age=0", "s-maxage=0"])
def test_headers_that_speak_against_a_copy_have_every_target_proven(clock: Clock, header: str) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Answer:
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
    assert "its cache policy X keeps nothing" in "".join(lines_of(worked.worker.tally))


def test_without_proofs_nothing_is_asked_twice_whatever_the_headers_say(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(cache_control="no-store"), verify="none", uncacheable={0: "why"})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"warmed": 1}, 1)


@pytest.mark.parametrize(
    "weak",
    [
        answer(x_cache="RefreshHit from cloudfront"),
        answer(x_cache=HIT, server_timing='cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="REC"'),
    ],
)
def test_a_copy_that_is_not_the_pops_own_proves_nothing(clock: Clock, weak: Answer) -> None:
    worked = work(clock, one_after_the_other(answer(), weak), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    worked = work(clock, one_after_the_other(weak, answer(x_cache=HIT)), verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)


def test_the_layers_that_answered_are_counted(clock: Clock) -> None:
    told = answer(server_timing='cdn-upstream-layer;desc="EDGE",cdn-cache-miss,cdn-pop;desc="ATL56-C1"')
    assert work(clock, lambda _: told, 4).result.layers == {"EDGE": 4}


def test_fetches_begin_no_faster_than_the_limit(clock: Clock) -> None:
    began = clock.now
    work(clock, lambda _: answer(), 41, rps=8.0)
    assert clock.now - began == pytest.approx(5.0, abs=0.2)


def overloaded(_: Fetch) -> Answer:
    return answer(status=503, x_cache="Error from cloudfront")


def test_an_overloaded_origin_is_slowed_then_left_alone_and_the_others_are_told(clock: Clock) -> None:
    worked = work(clock, overloaded, 300)
    assert worked.told == ["www.example.com"]
    assert set(worked.result.outcomes) == {"origin_overload"}
    assert len(worked.addresses) < 60
    assert clock.now - 1000.0 >= 19 / 10
    assert worked.result.finished


def test_a_host_that_others_found_overloaded_is_not_asked(clock: Clock) -> None:
    def control() -> Control:
        return Control(ended=False, open_hosts=frozenset({"www.example.com"}))

    worked = work(clock, lambda _: answer(), 100, seconds=0.5, control=control)
    assert set(worked.result.outcomes) == {"warmed", "origin_overload"}
    assert 6 <= worked.result.outcomes["warmed"] <= 8


def test_a_few_broken_pages_among_many_are_no_overload(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Answer:
        return overloaded(fetch) if fetch.owner.url % 10 == 0 else answer()

    worked = work(clock, edge, 300)
    assert worked.result.outcomes == {"warmed": 270, "server_error": 30}
    assert worked.told == []


def test_what_was_fetched_before_the_deadline_and_not_proven_is_warm_but_unproven(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), seconds=10, run=15, verify="all")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 0)
    assert "before it was proven" in lines_of(worked.worker.tally)[0]


def test_tries_are_carried_to_the_next_worker(clock: Clock) -> None:
    worked = work(clock, overloaded, own=12)
    assert worked.worker.progress == {0: 2}
    again = work(clock, overloaded, progress={0: 2})
    assert (again.result.outcomes, len(again.addresses)) == ({"server_error": 1}, 1)


def test_a_target_that_was_fetched_and_not_proven_is_proven_by_the_next_worker(clock: Clock) -> None:
    worked = work(clock, lambda _: answer(), seconds=5, own=8, verify="all")
    assert worked.worker.progress == {0: FETCHED}
    again = work(clock, lambda _: answer(x_cache=HIT), verify="all", progress={0: FETCHED})
    assert (again.result.outcomes, again.result.verified, len(again.addresses)) == ({"warmed": 1}, 1, 1)


def test_an_unfinished_part_says_what_is_warm_by_url(clock: Clock) -> None:
    worked = work(clock, lambda fetch: answer(("ATL56-C1", "NRT57-P3")[fetch.owner.pop]), 4, 2, seconds=10, own=55)
    assert worked.result.warm == {0: 2, 1: 2, 2: 1}
    assert not work(clock, lambda _: answer()).result.warm
