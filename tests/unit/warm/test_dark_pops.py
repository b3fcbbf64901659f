"""Dark POPs: when a worker gives up on a POP, and what becomes of its targets."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from prewarm.storage.ledger_items import Control
from tests.support.builders import POP_NAMES, Clock, refused, response
from tests.support.worker import HIT, Edge, in_order, work
from warm.dark_pops import FAILURES_OF_A_DARK_POP, FAILURES_OF_A_SILENT_PROBE, DarkPops

SILENT = Response(error=28, error_text="too slow", connected=True)


def watched() -> tuple[DarkPops, list[tuple[str, str]]]:
    """Return the POPs of a batch, and the list of those that are reported to other workers."""
    reported: list[tuple[str, str]] = []
    return DarkPops(lambda pop, outcome: reported.append((pop, outcome))), reported


PROBES = FAILURES_OF_A_DARK_POP // FAILURES_OF_A_SILENT_PROBE


def test_pop_is_dark_after_failed_connections_in_a_row() -> None:
    pops, reported = watched()
    failures = [
        pops.record("C", Outcome.CONNECT_ERROR, Response(), fresh=False) for _ in range(FAILURES_OF_A_DARK_POP + 1)
    ]
    assert failures == [False] * (FAILURES_OF_A_DARK_POP - 1) + [True, False]
    assert (pops.dark, reported) == ({"C": "connect_error"}, [("C", "connect_error")])


def test_pop_is_dark_after_silent_probes_and_not_after_time_outs_on_open_connections() -> None:
    pops, _ = watched()
    assert not any(pops.record("A", Outcome.TIMEOUT, Response(), fresh=False) for _ in range(50))
    assert [pops.record("A", Outcome.TIMEOUT, Response(), fresh=True) for _ in range(PROBES)] == [False, True]


def test_pop_is_suspected_from_a_failure_until_the_next_response() -> None:
    pops, _ = watched()
    pops.record("A", Outcome.TIMEOUT, Response(), fresh=False)
    pops.record("A", Outcome.TIMEOUT, Response(), fresh=True)
    assert pops.is_suspected("A")
    pops.record("A", Outcome.SERVER_ERROR, response(status=503), fresh=True)
    assert not pops.is_suspected("A")
    assert not pops.record("A", Outcome.TIMEOUT, Response(), fresh=True)


def test_stalled_body_neither_ends_nor_adds_to_a_suspicion() -> None:
    pops, _ = watched()
    pops.record("A", Outcome.TIMEOUT, Response(), fresh=False)
    pops.record("A", Outcome.TIMEOUT, response(), fresh=False)
    assert pops.is_suspected("A")
    for _ in range(FAILURES_OF_A_DARK_POP):
        pops.record("B", Outcome.TIMEOUT, response(), fresh=True)
    assert pops.dark == {}


STALLED: dict[str, Any] = {"error": 28, "error_text": "too slow", "bytes": 5}
RESET: dict[str, Any] = {
    "status": 0,
    "cf_pop": "",
    "x_cache": "",
    "error": 92,
    "error_text": "stream was not closed cleanly",
}


def test_answer_on_a_new_connection_ends_a_suspicion_although_its_body_stalls() -> None:
    pops, _ = watched()
    for answer in (Response(), response(**STALLED), Response()):
        assert not pops.record("A", Outcome.TIMEOUT, answer, fresh=True)
    assert pops.dark == {}


def test_reset_stream_is_an_answer() -> None:
    pops, _ = watched()
    pops.record("A", Outcome.TIMEOUT, Response(), fresh=False)
    assert not any(pops.record("A", Outcome.CONNECT_ERROR, response(**RESET), fresh=True) for _ in range(50))
    assert not pops.is_suspected("A")


@pytest.mark.parametrize("verify", ["none", "sample", "all"])
@pytest.mark.parametrize("failure", [STALLED, RESET])
def test_pop_that_answers_and_breaks_off_is_not_dark(clock: Clock, failure: dict[str, Any], verify: str) -> None:
    edge = Edge()

    def answers(fetch: Fetch) -> Response:
        return edge(fetch) if fetch.owner.pop == 0 else response(POP_NAMES[fetch.owner.pop], **failure)

    worked = work(clock, answers, 2, 3, verify=verify)
    assert worked.result.dark == ()
    assert worked.reported_pops == []
    failed = "timeout" if failure is STALLED else "connect_error"
    assert worked.result.outcomes == {"warmed": 2, failed: 4}


@pytest.mark.parametrize("failure", [STALLED, RESET, {}])
def test_pop_that_has_answered_before_it_falls_silent_is_not_dark(clock: Clock, failure: dict[str, Any]) -> None:
    """Of each target only the first fetch is answered; then connections are refused."""
    answer = response("NRT57-P3", **failure)

    def edge(fetch: Fetch) -> Response:
        if fetch.owner.pop == 0:
            return response(POP_NAMES[0], x_cache=HIT, server_timing='cdn-hit-layer;desc="EDGE"')
        return answer if fetch.owner.tries == 0 else refused()

    worked = work(clock, edge, 1, 2, verify="all", addresses={name: ["192.0.2.1"] for name in POP_NAMES[:2]})
    assert worked.result.dark == ()
    assert worked.result.outcomes["connect_error"] == 1


def test_other_pop_that_answers_leaves_the_pop_dark(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return response(POP_NAMES[0] if fetch.owner.pop == 0 else "SIN2-C1")

    worked = work(clock, edge, 2, 2)
    assert [(entry.pop, entry.reason) for entry in worked.result.dark] == [(POP_NAMES[1], "wrong_pop")]


@pytest.mark.parametrize("region_type", ["region", "pop"])
def test_silent_pop_fails_alone_and_the_origin_is_not_called_overloaded(clock: Clock, region_type: str) -> None:
    """One of three POPs accepts connections and never responds; 200 URLs, each time-out takes 95 s."""

    def edge(fetch: Fetch) -> Response:
        if fetch.owner.pop == 1:
            return SILENT
        return response(("ATL56-C1", "", "SYD1-C1")[fetch.owner.pop])

    worked = work(clock, edge, 200, 3, region_type=region_type)
    assert (worked.reported_hosts, worked.reported_pops) == ([], [("NRT57-P3", "timeout")])
    asked = Counter(number % 3 for _, number, _ in worked.fetcher.seen)
    assert asked[1] == 1 + PROBES
    assert worked.result.finished
    if region_type == "pop":
        assert worked.result.outcomes == {"warmed": 400, "timeout": 200}
    else:
        assert worked.result.outcomes == {"warmed": 400}
        assert [(entry.pop, entry.reason) for entry in worked.result.dark] == [("NRT57-P3", "timeout")]


def test_pop_that_falls_silent_later_is_given_up_on(clock: Clock) -> None:
    edge = in_order(*[response()] * 50, SILENT)
    worked = work(clock, edge, 100)
    assert worked.result.outcomes == {"warmed": 50, "timeout": 50}
    assert len(worked.addresses) == 50 + 1 + PROBES


def test_silence_at_all_pops_skips_none_of_them(clock: Clock) -> None:
    """The origin may be the reason, so the URLs fail at these POPs."""
    worked = work(clock, lambda _: SILENT, 5, 2)
    assert worked.result.dark == ()
    assert worked.result.outcomes == {"timeout": 10}


def test_dark_pop_is_skipped_and_other_pops_are_warmed(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return refused() if fetch.owner.pop == 0 else response("NRT57-P3")

    worked = work(clock, edge, 200, 2)
    asked = Counter(address.rpartition(".")[2] for address in worked.addresses)
    assert asked["1"] == 200
    assert asked["0"] <= 2 * FAILURES_OF_A_DARK_POP
    assert worked.result.outcomes == {"warmed": 200}
    assert [entry.reason for entry in worked.result.dark] == ["connect_error"]
    assert worked.result.finished


def test_dark_pop_requested_by_id_fails_for_every_url(clock: Clock) -> None:
    worked = work(clock, lambda _: refused(), 50, region_type="pop")
    assert worked.result.outcomes == {"connect_error": 50}
    assert set(worked.result.failed) == set(range(50))
    assert worked.result.dark == ()


def test_pop_that_answers_now_and_then_is_not_dark(clock: Clock) -> None:
    edge = in_order(*[response(), *[refused()] * 5] * 20)
    worked = work(clock, edge, 20)
    assert worked.result.done == 20
    assert worked.result.dark == ()
    assert len(worked.addresses) > 20


def test_pop_that_another_worker_reported_is_not_fetched_from(clock: Clock) -> None:
    worked = work(clock, lambda _: response("NRT57-P3"), 5, 2, dark_pops={"ATL56-C1": "timeout"}, region_type="pop")
    assert worked.result.outcomes == {"timeout": 5, "warmed": 5}
    assert {number % 2 for _, number, _ in worked.fetcher.seen} == {1}
    assert worked.reported_pops == []


@pytest.mark.parametrize(
    ("edge", "outcomes"), [(lambda _: SILENT, {"timeout": 60}), (lambda _: response(), {"warmed": 60})]
)
def test_report_of_another_worker_counts_only_where_the_pop_is_silent_here_too(
    clock: Clock, edge: Callable[[Fetch], Response], outcomes: dict[str, int]
) -> None:
    reported = Control(ended=False, dark_pops={"ATL56-C1": "timeout", "SYD1-C1": "timeout"})
    worked = work(clock, edge, 60, seconds=4, control=lambda: reported)
    assert worked.result.outcomes == outcomes
    assert len(worked.addresses) == (2 if "timeout" in outcomes else 60)
