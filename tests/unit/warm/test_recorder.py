"""What a part of a batch came to: counts, records, and POPs that went dark."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.planning.plan import Skipped
from prewarm.results.outcome import SILENT, WARM, Outcome
from prewarm.storage.ledger_items import result_as_item, result_from_item
from tests.support.builders import POP_NAMES, lines_of, response, targets_of, tile_of
from warm.recorder import Recorder
from warm.tile import Target


def tallied(fates: dict[tuple[int, int], Outcome], urls: int, pops: int, **scene: Any) -> Recorder:
    """Recorder a tile of one variant: (URL, POP) to outcome."""
    plan, tile = tile_of(urls, pops, **scene)
    recorder = Recorder(plan, tile)
    for target in targets_of(tile):
        if fate := fates.get((target.url, target.pop)):
            recorder.take(target, response(tile.pops[target.pop]), fate, f"pop {target.pop}")
    return recorder


def test_counts_are_by_outcome_and_failures_by_url_of_the_run() -> None:
    fates = {(0, 0): Outcome.WARMED, (0, 1): Outcome.TRUNCATED, (1, 0): Outcome.ALREADY_WARM, (1, 1): Outcome.TIMEOUT}
    result = tallied(fates, 2, 2, url_from=40).result(3)
    assert (result.batch, result.part, result.url_from, result.url_to, result.pops) == ("1-000000", 3, 40, 42, 2)
    assert result.outcomes == {"warmed": 1, "truncated": 1, "already_warm": 1, "timeout": 1}
    assert result.failed == {40: {"truncated": 1}, 41: {"timeout": 1}}
    assert (result.done, result.finished, result.dark) == (4, True, ())


def test_bytes_of_all_tries_and_proofs_are_added_up() -> None:
    plan, tile = tile_of(2, 1)
    recorder = Recorder(plan, tile)
    first, second = targets_of(tile)
    first.bytes, second.bytes = 30, 12
    recorder.take(first, response(), Outcome.WARMED, "", verified=True)
    recorder.take(second, response(), Outcome.WARMED, "")
    assert (recorder.result(0).bytes, recorder.result(0).verified) == (42, 1)


@pytest.mark.parametrize("outcome", sorted(SILENT))
@pytest.mark.parametrize("region_type", ["country", "region"])
def test_a_pop_of_an_area_at_which_everything_was_silent_went_dark(region_type: str, outcome: Outcome) -> None:
    fates = {(0, 0): Outcome.WARMED, (1, 0): Outcome.TIMEOUT, (0, 1): outcome, (1, 1): outcome}
    result = tallied(fates, 2, 2, region_type=region_type).result(0)
    assert result.dark == (Skipped(POP_NAMES[1], outcome.value, "pop 1"),)
    assert result.outcomes == {"warmed": 1, "timeout": 1}
    assert result.failed == {1: {"timeout": 1}}
    assert (result.done, result.finished) == (4, True)


def test_a_pop_asked_for_by_name_never_goes_dark_it_fails() -> None:
    fates = {(0, 0): Outcome.CONNECT_ERROR, (1, 0): Outcome.CONNECT_ERROR}
    result = tallied(fates, 2, 1, region_type="pop").result(0)
    assert result.dark == ()
    assert result.failed == {0: {"connect_error": 1}, 1: {"connect_error": 1}}


@pytest.mark.parametrize("other", sorted(set(Outcome) - SILENT))
def test_a_pop_that_answered_once_is_not_dark(other: Outcome) -> None:
    fates = {(0, 0): Outcome.CONNECT_ERROR, (1, 0): Outcome.CONNECT_ERROR, (2, 0): other}
    result = tallied(fates, 3, 1).result(0)
    assert result.dark == ()
    assert result.outcomes["connect_error"] == 2


def test_a_pop_of_which_targets_are_left_is_not_dark_yet() -> None:
    result = tallied({(0, 0): Outcome.CONNECT_ERROR}, 2, 1).result(0)
    assert (result.dark, result.finished) == ((), False)
    assert result.failed == {0: {"connect_error": 1}}


def test_the_most_frequent_failure_is_the_reason_of_the_dark() -> None:
    fates = {(0, 0): Outcome.TLS_ERROR, (1, 0): Outcome.CONNECT_ERROR, (2, 0): Outcome.TLS_ERROR}
    (dark,) = tallied(fates, 3, 1).result(0).dark
    assert dark.reason == "tls_error"


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["pop", "region"]),
    st.lists(st.none() | st.sampled_from([*Outcome, *[Outcome.CONNECT_ERROR] * 9]), min_size=25, max_size=25),
)
@bounded(max_examples=80, deadline=None)
def test_counts_and_dark_pops_account_for_every_finished_target(
    urls: int, pops: int, region_type: str, outcomes: list[Outcome | None]
) -> None:
    fates = {(u, p): fate for u in range(urls) for p in range(pops) if (fate := outcomes[5 * u + p])}
    recorder = tallied(fates, urls, pops, region_type=region_type)
    result = recorder.result(0)
    assert result.done == len(fates) == len(lines_of(recorder))
    assert result.finished == (len(fates) == urls * pops)
    assert sum(result.outcomes.values()) + urls * len(result.dark) == result.done
    cold = sum(count for name, count in result.outcomes.items() if Outcome(name) not in WARM)
    assert sum(sum(counts.values()) for counts in result.failed.values()) == cold
    assert set(result.failed) <= set(range(urls))
    assert region_type == "region" or not result.dark
    assert result_from_item(result_as_item(result)) == result


def test_a_record_says_all_there_is_to_know_of_a_target() -> None:
    plan, tile = tile_of()
    tile.urls = ["https://www.example.com/0?token=s3cret"]
    recorder = Recorder(plan, tile)
    target = Target(0, 0, 0, 0, prove=True, tries=2)
    seen = response(cf_id="id==", age="7", etag='"e"', address="192.0.2.1", ttfb_ms=12.345, total_ms=20.06)
    seen.encoding, seen.server_timing = "gzip", 'cdn-upstream-layer;desc="REC",cdn-cache-miss'
    recorder.take(target, seen, Outcome.WARMED, "", verified=True)
    assert json.loads(lines_of(recorder)[0]) == {
        "url": "https://www.example.com/0?token=…",
        "pop": POP_NAMES[0],
        "variant": "br, gzip",
        "outcome": "warmed",
        "detail": "",
        "status": 200,
        "x_cache": "Miss from cloudfront",
        "cf_pop": POP_NAMES[0],
        "cf_id": "id==",
        "age": "7",
        "etag": '"e"',
        "encoding": "gzip",
        "layer": "REC",
        "address": "192.0.2.1",
        "bytes": 10,
        "ttfb_ms": 12.3,
        "total_ms": 20.1,
        "tries": 2,
        "verified": True,
    }


def test_a_record_is_one_line_whatever_the_answer_holds() -> None:
    plan, tile = tile_of()
    recorder = Recorder(plan, tile)
    recorder.take(Target(0, 0, 0, 0, prove=False), Response(etag="a\r\nb\u2028"), Outcome.TIMEOUT, "x\ny")
    assert "\n" not in lines_of(recorder)[0]
