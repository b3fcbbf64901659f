"""The checkpoint of a running run: with the ranges that it leaves it has what the ledger has."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.planning.plan import Group, Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import current_parts
from prewarm.results.encodings import pack
from prewarm.results.failures import Example
from prewarm.results.run_sums import sums_of
from prewarm.storage.checkpoint import RANGES, UNIT_BYTES, Checkpoint, Owner, decoded
from prewarm.storage.ledger_items import Control, pack_item, part_key, result_as_item, result_from_item, unpack_item
from tests.support.builders import POP_NAMES, plan
from tests.support.rich_runs import facts_of, rich_parts, rich_plan

OWNER = Owner("plan", 0)
GROUP = Group("d1.cloudfront.net", "E1", 0, 4, (*POP_NAMES, *(f"SYD{number}-C1" for number in range(10))), 10)
PLAN = plan(url_count=4, groups=(GROUP,), attempt=OWNER.attempt)
OPEN = Control(ended=False, deadline=7, redrives=1, invalidation={"round": 2})


def part(batch: str, number: int = 0, **fields: Any) -> BatchResult:
    """Return a part of ten targets; of a batch's last part `previous` names the part before."""
    usual: dict[str, Any] = {
        "finished": True,
        "attempt": f"a{number}",
        "previous": f"a{number - 1}" if number else "",
    }
    usual |= {"done": 10, "outcomes": {"warmed": 10}, "targets": 10, "contents": "c" * 5_000}
    whole: dict[str, Any] = {"group": 0, "url_from": 0, "url_to": 1, "pops": 10, "verified": 1, "bytes": 5}
    return BatchResult(batch, number, **(whole | usual | fields))


def item_of(result: BatchResult) -> dict[str, Any]:
    keys = {"run": "run", "sk": part_key(result.batch, result.part), "ttl": 1}
    return pack_item(keys | result_as_item(result))


def read(ledger: dict[str, dict[str, Any]], checkpoint: Checkpoint, batches: list[str]) -> list[dict[str, Any]]:
    """Return the items in the ranges that a checkpoint leaves, as DynamoDB would."""
    ranges = checkpoint.unread(batches)
    return [item for low, high in ranges for key, item in sorted(ledger.items()) if low <= key <= high]


def all_of(ledger: dict[str, dict[str, Any]]) -> list[BatchResult]:
    return current_parts(result_from_item(unpack_item(item)) for item in ledger.values())


def poll(
    ledger: dict[str, dict[str, Any]], checkpoint: Checkpoint, batches: list[str], of: Plan = PLAN
) -> Checkpoint:
    """Read on, check that the answer is that of all of the ledger, and return what is stored then."""
    items = read(ledger, checkpoint, batches)
    newer = checkpoint.extended(items, OPEN, 1.0, "")
    unowned = [result_from_item(unpack_item(item)) for item in items if not item["attempt"]["S"]]
    assert facts_of(newer.all_sums(unowned)) == facts_of(sums_of(of, all_of(ledger)))
    again = decoded(newer.encoded(), of)
    assert facts_of(again.all_sums(unowned)) == facts_of(newer.all_sums(unowned))
    return again


@pytest.mark.parametrize("finished", [True, False])
def test_stored_checkpoint_is_read_as_it_was_written(*, finished: bool) -> None:
    failed = part(
        "1-000001", finished=finished, failed={3: {"timeout": 2}},
        examples=(Example(3, "ATL56-C1", "timeout", 0, "é\u2028", "x"),), uncompressed=pack({0: 2**9 - 1}),
        warm={1: 2}, mixed={1: ("A", "B")}, vary={"origin": (1, 2)},
    )  # fmt: skip
    first = Checkpoint.empty(OWNER, PLAN).extended([item_of(failed)], OPEN, 2.5, "1-000001#0")
    written = first.extended([item_of(part("1-000002"))], OPEN, 3.5, "")
    again = decoded(written.encoded(), PLAN)
    assert [each.result for each in again.parts.values()] == ([] if finished else [failed])
    assert facts_of(again.whole) == facts_of(sums_of(PLAN, [failed, part("1-000002")]))
    assert (again.owner, again.read_at, again.stopped_at, again.control) == (OWNER, 3.5, "", OPEN)
    assert (again.settled, again.parts) == (written.settled, written.parts)
    assert set(again.settled) == ({"1-000001", "1-000002"} if finished else {"1-000002"})
    assert decoded(again.encoded(), PLAN).encoded() == again.encoded() == written.encoded()


def test_checkpoint_of_another_plan_has_only_its_owner() -> None:
    body = Checkpoint.empty(OWNER, PLAN).extended([item_of(part("1-000001"))], OPEN, 1.0, "").encoded()
    other = decoded(body, replace(PLAN, attempt="other", url_count=1))
    assert (other.owner, other.sums, other.settled) == (OWNER, None, {})
    with pytest.raises(ValueError, match="another plan"):
        other.all_sums()


@given(st.integers(0, 5_000), st.integers(1, 255))
def test_damaged_checkpoint_is_refused(place: int, change: int) -> None:
    whole = bytearray(Checkpoint.empty(OWNER, PLAN).extended([item_of(part("1-000001"))], OPEN, 1.0, "").encoded())
    whole[place % len(whole)] ^= change
    with pytest.raises(ValueError, match="checksum"):
        decoded(bytes(whole), PLAN)
    with pytest.raises(ValueError, match="checksum"):
        decoded(bytes(whole[: place % len(whole)]), PLAN)


def test_checkpoint_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    body = Checkpoint.empty(OWNER, PLAN).encoded()
    monkeypatch.setattr("prewarm.storage.checkpoint.VERSION", 3)
    with pytest.raises(ValueError, match="version 2"):
        decoded(body, PLAN)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_checkpoint_and_the_rest_are_what_the_ledger_has(seed: int) -> None:
    """Batches finish in any order, some in several parts, some by two workers or by workers of an earlier version."""
    rng = random.Random(seed)
    batches = [f"{stage}-{number:06}" for stage in (1, 2) for number in range(rng.randint(0, 12))]
    rng.shuffle(batches)
    waiting = []
    for batch in batches:
        parts = rng.choice([1, 1, 1, 2, 11])
        for number in range(parts):
            last = number == parts - 1
            fields: dict[str, Any] = {
                "finished": last,
                "done": 10 // parts,
                "contents": "c" * rng.choice([10, 4_500]),
            }
            if rng.random() < 0.1:
                # A part of a worker whose cursor does not count, or of a version without attempts.
                fields |= rng.choice([{"previous": "stranger"}, {"attempt": "", "previous": ""}])
            waiting.append(part(batch, number, **fields))
    if rng.random() < 0.5:
        # Parts come in any order: what a worker continued is stored before it, but a poll may see less.
        rng.shuffle(waiting)
    ledger: dict[str, dict[str, Any]] = {}
    checkpoint = Checkpoint.empty(OWNER, PLAN)
    for result in waiting:
        key = part_key(result.batch, result.part)
        assert key not in ledger
        ledger[key] = item_of(result)
        if rng.random() < 0.2:
            checkpoint = poll(ledger, checkpoint, batches)
    checkpoint = poll(ledger, checkpoint, batches)
    assert len(checkpoint.unread(batches)) <= RANGES


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_status_from_checkpoints_is_that_of_all_of_the_ledger(seed: int) -> None:
    """Parts of all kinds come in any order and twice, and the run is redriven: then a new checkpoint begins."""
    rng = random.Random(seed)
    of = rich_plan(rng)
    batches, redrives = [batch.id for batch in of.batch_list], 0
    waiting = list(rich_parts(of, rng))
    if rng.random() < 0.5:
        rng.shuffle(waiting)
    ledger: dict[str, dict[str, Any]] = {}
    checkpoint = Checkpoint.empty(OWNER, of)
    for result in waiting:
        # Another worker's part comes second: the ledger keeps the first.
        for delivered in (result, replace(result, attempt="second", done=0)):
            ledger.setdefault(part_key(result.batch, result.part), item_of(delivered))
        if rng.random() < 0.1:
            redrives += 1
            checkpoint = Checkpoint.empty(Owner("plan", redrives), of)
        if rng.random() < 0.3:
            checkpoint = poll(ledger, checkpoint, batches, of)
    poll(ledger, checkpoint, batches, of)


def test_part_without_an_attempt_is_read_again_after_it_was_replaced() -> None:
    batches = ["1-000000", "1-000001"]
    ledger = {part_key(batch, 0): item_of(part(batch, attempt="", done=4)) for batch in batches}
    checkpoint = poll(ledger, Checkpoint.empty(OWNER, PLAN), batches)
    ledger["1-000000#0"] = item_of(part("1-000000", attempt="new"))
    poll(ledger, checkpoint, batches)
    assert (checkpoint.parts, checkpoint.settled) == ({}, {})


def test_settled_batches_are_not_read_again() -> None:
    batches = [f"1-{number:06}" for number in range(100)]
    ledger = {part_key(batch, 0): item_of(part(batch)) for batch in batches if batch != "1-000040"}
    checkpoint = poll(ledger, Checkpoint.empty(OWNER, PLAN), batches)
    assert checkpoint.unread(batches) == [("1-000040", "1-000040$")]
    ledger["1-000040#0"] = item_of(part("1-000040"))
    assert poll(ledger, checkpoint, batches).unread(batches) == []


def test_longest_stretches_are_left_out_where_there_are_many() -> None:
    batches = [f"1-{number:06}" for number in range(100)]
    unfinished = {5, 6, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 70}
    done = [batch for number, batch in enumerate(batches) if number not in unfinished]
    ledger = {part_key(batch, 0): item_of(part(batch)) for batch in done}
    checkpoint = poll(ledger, Checkpoint.empty(OWNER, PLAN), batches)
    ranges = checkpoint.unread(batches)
    assert len(ranges) <= RANGES
    again = len(read(ledger, checkpoint, batches))
    # Of the fourteen holes some are read together, with the single batches between them.
    assert 0 < again <= 8


def test_stretch_smaller_than_a_read_unit_is_read_again() -> None:
    batches = ["1-000000", "1-000001", "1-000002"]
    small = part("1-000001", contents="")
    assert len(item_of(small)) < UNIT_BYTES
    checkpoint = Checkpoint.empty(OWNER, PLAN).extended([item_of(small)], OPEN, 1.0, "")
    assert checkpoint.unread(batches) == [("1-000000", "1-000002$")]


@given(st.lists(st.integers(0, 40), unique=True), st.integers(0, 40), st.integers(0, 2))
def test_reading_that_stopped_continues_after_its_key_and_misses_nothing(
    done: list[int], stop: int, number: int
) -> None:
    batches = [f"1-{each:06}" for each in range(41)]
    stopped_at = part_key(batches[stop], number)
    checkpoint = Checkpoint.empty(OWNER, PLAN).extended(
        map(item_of, (part(batches[each]) for each in done)), OPEN, 1.0, stopped_at
    )
    ranges = checkpoint.unread(batches)
    left = [batch for batch in batches if batch not in checkpoint.settled]
    for batch in left:
        key = part_key(batch, number)
        assert any(low <= key <= high for low, high in ranges)
    later = [batch for batch in left if batch > batches[stop]]
    if later:
        assert ranges[0][0] > stopped_at
        assert all(low <= high for low, high in ranges)
