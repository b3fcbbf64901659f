"""The ledger: results of a run that ends in the meantime, and the encoding of values."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import Control, Stored, pack, unpack
from prewarm.storage.run_store import Storage
from tests.support.stored_runs import put_without_attempt

RESULT = BatchResult("1-000000", 0, 0, 0, 1, 1, True, 1, {"warmed": 1}, 0, 500, attempt="a")
values = st.recursive(
    st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text()
    | st.binary()
    | st.frozensets(st.text(min_size=1), min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def store(account: SimpleNamespace) -> Storage:
    made: Storage = account.storage
    made.ledger.open_run("run", 2e9)
    return made


@given(values)
def test_packed_values_equal_those_of_boto3(value: object) -> None:
    packed = pack(value)
    assert unpack(packed) == value
    theirs: Any = TypeDeserializer()
    assert theirs.deserialize(packed) == value
    serialized: Any = TypeSerializer().serialize(value)
    assert unpack(serialized) == value


def test_float_is_rejected() -> None:
    with pytest.raises(TypeError, match="float"):
        pack({"a": [1.5]})


def test_part_put_twice_by_one_attempt_is_its_own(store: Storage) -> None:
    """The SDK repeats a write whose response was lost; the condition then fails on the attempt's own item."""
    assert store.ledger.put_result("run", RESULT) is None
    assert store.ledger.put_result("run", RESULT) is None
    assert list(store.ledger.results("run")) == [RESULT]


def test_second_attempt_at_a_part_gets_its_owner(store: Storage) -> None:
    store.ledger.put_result("run", RESULT)
    assert store.ledger.put_result("run", replace(RESULT, attempt="b", done=7)) == Stored("a", finished=True)
    assert list(store.ledger.results("run")) == [RESULT]


def test_part_of_an_earlier_version_is_replaced(store: Storage) -> None:
    put_without_attempt("run", RESULT)
    assert store.ledger.put_result("run", RESULT) is None
    assert list(store.ledger.results("run")) == [RESULT]


def test_closed_batch_refuses_a_worker_unless_it_started_after_a_redrive(store: Storage) -> None:
    assert store.ledger.close_batches("run", [("1-000000", 0), ("1-000001", 2)])
    assert store.ledger.put_result("run", RESULT) == Stored(closed=0)
    assert list(store.ledger.results("run")) == []
    assert store.ledger.put_result("run", replace(RESULT, redrives=1)) is None


def test_closing_keeps_a_result_that_was_already_written(store: Storage) -> None:
    store.ledger.put_result("run", RESULT)
    assert not store.ledger.close_batches("run", [("1-000000", 0)])
    assert list(store.ledger.results("run")) == [RESULT]


def test_closing_twice_is_closing_once(store: Storage) -> None:
    for _ in range(2):
        assert store.ledger.close_batches("run", [("1-000000", 0)], 1)


def test_attempts_are_listed_while_they_may_work(store: Storage) -> None:
    assert not store.ledger.has_open_attempts("run")
    store.ledger.open_attempt("run", "1-000000#0#a", time.time() + 60)
    store.ledger.open_attempt("run", "1-000000#0#b", time.time() - 1)
    assert store.ledger.has_open_attempts("run")
    assert not store.ledger.has_open_attempts("other")
    assert list(store.ledger.results("run")) == []
    store.ledger.close_attempt("run", "1-000000#0#a")
    assert not store.ledger.has_open_attempts("run"), "the Lambda of the other one must have ended"


def test_overloaded_hosts_are_shared_by_all_workers(store: Storage) -> None:
    assert store.ledger.control("run") == Control(ended=False, deadline=2_000_000_000)
    store.ledger.add_open_host("run", "www.example.com")
    store.ledger.add_open_host("run", "img.example.org")
    store.ledger.add_open_host("run", "www.example.com")
    assert store.ledger.control("run").open_hosts == {"www.example.com", "img.example.org"}
    store.ledger.end_run("run")
    assert store.ledger.control("run").ended


def test_dark_pops_are_shared_by_all_workers_and_forgotten_after_a_redrive(store: Storage) -> None:
    assert store.ledger.control("run").dark_pops == {}
    store.ledger.add_dark_pop("run", "NRT57-P3", "timeout")
    store.ledger.add_dark_pop("run", "SYD1-C1", "connect_error")
    assert store.ledger.control("run").dark_pops == {"NRT57-P3": "timeout", "SYD1-C1": "connect_error"}
    store.ledger.reopen_run("run", 2_000_000_000, 1)
    assert store.ledger.control("run").dark_pops == {}


def test_pops_with_separate_caches_are_shared_by_all_workers_and_kept_after_a_redrive(store: Storage) -> None:
    assert store.ledger.control("run").separate_pops == frozenset()
    store.ledger.add_separate_pops("run", frozenset({"NRT57-P3", "SYD1-C1"}))
    store.ledger.add_separate_pops("run", frozenset({"NRT57-P3", "ATL56-C1"}))
    store.ledger.reopen_run("run", 2_000_000_000, 1)
    assert store.ledger.control("run").separate_pops == {"NRT57-P3", "SYD1-C1", "ATL56-C1"}


def test_failing_put_raises(store: Storage) -> None:
    with Stubber(store.ledger._dynamodb) as stub:
        stub.add_client_error("put_item", "AccessDeniedException")
        with pytest.raises(ClientError):
            store.ledger.put_result("run", RESULT)
