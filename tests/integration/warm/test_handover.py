"""A batch over several workers: cursors, deadlines, runs that end meanwhile, and retries of the same part."""

import json
import time
from collections import Counter
from typing import Any

import pytest

import prewarm.storage.ledger
import warm.handler
import warm.worker
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
from warm.run_guard import RunOver

TWO = [SYDNEY[0], TOKYO]


def given(urls: list[str], **fields: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": TWO, "verify": "none"} | fields


def turn(ran: Ran, item: dict[str, Any], cursor: Any = None, seconds: float = 60.0) -> dict[str, Any]:
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


def test_a_worker_with_little_time_hands_over_and_each_target_is_recorded_once(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    urls = slow(edge, 24, 150)
    machine.worker_seconds = 0.6
    ran = machine.run(given([*fresh(), *urls], region=[OLD]))
    assert ran.turns >= 2
    assert set(recorded(ran.name).values()) == {1}
    assert len(recorded(ran.name)) == 25
    parts = [result for result in machine.storage.ledger.results(ran.name) if result.batch == "1-000000"]
    assert [part.finished for part in sorted(parts, key=lambda part: part.part)] == [False] * (len(parts) - 1) + [
        True
    ]
    assert sum(part.done for part in parts) == 25
    assert ran.output["passed"]


def test_the_cursor_is_small(machine: Machine) -> None:
    """It goes through the child execution's states, whose payloads end at 256 KiB."""
    urls = fresh(500)
    ran = machine.resolve(given(urls, region=SYDNEY))
    (item, *_) = machine.items(ran)
    progress = turn(ran, item, seconds=0.02)
    assert progress["finished"] is False
    assert progress["cursor"]["part"] == 1
    assert len(json.dumps(progress)) < item["targets"] / 4 + 100


def test_an_object_that_outlasts_a_whole_worker_is_a_timeout_and_does_not_loop(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    (endless,) = slow(edge, 1, 60_000)
    quick = fresh(3)
    machine.worker_seconds = 0.7
    ran = machine.run(given([*quick, endless]))
    found = {(record["url"], record["outcome"]) for record in records(ran.name)}
    assert found == {(endless, "timeout")} | {(url, "warmed") for url in quick}
    assert ran.turns <= 5
    assert "still not whole after" in next(r["detail"] for r in records(ran.name) if r["outcome"] == "timeout")


def test_an_endless_body_is_a_timeout_too(machine: Machine, edge: SimulatedCloudFront) -> None:
    url, quick = fresh(2)
    edge.put_object(path_of(url), {"size": 50_000_000_000})
    machine.worker_seconds = 0.7
    ran = machine.run(given([quick, url], region=[TOKYO]))
    assert {record["url"]: record["outcome"] for record in records(ran.name)} == {quick: "warmed", url: "timeout"}
    assert ran.turns <= 5


def test_a_target_that_was_begun_late_in_a_turn_is_begun_again_in_the_next(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    # Four at a time at a POP without HTTP/2: the third four are cut off soon after they began.
    urls = slow(edge, 12, 400)
    ran = machine.resolve(given([*fresh(), *urls], region=[OLD]))
    (item,) = machine.items(ran)
    progress = turn(ran, item, seconds=1.0)
    assert progress["finished"] is False
    assert turn(ran, item, progress["cursor"]) == {"finished": True, "cursor": None}
    assert set(outcomes(ran.name)) <= {"warmed", "already_warm"}
    assert set(recorded(ran.name).values()) == {1}
    assert len(recorded(ran.name)) == 13


def test_a_retry_of_the_same_part_overwrites_and_never_counts_twice(machine: Machine) -> None:
    ran = machine.resolve(given(fresh(6)))
    (item,) = machine.items(ran)
    assert turn(ran, item) == {"finished": True, "cursor": None}
    assert turn(ran, item) == {"finished": True, "cursor": None}
    assert len(list(machine.storage.ledger.results(ran.name))) == 1
    assert len(keys(f"runs/{ran.name}/records/")) == 1
    assert len(records(ran.name)) == 12
    machine.aggregate(ran)
    summary = document(ran.name, "summary.json")
    assert (summary["targetsDone"], summary["outcomes"]) == (12, {"already_warm": 12})


def test_a_retry_of_an_unfinished_part_counts_its_targets_once(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = slow(edge, 12, 200)
    ran = machine.resolve(given([*fresh(), *urls], region=[OLD]))
    (item,) = machine.items(ran)
    turn(ran, item, seconds=0.5)
    progress = turn(ran, item, seconds=0.5)
    while not progress["finished"]:
        progress = turn(ran, item, progress["cursor"])
    assert set(recorded(ran.name).values()) == {1}
    machine.aggregate(ran)
    assert document(ran.name, "summary.json")["targetsDone"] == 13


def test_a_deadline_in_the_past_ends_every_target_at_once_without_a_request(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    urls = fresh(30)
    ran = machine.resolve(given(urls))
    move_deadline(ran, -1)
    for item in machine.items(ran):
        machine.warm(ran, item)
    assert outcomes(ran.name) == {"deadline": 60}
    assert machine.aggregate(ran)["error"] == "Prewarm.DeadlinePassed"
    assert ran.output["passed"] is False
    assert "the run's time was up (deadline, 2 of 2 targets)" in ran.output["cause"]
    asked = edge.stats()["origin"]
    assert [path_of(url) for url in urls[1:] if path_of(url) in asked] == []


def test_a_deadline_in_the_middle_keeps_what_was_warmed(machine: Machine, edge: SimulatedCloudFront) -> None:
    (late,) = slow(edge, 1, 30_000)
    quick = fresh(5)
    ran = machine.resolve(given([*quick, late]))
    move_deadline(ran, 1.0)
    started = time.monotonic()
    (item,) = machine.items(ran)
    machine.warm(ran, item)
    assert time.monotonic() - started < 10
    assert outcomes(ran.name) == {"warmed": 10, "deadline": 2}
    assert machine.aggregate(ran)["error"] == "Prewarm.DeadlinePassed"
    assert (ran.output["success"], ran.output["failed"]) == (5, 1)


def test_a_run_that_has_ended_is_left_alone(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(4)
    ran = machine.resolve(given(urls))
    machine.storage.ledger.end_run(ran.name)
    (item,) = machine.items(ran)
    with pytest.raises(RunOver):
        turn(ran, item)
    assert keys(f"runs/{ran.name}/records/") == []
    assert list(machine.storage.ledger.results(ran.name)) == []
    assert path_of(urls[1]) not in edge.stats()["origin"]


def test_a_run_that_ends_while_a_worker_works_gets_nothing_more(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm.worker, "CONTROL_SECONDS", 0.2)
    ran = machine.resolve(given([*fresh(3), *slow(edge, 1, 30_000)]))
    (item,) = machine.items(ran)
    looks = iter([Control(ended=False)] * 2)
    monkeypatch.setattr(type(machine.storage.ledger), "control", lambda *_: next(looks, Control(ended=True)))
    started = time.monotonic()
    with pytest.raises(RunOver):
        turn(ran, item)
    assert time.monotonic() - started < 10
    assert keys(f"runs/{ran.name}/records/") == []
    assert list(machine.storage.ledger.results(ran.name)) == []


def test_a_result_that_comes_after_the_end_is_refused_by_the_ledger(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends between the worker's last look and its write."""
    ran = machine.resolve(given(fresh(2)))
    (item,) = machine.items(ran)
    put = prewarm.storage.ledger.Ledger.put_result

    def end_first(self: prewarm.storage.ledger.Ledger, run: str, result: Any) -> None:
        self.end_run(run)
        put(self, run, result)

    monkeypatch.setattr(prewarm.storage.ledger.Ledger, "put_result", end_first)
    with pytest.raises(RunOver):
        turn(ran, item)
    assert list(machine.storage.ledger.results(ran.name)) == []


def test_a_worker_without_a_plan_is_broken_infrastructure(machine: Machine) -> None:
    ran = machine.resolve(given(fresh()))
    (item,) = machine.items(ran)
    client("s3").delete_object(Bucket="prewarm-runs", Key=f"runs/{ran.name}/plan/plan.json")
    with pytest.raises(FileNotFoundError, match="has no plan"):
        turn(ran, item)
