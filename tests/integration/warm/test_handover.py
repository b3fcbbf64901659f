"""A batch over several workers: cursors, deadlines, runs that end in between, and retries of the same part."""

import json
import time
from collections import Counter
from typing import Any

import pytest

import prewarm.storage.ledger
import warm.handler
import warm.stop_rules
from prewarm.storage.ledger_items import Control
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import (
    OLD,
    SYDNEY,
    TOKYO,
    Context,
    Machine,
    Ran,
    client,
    document,
    keys,
    outcomes,
    records,
)
from warm.run_guard import RunNotActive

TWO = [SYDNEY[0], TOKYO]


def request_for(urls: list[str], **fields: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": TWO, "verify": "none"} | fields


def warm_part(ran: Ran, item: dict[str, Any], cursor: Any = None, seconds: float = 60.0) -> dict[str, Any]:
    event = json.loads(json.dumps({"run": ran.name, "batch": item, "cursor": cursor}))
    return warm.handler.handler(event, Context(seconds))


def move_deadline(ran: Ran, seconds_from_now: float) -> None:
    plan = document(ran.name, "plan/plan.json") | {"deadline": time.time() + seconds_from_now}
    client("s3").put_object(
        Bucket="prewarm-runs", Key=f"runs/{ran.name}/plan/plan.json", Body=json.dumps(plan).encode()
    )


def recorded(run: str) -> Counter[tuple[str, str]]:
    return Counter((record["url"], record["pop"]) for record in records(run))


def slow(edge: SimulatedCloudFront, count: int, milliseconds: int) -> list[str]:
    urls = fresh(count)
    for url in urls:
        edge.put_object(path_of(url), {"size": 400, "ttfb_ms": milliseconds})
    return urls


def test_workers_with_little_time_record_each_target_once(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = slow(edge, 24, 150)
    machine.worker_seconds = 0.6
    ran = machine.run(request_for([*fresh(), *urls], region=[OLD]))
    assert ran.turns >= 2
    assert set(recorded(ran.name).values()) == {1}
    assert len(recorded(ran.name)) == 25
    parts = [result for result in machine.storage.ledger.results(ran.name) if result.batch == "1-000000"]
    assert [part.finished for part in sorted(parts, key=lambda part: part.part)] == [False] * (len(parts) - 1) + [
        True
    ]
    assert sum(part.done for part in parts) == 25
    assert ran.output["passed"]


def test_cursor_is_small(machine: Machine) -> None:
    """It is passed through the child execution's states, whose payloads are limited to 256 KiB."""
    urls = fresh(500)
    ran = machine.resolve(request_for(urls, region=SYDNEY))
    (item, *_) = machine.items(ran)
    progress = warm_part(ran, item, seconds=0.02)
    assert progress["finished"] is False
    assert progress["cursor"]["part"] == 1
    assert len(json.dumps(progress)) < item["targets"] / 4 + 100


def test_object_slower_than_a_worker_is_a_timeout(machine: Machine, edge: SimulatedCloudFront) -> None:
    (endless,) = slow(edge, 1, 60_000)
    quick = fresh(3)
    machine.worker_seconds = 0.7
    ran = machine.run(request_for([*quick, endless]))
    recorded_outcomes = {(record["url"], record["outcome"]) for record in records(ran.name)}
    assert recorded_outcomes == {(endless, "timeout")} | {(url, "warmed") for url in quick}
    assert ran.turns <= 5
    assert "still incomplete after" in next(r["detail"] for r in records(ran.name) if r["outcome"] == "timeout")


def test_endless_body_is_a_timeout(machine: Machine, edge: SimulatedCloudFront) -> None:
    url, quick = fresh(2)
    edge.put_object(path_of(url), {"size": 50_000_000_000})
    machine.worker_seconds = 0.7
    ran = machine.run(request_for([quick, url], region=[TOKYO]))
    assert {record["url"]: record["outcome"] for record in records(ran.name)} == {quick: "warmed", url: "timeout"}
    assert ran.turns <= 5


def test_interrupted_target_is_fetched_by_the_next_worker(machine: Machine, edge: SimulatedCloudFront) -> None:
    # Four at a time at a POP without HTTP/2: the third four are interrupted soon after their start.
    urls = slow(edge, 12, 400)
    ran = machine.resolve(request_for([*fresh(), *urls], region=[OLD]))
    (item,) = machine.items(ran)
    progress = warm_part(ran, item, seconds=1.0)
    assert progress["finished"] is False
    assert warm_part(ran, item, progress["cursor"]) == {"finished": True, "cursor": None}
    assert set(outcomes(ran.name)) <= {"warmed", "already_warm"}
    assert set(recorded(ran.name).values()) == {1}
    assert len(recorded(ran.name)) == 13


def test_repeated_part_returns_the_owners_answer_and_fetches_nothing(machine: Machine) -> None:
    ran = machine.resolve(request_for(fresh(6)))
    (item,) = machine.items(ran)
    assert warm_part(ran, item) == {"finished": True, "cursor": None}
    assert warm_part(ran, item) == {"finished": True, "cursor": None}
    assert len(list(machine.storage.ledger.results(ran.name))) == 1
    assert len(keys(f"runs/{ran.name}/records/")) == 1
    assert len(records(ran.name)) == 12
    machine.aggregate(ran)
    summary = document(ran.name, "summary.json")
    assert (summary["targetsDone"], summary["outcomes"]) == (12, {"warmed": 12})


def test_repeated_unfinished_part_counts_its_targets_once(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = slow(edge, 12, 200)
    ran = machine.resolve(request_for([*fresh(), *urls], region=[OLD]))
    (item,) = machine.items(ran)
    progress = warm_part(ran, item, seconds=0.5)
    assert not progress["finished"]
    assert warm_part(ran, item, seconds=60) == progress
    while not progress["finished"]:
        progress = warm_part(ran, item, progress["cursor"])
    assert set(recorded(ran.name).values()) == {1}
    machine.aggregate(ran)
    assert document(ran.name, "summary.json")["targetsDone"] == 13


def test_passed_deadline_finishes_every_target_without_a_request(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(30)
    ran = machine.resolve(request_for(urls))
    move_deadline(ran, -1)
    for item in machine.items(ran):
        machine.warm(ran, item)
    assert outcomes(ran.name) == {"deadline": 60}
    assert machine.aggregate(ran)["error"] == "Prewarm.DeadlinePassed"
    assert ran.output["passed"] is False
    assert "not finished (the run's deadline passed) at 2 POPs" in ran.output["cause"]
    asked = edge.stats()["origin"]
    assert [path_of(url) for url in urls[1:] if path_of(url) in asked] == []


def test_deadline_keeps_warmed_targets(machine: Machine, edge: SimulatedCloudFront) -> None:
    (late,) = slow(edge, 1, 30_000)
    quick = fresh(5)
    ran = machine.resolve(request_for([*quick, late]))
    move_deadline(ran, 1.0)
    started = time.monotonic()
    (item,) = machine.items(ran)
    machine.warm(ran, item)
    assert time.monotonic() - started < 10
    assert outcomes(ran.name) == {"warmed": 10, "deadline": 2}
    assert machine.aggregate(ran)["error"] == "Prewarm.DeadlinePassed"
    assert (ran.output["success"], ran.output["failed"]) == (5, 1)


def test_ended_run_is_not_warmed(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(4)
    ran = machine.resolve(request_for(urls))
    machine.storage.ledger.end_run(ran.name)
    (item,) = machine.items(ran)
    with pytest.raises(RunNotActive):
        warm_part(ran, item)
    assert keys(f"runs/{ran.name}/records/") == []
    assert list(machine.storage.ledger.results(ran.name)) == []
    assert path_of(urls[1]) not in edge.stats()["origin"]


def test_run_that_ends_during_a_worker_keeps_what_was_fetched(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm.stop_rules, "CONTROL_SECONDS", 0.7)
    ran = machine.resolve(request_for([*fresh(3), *slow(edge, 1, 30_000)]))
    (item,) = machine.items(ran)
    reads = iter([Control(ended=False)] * 2)
    monkeypatch.setattr(type(machine.storage.ledger), "control", lambda *_: next(reads, Control(ended=True)))
    started = time.monotonic()
    with pytest.raises(RunNotActive):
        warm_part(ran, item)
    assert time.monotonic() - started < 10
    assert outcomes(ran.name) == {"warmed": 6}
    (result,) = machine.storage.ledger.results(ran.name)
    assert (result.done, result.finished) == (6, False)
    assert not machine.storage.ledger.has_open_attempts(ran.name)


def test_finished_batch_is_kept_although_the_run_ended_before_its_write(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = machine.resolve(request_for(fresh(2)))
    (item,) = machine.items(ran)
    put = prewarm.storage.ledger.Ledger.put_result

    def end_first(self: prewarm.storage.ledger.Ledger, run: str, result: Any) -> Any:
        self.end_run(run)
        return put(self, run, result)

    monkeypatch.setattr(prewarm.storage.ledger.Ledger, "put_result", end_first)
    assert warm_part(ran, item)["finished"]
    machine.aggregate(ran)
    assert document(ran.name, "summary.json")["outcomes"] == {"warmed": 4}


def test_result_after_the_closing_is_refused_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = machine.resolve(request_for(fresh(2)))
    (item,) = machine.items(ran)
    put = prewarm.storage.ledger.Ledger.put_result

    def close_first(self: prewarm.storage.ledger.Ledger, run: str, result: Any) -> Any:
        self.end_run(run)
        assert self.close_batches(run, [(result.batch, result.part)])
        return put(self, run, result)

    monkeypatch.setattr(prewarm.storage.ledger.Ledger, "put_result", close_first)
    with pytest.raises(RunNotActive):
        warm_part(ran, item)
    assert list(machine.storage.ledger.results(ran.name)) == []
    assert keys(f"runs/{ran.name}/records/") == keys(f"runs/{ran.name}/cursors/") == []


def test_missing_plan_raises(machine: Machine) -> None:
    ran = machine.resolve(request_for(fresh()))
    (item,) = machine.items(ran)
    client("s3").delete_object(Bucket="prewarm-runs", Key=f"runs/{ran.name}/plan/plan.json")
    with pytest.raises(FileNotFoundError, match="has no plan"):
        warm_part(ran, item)
