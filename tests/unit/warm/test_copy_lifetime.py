"""For how long a copy is served: the rules of the guide, and agreement with the simulated edge."""

import math
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up, sums
from prewarm.results.short_lived import SHORT_SECONDS, pack_short_lived, unpack_short_lived
from prewarm.storage.ledger_items import result_as_item, result_from_item
from prewarm_local.edge.freshness import Ttl, stale_seconds, time_to_live
from tests.support.builders import POP_NAMES, response, targets_of, tile_of
from warm.copy_lifetime import LEAST_SECONDS, Expiries, seconds_cached
from warm.recorder import Recorder

NOW = 1_767_225_600
DATE = formatdate(NOW, usegmt=True)
HIT, MISS = "Hit from cloudfront", "Miss from cloudfront"
URLS = ["https://www.example.com/0?token=s3cret", "https://www.example.com/1"]


def in_seconds(seconds: int) -> str:
    return formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("cache_control", "expires", "ttls", "longest", "seconds"),
    [
        ("max-age=3", "", (0, 86_400), math.inf, 3),
        ("max-age=90, s-maxage=7", "", (0, 86_400), math.inf, 7),
        ("", in_seconds(30), (0, 86_400), math.inf, 30),
        ("max-age=3600", "", (0, 86_400), 60, 60),
        ("max-age=3", "", (120, 86_400), math.inf, 120),
        ("max-age=0", "", (0, 86_400), math.inf, LEAST_SECONDS),
        ("no-cache, max-age=600", "", (5, 86_400), math.inf, 5),
        ("", "", (0, 10), math.inf, 10),
        ("", "", (20, 10), math.inf, 20),
        ("", "", (0, 86_400), 30, 30),
        ("public", "", (0, 86_400), math.inf, 86_400),
        ("max-age=3, stale-while-revalidate=60", "", (0, 86_400), math.inf, 63),
        ("max-age=3, stale-while-revalidate=60", "", (0, 86_400), 10, 13),
    ],
)
def test_copy_is_cached_by_its_headers_and_the_ttls_of_its_behavior(
    cache_control: str, expires: str, ttls: tuple[int, int], longest: float, seconds: float
) -> None:
    assert seconds_cached(cache_control, expires, DATE, ttls, longest) == seconds


directive = st.sampled_from(
    [
        "no-store",
        "no-cache",
        "private",
        "public",
        "max-age=0",
        "max-age=40",
        "s-maxage=90",
        "stale-while-revalidate=20",
    ]
)


@given(
    directives=st.lists(directive, max_size=3, unique=True),
    expires=st.none() | st.integers(-100, 300),
    least=st.sampled_from([0, 30]),
    default=st.sampled_from([30, 86_400]),
    maximum=st.sampled_from([30, 50, math.inf]),
)
def test_copy_is_never_taken_to_live_longer_than_in_the_simulated_edge(
    directives: list[str], expires: int | None, least: int, default: int, maximum: float
) -> None:
    header, until = ", ".join(directives), "" if expires is None else in_seconds(expires)
    ttl = Ttl(default=default, minimum=least, maximum=maximum)
    fresh = time_to_live(200, {"cache-control": header, "expires": until, "date": DATE}, ttl) or 0.0
    ours = seconds_cached(header, until, DATE, (least, default), maximum)
    assert ours <= max(LEAST_SECONDS, fresh + stale_seconds(header, ttl)[0])
    assert ours >= max(LEAST_SECONDS, fresh)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40), st.text(max_size=12))
def test_no_header_raises(cache_control: str, expires: str, date: str, age: str) -> None:
    _, tile = tile_of()
    expiries = Expiries(tile)
    copy = response(cache_control=cache_control, expires=expires, date=date, age=age)
    expiries.add(targets_of(tile)[0], copy, NOW, verified=True)
    assert unpack_short_lived(pack_short_lived(expiries.urls)) == expiries.urls


def run_of(*copies: dict[str, Any], ended_at: float, ended: bool = True, **scene: Any) -> list[str]:
    """Return the warnings of a run of 2 URLs at 2 POPs whose copies, URL by URL, have these headers."""
    plan, tile = tile_of(2, 2, **scene)
    recorder = Recorder(plan, tile)
    for target, headers in zip(targets_of(tile), copies, strict=True):
        tile.mark_done(target.number)
        recorder.record(target, response(tile.pops[target.pop], **headers), Outcome.WARMED, "")
    rolled = roll_up(plan, [result_from_item(result_as_item(recorder.result(0)))])
    warnings: list[str] = sums(plan, rolled, URLS, ended_at, ended=ended)["warnings"]
    return warnings


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warm.recorder.time.time", lambda: NOW)


SHORT, LONG = {"cache_control": "max-age=3"}, {"cache_control": "max-age=3600"}


def test_run_that_ends_after_copies_have_expired_says_so_with_a_redacted_example() -> None:
    (warning,) = run_of(SHORT, LONG, LONG, LONG, ended_at=NOW + 180)
    assert warning.startswith("one URL had copies that have expired before the run ended (at least 1)")
    assert f"https://www.example.com/0?token=… at {POP_NAMES[0]}, cached for 3 s" in warning
    assert "raise the TTL" in warning


def test_every_copy_of_every_url_is_counted() -> None:
    (warning,) = run_of(SHORT, SHORT, SHORT, SHORT, ended_at=NOW + 180)
    assert warning.startswith("2 URLs had copies that have expired before the run ended (at least 4)")


def test_run_in_progress_says_which_copies_have_expired_already() -> None:
    (warning,) = run_of(SHORT, LONG, LONG, LONG, ended_at=NOW + 5, ended=False)
    assert "have expired already" in warning


@pytest.mark.parametrize("copy", [LONG, {}, {"cache_control": "max-age=200"}, {"cache_control": "max-age=31536000"}])
def test_run_whose_copies_outlive_it_does_not_warn(copy: dict[str, Any]) -> None:
    assert run_of(copy, copy, copy, copy, ended_at=NOW + 180) == []


def test_age_of_a_copy_that_was_found_counts() -> None:
    found = {"cache_control": "max-age=3600", "age": "3500", "x_cache": HIT}
    (warning,) = run_of(found, LONG, LONG, LONG, ended_at=NOW + 180)
    assert "cached for 3,600 s" in warning


def test_ttls_of_the_behavior_decide_where_the_origin_says_nothing() -> None:
    assert "cached for 10 s" in run_of({}, {}, LONG, LONG, ended_at=NOW + 60, ttls={0: (0, 10)})[0]
    assert run_of(SHORT, SHORT, LONG, LONG, ended_at=NOW + 60, ttls={0: (300, 86_400)}) == []
    assert "cached for 20 s" in run_of(LONG, LONG, LONG, LONG, ended_at=NOW + 60, longest_ttls={1: 20})[0]


def test_copy_of_a_held_target_expires_by_the_time_of_its_response() -> None:
    _, tile = tile_of()
    target = targets_of(tile)[0]
    plan, _ = tile_of()
    target.held_at = NOW - 100
    recorder = Recorder(plan, tile)
    recorder.record(target, response(cache_control="max-age=60"), Outcome.WARMED, "")
    (copies,) = unpack_short_lived(recorder.result(0).short_lived).values()
    assert copies.earliest == NOW - 40


def test_copies_that_live_a_day_take_no_room_in_the_ledger() -> None:
    _, tile = tile_of()
    expiries = Expiries(tile)
    expiries.add(targets_of(tile)[0], response(cache_control=f"max-age={SHORT_SECONDS}"), NOW, verified=True)
    assert pack_short_lived(expiries.urls) == b""
