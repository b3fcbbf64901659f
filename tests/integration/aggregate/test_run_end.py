"""A run that ends while its workers fetch: cancelled, aborted and timed-out runs keep what was fetched."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import aggregate.run_ended_handler
import prewarm.storage.run_end
import warm.handler
import warm.stop_rules
from prewarm.storage.ledger_items import Stored
from prewarm.storage.run_end import settle_run
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import SYDNEY, TOKYO, Context, Machine, Ran, client, document, keys, outcomes
from tests.support.rest import EXECUTION, call, make_state_machine
from warm.run_guard import RunNotActive

QUICK = 10


def slow(edge: SimulatedCloudFront, milliseconds: int) -> str:
    (url,) = fresh()
    edge.put_object(path_of(url), {"size": 400, "ttfb_ms": milliseconds})
    return url


def end(ran: Ran, how: str) -> None:
    """End a run as AWS does: by the API, or by the event that follows an abort or a time-out."""
    if how == "DELETE":
        status, response = call("DELETE", "/prewarm", query={"requestID": ran.name})
        assert status == 200
        assert len(response["successUrl"]) == QUICK
        assert response["targets"]["outcomes"] == {"warmed": 2 * QUICK, "cancelled": 2}
    event = {
        "name": ran.name,
        "executionArn": f"{EXECUTION}:{ran.name}",
        "status": "TIMED_OUT" if how == "TIMED_OUT" else "ABORTED",
    }
    aggregate.run_ended_handler.handler({"detail": event}, Context())


@contextmanager
def working(machine: Machine, edge: SimulatedCloudFront, slow_ms: int = 60_000) -> Iterator[Ran]:
    """Let a worker fetch in a thread; it has finished all but one URL when the block begins."""
    make_state_machine()
    client("stepfunctions").start_execution(
        stateMachineArn=EXECUTION.replace(":execution:", ":stateMachine:"), name="ending", input="{}"
    )
    quick = fresh(QUICK)
    request = {"url_list": [*quick, slow(edge, slow_ms)], "region_type": "pop", "region": [SYDNEY[0], TOKYO]}
    ran = machine.resolve(request | {"verify": "none"}, "ending")
    (item,) = machine.items(ran)
    errors: list[Exception] = []

    def work() -> None:
        try:
            warm.handler.handler({"run": ran.name, "batch": item, "cursor": None}, Context())
        except RunNotActive as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        asked: dict[str, Any] = {}
        for _ in range(200):
            asked = edge.stats()["origin"]
            if all(path_of(url) in asked for url in quick):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        yield ran
    finally:
        thread.join()
    assert len(errors) == 1, "the child execution fails, so that a redrive resumes it"


@pytest.mark.parametrize("how", ["DELETE", "ABORTED", "TIMED_OUT"])
def test_run_that_ends_keeps_what_was_fetched(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(warm.stop_rules, "CONTROL_SECONDS", 0.3)
    with working(machine, edge) as ran:
        end(ran, how)
    summary = document(ran.name, "summary.json")
    reason = "deadline" if how == "TIMED_OUT" else "cancelled"
    assert summary["outcomes"] == {"warmed": 2 * QUICK, reason: 2}
    assert (summary["targetsDone"], summary["success"], summary["failed"]) == (2 * QUICK, QUICK, 1)
    assert outcomes(ran.name) == {"warmed": 2 * QUICK}
    assert len(keys(f"runs/{ran.name}/cursors/")) == 1


def test_redrive_continues_what_the_ended_run_has_fetched(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm.stop_rules, "CONTROL_SECONDS", 0.3)
    monkeypatch.setenv("PREWARM_STALL_SECONDS", "20")
    with working(machine, edge, 5_000) as ran:
        end(ran, "ABORTED")
    assert document(ran.name, "summary.json")["failed"] == 1
    (item,) = machine.items(ran)
    event = {"run": ran.name, "batch": item, "cursor": None, "redrives": 0, "childRedrives": 1}
    first = warm.handler.handler(event, Context())
    assert (first["finished"], first["cursor"]["part"]) == (False, 1)
    assert warm.handler.handler(event | {"cursor": first["cursor"]}, Context())["finished"]
    assert aggregate.handler.handler({"run": ran.name, "redrives": 1}, Context())["passed"]
    summary = document(ran.name, "summary.json")
    assert sum(summary["outcomes"].values()) == summary["targetsDone"] == 2 * QUICK + 2


def test_run_end_waits_no_longer_than_its_limit(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's Lambda was killed: nothing removes it from the list."""
    ran = machine.resolve({"url_list": fresh(), "region_type": "pop", "region": [TOKYO]})
    plan, ledger = machine.storage.need_plan(ran.name), machine.storage.ledger
    monkeypatch.setattr(prewarm.storage.run_end, "WAIT_SECONDS", 0.6)
    ledger.open_attempt(ran.name, "1-000000#0#killed", time.time() - 1)
    started = time.monotonic()
    settle_run(plan, ledger)
    assert time.monotonic() - started < 0.5, "its Lambda must have ended"
    ledger.open_attempt(ran.name, "1-000000#0#killed", time.time() + 600)
    settle_run(plan, ledger)
    assert 0.6 < time.monotonic() - started < 10
    assert ledger.stored_part(ran.name, "1-000000", 0) == Stored(closed=0)


def test_finished_run_does_not_wait(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "pop", "region": [TOKYO]})
    machine.storage.ledger.open_attempt(ran.name, "1-000000#0#killed", time.time() + 600)
    started = time.monotonic()
    machine.aggregate(ran)
    assert time.monotonic() - started < 5


def test_part_written_during_the_closing_is_kept(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = machine.resolve({"url_list": fresh(2), "region_type": "pop", "region": [TOKYO], "verify": "none"})
    plan, ledger = machine.storage.need_plan(ran.name), machine.storage.ledger
    (item,) = machine.items(ran)
    close = type(ledger).close_batches

    def write_first(self: Any, run: str, parts: Any, redrives: int) -> bool:
        monkeypatch.setattr(type(ledger), "close_batches", close)
        warm.handler.handler({"run": ran.name, "batch": item, "cursor": None}, Context())
        return close(self, run, parts, redrives)

    monkeypatch.setattr(type(ledger), "close_batches", write_first)
    (result,) = settle_run(plan, ledger)
    assert (result.finished, result.done) == (True, 2)
