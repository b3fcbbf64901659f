"""The recorder: counts, measurements, records, and dark POPs of a part of a batch."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.planning.plan import Skipped
from prewarm.results.outcome import SILENT, WARM, Outcome
from prewarm.results.stats import PopSums, time_class, unpack_pops
from prewarm.storage.ledger_items import result_as_item, result_from_item
from tests.support.builders import POP_NAMES, lines_of, response, targets_of, tile_of
from warm.recorder import Recorder
from warm.target import Target


def recorded(outcomes: dict[tuple[int, int], Outcome], urls: int, pops: int, **scene: Any) -> Recorder:
    """Return a recorder with the targets of a tile of one variant: (URL, POP) to outcome."""
    plan, tile = tile_of(urls, pops, **scene)
    recorder = Recorder(plan, tile)
    for target in targets_of(tile):
        if outcome := outcomes.get((target.url, target.pop)):
            tile.mark_done(target.number)
            recorder.record(target, response(tile.pops[target.pop], status=0), outcome, f"pop {target.pop}")
    return recorder


def test_result_counts_outcomes_and_failures_by_url_index() -> None:
    outcomes = {
        (0, 0): Outcome.WARMED,
        (0, 1): Outcome.TRUNCATED,
        (1, 0): Outcome.ALREADY_WARM,
        (1, 1): Outcome.TIMEOUT,
    }
    result = recorded(outcomes, 2, 2, url_from=40).result(3)
    assert (result.batch, result.part, result.url_from, result.url_to, result.pops) == ("1-000000", 3, 40, 42, 2)
    assert result.outcomes == {"warmed": 1, "truncated": 1, "already_warm": 1, "timeout": 1}
    assert result.failed == {40: {"truncated": 1}, 41: {"timeout": 1}}
    assert (result.done, result.finished, result.dark) == (4, True, ())


def test_failures_are_counted_by_outcome_and_status() -> None:
    plan, tile = tile_of(1, 4, region_type="pop")
    recorder = Recorder(plan, tile)
    seen = [
        (Outcome.CLIENT_ERROR, 404),
        (Outcome.CLIENT_ERROR, 404),
        (Outcome.CLIENT_ERROR, 410),
        (Outcome.TIMEOUT, 0),
    ]
    for target, (outcome, status) in zip(targets_of(tile), seen, strict=True):
        recorder.record(target, response(tile.pops[target.pop], status=status, cf_id="i" * 500), outcome, "")
    result = recorder.result(0)
    assert result.failed == {0: {"client_error:404": 2, "client_error:410": 1, "timeout": 1}}
    assert result.outcomes == {"client_error": 3, "timeout": 1}
    assert [(each.pop, each.kind) for each in result.examples] == [(POP_NAMES[0], "client_error:404")]
    assert {each.cf_id for each in result.examples} == {"i" * 100}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"status": 500, "server": "nginx"}, "origin"),
        ({"status": 502, "server": "CloudFront"}, "unreachable"),
        ({"status": 502, "server": "nginx/1.2"}, "origin"),
        ({"status": 504, "server": "CloudFront"}, "slow"),
        ({"status": 503, "server": "CloudFront"}, "edge"),
        ({"status": 500, "server": ""}, "edge"),
        ({"status": 502, "server": "CloudFront", "x_cache": "LambdaValidationError from cloudfront"}, "function"),
        ({"status": 503, "server": "CloudFront", "x_cache": "FunctionExecutionError from cloudfront"}, "function"),
    ],
)
def test_server_errors_are_counted_by_cause(changes: dict[str, Any], cause: str) -> None:
    plan, tile = tile_of(1, 1, region_type="pop")
    recorder = Recorder(plan, tile)
    answer = response(x_cache="Error from cloudfront") if "x_cache" not in changes else response()
    for name, value in changes.items():
        setattr(answer, name, value)
    recorder.record(targets_of(tile)[0], answer, Outcome.SERVER_ERROR, "")
    result = recorder.result(0)
    assert result.failed == {0: {f"server_error:{changes['status']}:{cause}": 1}}
    assert [each.cause for each in result.examples] == [cause]


def test_an_example_is_of_a_urls_most_frequent_failure() -> None:
    plan, tile = tile_of(2, 3, region_type="pop")
    recorder = Recorder(plan, tile)
    statuses = {(0, 0): 503, (0, 1): 404, (0, 2): 404, (1, 0): 500, (1, 1): 500, (1, 2): 404}
    for target in targets_of(tile):
        status = statuses[target.url, target.pop]
        outcome = Outcome.CLIENT_ERROR if status == 404 else Outcome.SERVER_ERROR
        recorder.record(target, response(status=status, server="nginx"), outcome, "")
    assert [(each.url, each.pop, each.status) for each in recorder.result(0).examples] == [
        (0, POP_NAMES[1], 404),
        (1, POP_NAMES[0], 500),
    ]


def test_examples_leave_out_dark_pops() -> None:
    outcomes = {(0, 0): Outcome.BLOCKED, (0, 1): Outcome.CONNECT_ERROR}
    assert [each.pop for each in recorded(outcomes, 1, 2).result(0).examples] == [POP_NAMES[0]]


def test_example_of_a_kind_that_a_dark_pop_had_first_is_at_another_pop() -> None:
    outcomes = {
        (0, 0): Outcome.CONNECT_ERROR,
        (1, 0): Outcome.CONNECT_ERROR,
        (0, 1): Outcome.CONNECT_ERROR,
        (1, 1): Outcome.WARMED,
    }
    result = recorded(outcomes, 2, 2).result(0)
    assert [entry.pop for entry in result.dark] == [POP_NAMES[0]]
    assert [(each.url, each.pop) for each in result.examples] == [(0, POP_NAMES[1])]


def test_bytes_of_all_fetches_are_added_up() -> None:
    plan, tile = tile_of(2, 1)
    recorder = Recorder(plan, tile)
    first, second = targets_of(tile)
    first.bytes, second.bytes = 30, 12
    recorder.record(first, response(), Outcome.WARMED, "", verified=True)
    recorder.record(second, response(), Outcome.WARMED, "")
    assert (recorder.result(0).bytes, recorder.result(0).verified) == (42, 1)


@pytest.mark.parametrize("outcome", sorted(SILENT))
@pytest.mark.parametrize("region_type", ["country", "region"])
def test_silent_pop_of_a_region_is_dark(region_type: str, outcome: Outcome) -> None:
    outcomes = {(0, 0): Outcome.WARMED, (1, 0): Outcome.TIMEOUT, (0, 1): outcome, (1, 1): outcome}
    result = recorded(outcomes, 2, 2, region_type=region_type).result(0)
    assert result.dark == (Skipped(POP_NAMES[1], outcome.value, "pop 1"),)
    assert result.outcomes == {"warmed": 1, "timeout": 1}
    assert result.failed == {1: {"timeout": 1}}
    assert (result.done, result.finished) == (4, True)


def test_silent_pop_requested_by_id_fails() -> None:
    outcomes = {(0, 0): Outcome.CONNECT_ERROR, (1, 0): Outcome.CONNECT_ERROR}
    result = recorded(outcomes, 2, 1, region_type="pop").result(0)
    assert result.dark == ()
    assert result.failed == {0: {"connect_error": 1}, 1: {"connect_error": 1}}


@pytest.mark.parametrize("other", sorted(set(Outcome) - SILENT))
def test_pop_with_another_outcome_is_not_dark(other: Outcome) -> None:
    outcomes = {(0, 0): Outcome.CONNECT_ERROR, (1, 0): Outcome.CONNECT_ERROR, (2, 0): other}
    result = recorded(outcomes, 3, 1).result(0)
    assert result.dark == ()
    assert result.outcomes["connect_error"] == 2


def test_pop_with_unfinished_targets_is_not_dark() -> None:
    result = recorded({(0, 0): Outcome.CONNECT_ERROR}, 2, 1).result(0)
    assert (result.dark, result.finished) == ((), False)
    assert result.failed == {0: {"connect_error": 1}}


def test_dark_pop_has_its_most_frequent_failure_as_reason() -> None:
    outcomes = {(0, 0): Outcome.TLS_ERROR, (1, 0): Outcome.CONNECT_ERROR, (2, 0): Outcome.TLS_ERROR}
    (dark,) = recorded(outcomes, 3, 1).result(0).dark
    assert dark.reason == "tls_error"


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["pop", "region"]),
    st.lists(st.none() | st.sampled_from([*Outcome, *[Outcome.CONNECT_ERROR] * 9]), min_size=25, max_size=25),
)
@bounded(max_examples=80, deadline=None)
def test_counts_and_dark_pops_include_every_finished_target(
    urls: int, pops: int, region_type: str, drawn: list[Outcome | None]
) -> None:
    outcomes = {(u, p): each for u in range(urls) for p in range(pops) if (each := drawn[5 * u + p])}
    recorder = recorded(outcomes, urls, pops, region_type=region_type)
    result = recorder.result(0)
    assert result.done == len(outcomes) == len(lines_of(recorder.records()))
    assert result.finished == (len(outcomes) == urls * pops)
    assert sum(result.outcomes.values()) + urls * len(result.dark) == result.done
    cold = sum(count for name, count in result.outcomes.items() if Outcome(name) not in WARM)
    assert sum(sum(counts.values()) for counts in result.failed.values()) == cold
    assert set(result.failed) <= set(range(urls))
    assert region_type == "region" or not result.dark
    assert result_from_item(result_as_item(result)) == result


def test_record_has_all_fields_of_a_target() -> None:
    plan, tile = tile_of()
    tile.urls = ["https://www.example.com/0?token=s3cret"]
    recorder = Recorder(plan, tile)
    target = Target(0, 0, 0, 0, verify=True, tries=2)
    seen = response(cf_id="id==", age="7", etag='"e"', address="192.0.2.1", ttfb_ms=12.345, total_ms=20.06)
    seen.encoding, seen.server_timing = "gzip", 'cdn-upstream-layer;desc="REC",cdn-cache-miss'
    recorder.record(target, seen, Outcome.WARMED, "", verified=True)
    assert json.loads(lines_of(recorder.records())[0]) == {
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


def test_record_is_one_line_despite_line_breaks_in_headers() -> None:
    plan, tile = tile_of()
    recorder = Recorder(plan, tile)
    recorder.record(Target(0, 0, 0, 0, verify=False), Response(etag="a\r\nb\u2028"), Outcome.TIMEOUT, "x\ny")
    assert "\n" not in lines_of(recorder.records())[0]


def test_recorder_measures_each_pop() -> None:
    whole, tile = tile_of(2, 2)
    recorder = Recorder(whole, tile)
    for target in targets_of(tile):
        target.tries, target.bytes = 2, 100
        outcome = Outcome.TIMEOUT if (target.url, target.pop) == (0, 0) else Outcome.WARMED
        recorder.record(target, response(ttfb_ms=20.0), outcome, "")
    result = recorder.result(0, 1234)
    assert unpack_pops(result.per_pop) == [PopSums(2, 1, 4, 200, 40, 2), PopSums(2, 2, 4, 200, 40, 2)]
    assert (result.times, result.plain, result.gb_ms) == ({time_class(20): 4}, 0, 1234)


def test_fetches_by_plain_http_are_counted() -> None:
    whole, tile = tile_of(1, 1)
    tile.urls[0] = "http://www.example.com/"
    recorder = Recorder(whole, tile)
    (target,) = targets_of(tile)
    target.tries = 3
    recorder.record(target, response(), Outcome.WARMED, "")
    assert recorder.result(0).plain == 3


def test_target_without_a_byte_is_not_in_the_mean() -> None:
    whole, tile = tile_of(2, 1)
    recorder = Recorder(whole, tile)
    slow, silent = targets_of(tile)
    recorder.record(slow, response(ttfb_ms=300.0), Outcome.WARMED, "")
    recorder.record(silent, response(ttfb_ms=0.0), Outcome.CONNECT_ERROR, "")
    (pop,) = unpack_pops(recorder.result(0).per_pop)
    assert (pop.done, pop.mean_ms) == (2, 300.0)


def test_record_has_the_url_as_given_and_its_fetched_form_where_that_differs() -> None:
    plan, tile = tile_of(2, 1)
    tile.given[1] = "https://www.example.com/^1?token=abc"
    tile.urls[1] = "https://www.example.com/%5E1?token=abc"
    recorder = Recorder(plan, tile)
    for target in targets_of(tile):
        recorder.record(target, response(), Outcome.WARMED, "")
    plain, respelled = map(json.loads, lines_of(recorder.records()))
    assert (plain["url"], "fetched" in plain) == (tile.urls[0], False)
    assert respelled["url"] == "https://www.example.com/^1?token=…"
    assert respelled["fetched"] == "https://www.example.com/%5E1?token=…"


def test_vary_on_a_header_that_neither_key_nor_request_has_is_counted_by_url() -> None:
    plan, tile = tile_of(3, 2, headers={"X-Own": "1"}, harmless_vary={0: "origin", 2: "*"}, url_from=5)
    recorder = Recorder(plan, tile)
    for target in targets_of(tile):
        tile.mark_done(target.number)
        named = response(tile.pops[target.pop], vary="Origin, Accept-Encoding,x-own , User-Agent, Accept-Language")
        recorder.record(target, named, Outcome.WARMED if target.pop or target.url else Outcome.TRUNCATED, "")
    result = recorder.result(0)
    assert result.vary == {"accept-language": (3, 5), "origin": (2, 6)}
    assert result_from_item(result_as_item(result)).vary == result.vary


def test_vary_is_not_checked_where_the_cache_key_is_not_known() -> None:
    plan, tile = tile_of()
    recorder = Recorder(plan, tile)
    recorder.record(targets_of(tile)[0], response(vary="Origin"), Outcome.WARMED, "")
    assert recorder.result(0).vary == {}
