"""GET /status of a running run reads each finished batch once, and polls in quick succession read nothing."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

import api.runs.live_results
from api.runs.executions import Execution
from api.runs.live_results import all_results, live_results
from api.runs.progress import find_progress
from api.runs.status import as_contract
from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Group, Plan
from prewarm.results.batch_result import BatchResult
from prewarm.storage.checkpoint import Checkpoint, Owner
from prewarm.storage.keys import checkpoint_key
from prewarm.storage.run_store import Storage
from tests.support.builders import plan as plan_of
from tests.support.handlers import BUCKET, client
from tests.support.stored_runs import put_without_attempt

RUN = "live"
POPS = tuple(f"SYD{number}-C1" for number in range(1, 51))
RUNNING = Execution(RUN, f"arn:aws:states:eu-west-1:1:execution:m:{RUN}", "RUNNING", "{}", "", "")
Part = Callable[..., BatchResult]


@dataclass
class Poller:
    """A process of the API, which remembers nothing at first; what its last poll read of the ledger, in items."""

    store: Storage
    items: int = 0
    queries: int = 0

    def __init__(self, store: Storage) -> None:
        self.store = copy.copy(store)
        self.store.ledger = copy.copy(store.ledger)
        self.store.forget_checkpoints()
        self.store.forget_planned()

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.queries += 1
        self.items += len(parsed.get("Items", ()))

    def poll(self, execution: Execution = RUNNING) -> dict[str, Any]:
        self.queries = self.items = 0
        events = self.store.ledger._dynamodb.meta.events
        events.register("after-call.dynamodb", self._count)
        try:
            answer = as_contract(find_progress(execution, self.store))
        finally:
            events.unregister("after-call.dynamodb", self._count)
        # It depends on the time of the poll.
        answer["phase"].pop("secondsLeft", None)
        return answer

    def whole(self, execution: Execution = RUNNING) -> dict[str, Any]:
        """Return the status from all of the ledger."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("api.runs.progress.live_results", lambda _, plan, store: all_results(plan, store))
            return self.poll(execution)


@pytest.fixture
def store(account: SimpleNamespace) -> Storage:
    made: Storage = account.storage
    return made


@pytest.fixture
def plan(store: Storage) -> Plan:
    """A run of 40 batches of ten URLs through 50 POPs."""
    group = Group("d1.cloudfront.net", "E1", 0, 400, POPS, 50)
    planned = plan_of(
        run=RUN, url_count=400, targets=20_000, batches=40, groups=(group,), attempt="p", started_at=time.time(),
        deadline=time.time() + 3600, max_concurrency=4, stage_batches=(40,),
    )  # fmt: skip
    urls = [f"https://www.example.com/{number}" for number in range(400)]
    store.put_plan(planned, urls, [{}])
    store.ledger.open_run(RUN, planned.deadline)
    whole = store.with_batches(planned)
    assert len(all_batches(whole)) == 40
    return whole


@pytest.fixture
def part(store: Storage, plan: Plan) -> Part:
    """Store the part of a batch: by default its only one, as workers of this version do."""

    def put(number: int, part: int = 0, **fields: Any) -> BatchResult:
        batch = all_batches(plan)[number]
        failed = {batch.url_from: {"timeout": 1}} if number % 3 == 0 else {}
        lost = 1 if failed else 0
        usual = BatchResult(
            batch.id, part, 0, batch.url_from, batch.url_to, 50, True, batch.targets,
            {"warmed": batch.targets - lost} | ({"timeout": 1} if lost else {}), 50, 10 * batch.targets, failed,
            contents=f"{number + 1:08x}" * 10, per_pop=";".join(["10 10 11 5000 90 10"] * 50),
            servers=";".join(["3/2"] * 50), encodings="b" * 3_000, attempt=f"a{number}-{part}", targets=batch.targets,
        )  # fmt: skip
        result = replace(usual, **fields)
        store.ledger.put_result(RUN, result)
        return result

    return put


def test_second_poll_reads_only_what_is_new(store: Storage, plan: Plan, part: Part) -> None:
    for number in (0, 1, 2, 3, 4, 5, 6, 9, 11):
        part(number)
    first, second = Poller(store), Poller(store)
    assert first.poll() == first.whole()
    # With the control item.
    assert first.items == 10
    # Of the holes, that of 7 and 8, that of 10, and all after 11.
    assert second.poll()["targets"]["done"] == 9 * 500
    assert second.items == 0
    part(8)
    part(12)
    assert second.poll() == first.whole()
    answer = second.poll()
    assert (second.items, answer["targets"]["done"]) == (0, 11 * 500)


def test_polls_in_quick_succession_read_nothing(
    store: Storage, plan: Plan, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.runs.live_results, "FRESH_SECONDS", 30.0)
    part(0)
    watchers = [Poller(store) for _ in range(20)]
    answers = [watcher.poll() for watcher in watchers]
    assert [watcher.queries > 0 for watcher in watchers] == [True] + 19 * [False]
    assert {answer["targets"]["done"] for answer in answers} == {500}
    with monkeypatch.context() as patch:
        # The same process does not add them up again, nor read the URLs.
        patch.setattr("api.runs.progress.rolled_up", None)
        assert watchers[19].poll() == answers[19]
    part(1)
    assert watchers[7].poll()["targets"]["done"] == 500
    monkeypatch.setattr(api.runs.live_results, "FRESH_SECONDS", 0.0)
    assert watchers[7].poll()["targets"]["done"] == 1000


def test_overtaken_poll_answers_from_the_other_ones_checkpoint(
    store: Storage, plan: Plan, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes read at once; the one that writes later has seen a batch more, and must not show it yet."""
    monkeypatch.setattr(api.runs.live_results, "FRESH_SECONDS", 30.0)
    part(0)
    slow, quick = Poller(store), Poller(store)
    put = slow.store.put_checkpoint

    def late(run: str, checkpoint: Checkpoint, version: str | None) -> Any:
        assert quick.poll()["targets"]["done"] == 500
        return put(run, checkpoint, version)

    monkeypatch.setattr(slow.store, "put_checkpoint", late)
    read = slow.store.ledger.parts_in

    def read_later(*given: Any) -> Any:
        part(1)
        found = read(*given)
        client("dynamodb").delete_item(
            TableName="prewarm-ledger", Key={"run": {"S": RUN}, "sk": {"S": f"{all_batches(plan)[1].id}#0"}}
        )
        return found

    monkeypatch.setattr(slow.store.ledger, "parts_in", read_later)
    assert slow.poll()["targets"]["done"] == 500
    assert Poller(store).poll()["targets"]["done"] == 500


def test_checkpoint_from_before_a_redrive_is_not_used(store: Storage, plan: Plan, part: Part) -> None:
    part(0)
    part(1, finished=False, done=200, warm={10: 20, 11: 20, 12: 20, 13: 20, 14: 20}, outcomes={"warmed": 200})
    poller, redriven = Poller(store), replace(RUNNING, redrives=1)
    poller.poll()
    part(1, 1, previous="a1-0", redrives=1, done=300, outcomes={"warmed": 300})
    assert poller.poll(redriven) == poller.whole(redriven)
    assert poller.poll(redriven)["targets"]["done"] == 1000
    stored = poller.store.get_checkpoint(plan)
    assert stored.checkpoint is not None
    assert stored.checkpoint.owner == Owner("p", 1)
    # A poll that began before the redrive neither uses nor replaces what belongs to it.
    late = Poller(store)
    assert late.poll(RUNNING) == late.whole(RUNNING)
    assert late.store.get_checkpoint(plan).version == stored.version


def test_checkpoint_of_another_plan_is_not_used(store: Storage, plan: Plan, part: Part) -> None:
    part(0)
    poller = Poller(store)
    live_results(RUNNING, replace(plan, attempt="other"), poller.store)
    assert poller.poll() == poller.whole()
    stored = poller.store.get_checkpoint(plan)
    assert stored.checkpoint is not None
    assert stored.checkpoint.owner == Owner("p", 0)


@pytest.mark.parametrize("body", [b"", b"00000000\n{}", b"\xff" * 100, b"[]"], ids=["empty", "crc", "bytes", "json"])
def test_damaged_checkpoint_is_rebuilt(store: Storage, plan: Plan, part: Part, body: bytes) -> None:
    for number in range(5):
        part(number)
    poller = Poller(store)
    before = poller.poll()
    client("s3").put_object(Bucket=BUCKET, Key=checkpoint_key(RUN), Body=body)
    poller = Poller(store)
    assert poller.poll()["targets"] == before["targets"]
    assert poller.items == 5
    poller.poll()
    assert poller.items == 0


def test_checkpoint_that_cannot_be_read_or_written_costs_a_reading(
    store: Storage, plan: Plan, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(0)
    poller = Poller(store)
    monkeypatch.setattr(poller.store, "_bucket", "missing-bucket")
    stored = poller.store.get_checkpoint(plan)
    assert (stored.lost, stored.writable) == (True, False)
    live = live_results(RUNNING, plan, poller.store)
    assert (live.sums.numbers["done"], live.sums.finished) == (500, {"1": 1})
    # Not to be written: the poll reads everything, whatever is enough for one that the next continues.
    monkeypatch.setattr(api.runs.live_results, "ENOUGH_BYTES", 1)
    assert not live_results(RUNNING, plan, poller.store).partial


def test_poll_reads_no_more_than_is_enough_and_the_next_continues(
    store: Storage, plan: Plan, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.runs.live_results, "ENOUGH_BYTES", 1)
    for number in range(0, 40, 2):
        part(number)
    # A part of a batch that is not finished is in the way of each poll, but read by one of a round only.
    part(1, finished=False, done=0, outcomes={})
    poller = Poller(store)
    # moto pages as DynamoDB does, but these items are small: two a page.
    pages = poller.store.ledger._dynamodb.get_paginator("query").paginate
    monkeypatch.setattr(
        poller.store.ledger._dynamodb,
        "get_paginator",
        lambda _: SimpleNamespace(paginate=lambda **given: pages(**given, PaginationConfig={"PageSize": 2})),
    )
    answers = []
    for _ in range(20):
        answers.append(poller.poll())
        assert poller.items <= 2
        if answers[-1]["targets"]["done"] == 20 * 500:
            break
    done = [answer["targets"]["done"] for answer in answers]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (500, 20 * 500)
    assert all(answer["partial"] for answer in answers[:-1])
    monkeypatch.undo()
    assert "partial" not in poller.poll()


def test_part_of_an_earlier_version_is_read_again_by_each_poll(store: Storage, plan: Plan, part: Part) -> None:
    earlier = part(0)
    client("dynamodb").delete_item(
        TableName="prewarm-ledger", Key={"run": {"S": RUN}, "sk": {"S": f"{earlier.batch}#0"}}
    )
    put_without_attempt(RUN, replace(earlier, attempt="", done=499, outcomes={"warmed": 499}))
    poller = Poller(store)
    assert poller.poll()["targets"]["done"] == 499
    put_without_attempt(RUN, replace(earlier, attempt=""))
    assert poller.poll()["targets"]["done"] == 500
    assert poller.items == 1


def test_ended_run_reads_its_ledger_and_not_its_checkpoint(store: Storage, plan: Plan, part: Part) -> None:
    part(0)
    poller = Poller(store)
    poller.poll()
    part(1)
    ended = replace(RUNNING, status="FAILED", error="Lambda.Unknown")
    assert poller.poll(ended) == poller.whole(ended)
    assert poller.items >= 2
