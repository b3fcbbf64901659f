"""Which targets have a gain, and which count as warm before: by the first fetch and the proof of each."""

import json
from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.gain import Gain, class_value, unpack_gains
from tests.support.builders import POP_NAMES, Clock, response
from tests.support.worker import HIT, MISS, Edge, Worked, in_order, work
from warm.cursor import FETCHED

REFRESH = "RefreshHit from cloudfront"


def answer(x_cache: str = MISS, ms: float = 100.0, layer: str = "", **changes: Any) -> Response:
    timing = f'cdn-cache-hit,cdn-hit-layer;desc="{layer}"' if layer else ""
    return response(x_cache=x_cache, ttfb_ms=ms, server_timing=timing, **changes)


def gain(worked: Worked) -> Gain:
    """Return the gain of a tile at one location."""
    (only,) = unpack_gains(worked.result.gain).values()
    return only


def spared(worked: Worked) -> list[float]:
    return sorted(class_value(number) for number in gain(worked).classes.elements())


@pytest.mark.parametrize("verify", ["all", "sample"])
def test_first_miss_and_its_proof_are_one_pair(clock: Clock, verify: str) -> None:
    worked = work(clock, in_order(answer(MISS, 180.0), answer(HIT, 20.0)), verify=verify)
    assert worked.result.outcomes == {"warmed": 1}
    assert spared(worked) == [pytest.approx(160.0, rel=0.1)]
    assert (gain(worked).fetched, gain(worked).before) == (1, 0)


def test_hit_that_was_slower_than_the_miss_is_kept_as_negative(clock: Clock) -> None:
    assert spared(work(clock, in_order(answer(MISS, 20.0), answer(HIT, 60.0)), verify="all")) == [
        pytest.approx(-40.0, rel=0.1)
    ]


def test_hit_of_a_layer_behind_the_pop_is_a_miss_of_the_pop(clock: Clock) -> None:
    worked = work(clock, in_order(answer(HIT, 90.0, "REC"), answer(HIT, 10.0, "EDGE")), verify="all")
    assert (worked.result.outcomes, gain(worked).before) == ({"warmed": 1}, 0)
    assert spared(worked) == [pytest.approx(80.0, rel=0.1)]


@pytest.mark.parametrize(
    "answers",
    [
        [answer(HIT, 10.0, "EDGE")],
        [answer(HIT, 90.0), answer(HIT, 10.0)],
    ],
)
@pytest.mark.parametrize("verify", ["all", "sample", "none"])
def test_target_that_was_warm_before_has_no_gain(clock: Clock, answers: list[Response], verify: str) -> None:
    worked = work(clock, in_order(*answers), verify=verify)
    assert worked.result.outcomes == {"already_warm": 1}
    assert gain(worked) == Gain(fetched=1, before=1)


@pytest.mark.parametrize(
    ("age", "layer", "before"),
    [
        ("12", "", 0),
        ("59", "", 0),
        ("60", "", 1),
        ("9" * 400, "", 1),
        ("", "", 1),
        ("soon", "", 1),
        ("12", "EDGE", 1),
    ],
)
def test_unnamed_hit_of_a_copy_younger_than_the_run_was_not_warm_before(
    clock: Clock, age: str, layer: str, before: int
) -> None:
    """The regional edge cache has it from another POP of this very run."""
    worked = work(clock, in_order(answer(HIT, 20.0, layer, age=age)), verify="all", run_age=60.0)
    assert worked.result.outcomes == {"already_warm": 1}
    assert gain(worked) == Gain(fetched=1, before=before)


@pytest.mark.parametrize(
    "answers",
    [
        # The first viewer would have got an error, or nothing.
        [answer(status=503, x_cache="Error from cloudfront"), answer(MISS, 90.0), answer(HIT, 10.0)],
        [Response(error=28, error_text="timed out", connected=True), answer(MISS, 90.0), answer(HIT, 10.0)],
        # Cut short.
        [answer(MISS, 90.0, content_length="11"), answer(MISS, 90.0), answer(HIT, 10.0)],
        # An expired copy.
        [answer(REFRESH, 90.0), answer(MISS, 90.0), answer(HIT, 10.0)],
        # The POP's name in full and without its number: it may be another one.
        [answer(MISS, 90.0), answer(HIT, 10.0, cf_pop="ATL56")],
        # A Hit at first: the later Miss is that of another copy.
        [answer(HIT, 90.0, etag="a"), answer(MISS, 90.0, etag="b"), answer(HIT, 10.0, etag="b")],
    ],
)
def test_only_a_complete_first_miss_has_a_gain(clock: Clock, answers: list[Response]) -> None:
    worked = work(clock, in_order(*answers), verify="all")
    assert (worked.result.verified, worked.result.outcomes) == (1, {"warmed": 1})
    assert (gain(worked).pairs, gain(worked).before, gain(worked).fetched) == (0, 0, 1)


def test_target_that_an_earlier_worker_fetched_has_no_gain(clock: Clock) -> None:
    worked = work(clock, in_order(answer(MISS, 90.0), answer(HIT, 10.0)), verify="all", progress={0: FETCHED})
    assert worked.result.verified == 1
    assert gain(worked) == Gain(fetched=1)


def test_unproven_targets_were_fetched_and_have_no_gain(clock: Clock) -> None:
    worked = work(clock, in_order(answer(MISS, 90.0)), verify="all")
    assert worked.result.outcomes == {"unproven": 1}
    assert gain(worked) == Gain(fetched=1)


def test_failed_targets_were_not_fetched(clock: Clock) -> None:
    worked = work(clock, in_order(answer(status=404, x_cache="Error from cloudfront")), verify="all")
    assert gain(worked) == Gain()
    assert worked.result.gain == "ATL 0 0"


def test_only_proven_targets_of_a_sample_have_a_gain(clock: Clock) -> None:
    worked = work(clock, Edge(), 6, 3, verify="sample")
    assert worked.result.outcomes == {"warmed": 18}
    by_location = unpack_gains(worked.result.gain)
    assert list(by_location) == sorted(name[:3] for name in POP_NAMES[:3])
    assert {each.fetched for each in by_location.values()} == {6}
    proven = sum(json.loads(line)["verified"] for line in worked.records)
    assert sum(each.pairs for each in by_location.values()) == proven < 18


def test_pops_of_one_location_are_counted_together(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("NRT57-P1", "NRT57-P2", "SYD1-C1")
    monkeypatch.setattr("tests.support.builders.POP_NAMES", names)
    asked: list[int] = []

    def edge(fetch: Fetch) -> Response:
        asked.append(fetch.owner.number)
        x_cache = HIT if asked.count(fetch.owner.number) > 1 else MISS
        return response(names[fetch.owner.pop], x_cache, ttfb_ms=30.0)

    worked = work(clock, edge, 2, 3, verify="all")
    assert worked.result.gain == "NRT 4 0 0:4;SYD 2 0 0:2"


def test_separate_caches_have_one_gain_for_each_target(clock: Clock) -> None:
    """Each address has a cache of its own: Miss and Hit at both, and the first Miss counts."""
    kept: set[str] = set()

    def edge(fetch: Fetch) -> Response:
        address = fetch.queue.addresses[fetch.address % 2]
        hit = address in kept
        kept.add(address)
        return answer(HIT if hit else MISS, 10.0 if hit else 170.0)

    worked = work(clock, edge, verify="all")
    assert worked.result.outcomes == {"warmed": 1}
    assert spared(worked) == [pytest.approx(160.0, rel=0.1)]
