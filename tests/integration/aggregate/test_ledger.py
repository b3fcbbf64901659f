"""The ledger: results of a run that ends in the meantime, and the encoding of values."""

from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger import RunEnded
from prewarm.storage.ledger_items import Control, pack, unpack
from prewarm.storage.run_store import Storage

RESULT = BatchResult("1-000000", 0, 0, 0, 1, 1, True, 1, {"warmed": 1}, 0, 500)
values = st.recursive(
    st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.frozensets(st.text(min_size=1), min_size=1),
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


def test_part_put_twice_is_stored_once(store: Storage) -> None:
    store.ledger.put_result("run", RESULT)
    store.ledger.put_result("run", RESULT)
    assert list(store.ledger.results("run")) == [RESULT]


def test_result_of_an_ended_or_unopened_run_is_refused(store: Storage) -> None:
    store.ledger.end_run("run")
    for run in ("run", "unknown"):
        with pytest.raises(RunEnded):
            store.ledger.put_result(run, RESULT)
    assert list(store.ledger.results("run")) == []


def test_a_closed_batch_takes_no_part_of_a_worker_that_looked_before_the_end(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ledger.close_batches("run", [("1-000000", 0), ("1-000001", 2)])
    monkeypatch.setattr(store.ledger, "control", lambda _: Control(ended=False))
    with pytest.raises(RunEnded):
        store.ledger.put_result("run", RESULT)
    assert list(store.ledger.results("run")) == []


def test_closing_keeps_a_result_that_was_already_written(store: Storage) -> None:
    store.ledger.put_result("run", RESULT)
    store.ledger.close_batches("run", [("1-000000", 0)])
    assert list(store.ledger.results("run")) == [RESULT]


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


def test_failing_put_raises(store: Storage) -> None:
    with Stubber(store.ledger._dynamodb) as stub:
        stub.add_response("get_item", {"Item": {"ended": {"BOOL": False}}})
        stub.add_client_error("put_item", "AccessDeniedException")
        with pytest.raises(ClientError):
            store.ledger.put_result("run", RESULT)
