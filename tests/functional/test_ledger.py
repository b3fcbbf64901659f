"""The ledger's put, as DynamoDB on AWS answers it: many workers check one control item at the same time."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

import prewarm.storage
from prewarm.storage import RunEnded, Storage
from prewarm.verdict import BatchResult

RESULT = BatchResult("1-000000", 0, 0, 0, 1, 1, True, 1, {"warmed": 1}, 0, 500)


@pytest.fixture
def store(account: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setattr(prewarm.storage, "LONGEST_PAUSE", 0.001)
    made: Storage = account.storage
    return made


def cancelled(stub: Stubber, *codes: str) -> None:
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
    )


def test_a_put_that_conflicts_with_another_workers_is_tried_again(store: Storage) -> None:
    with Stubber(store._dynamodb) as stub:
        cancelled(stub, "TransactionConflict", "None")
        cancelled(stub, "TransactionConflict", "None")
        stub.add_response("transact_write_items", {})
        store.put_result("run", RESULT)
        stub.assert_no_pending_responses()


def test_a_put_into_an_ended_run_is_not_tried_again(store: Storage) -> None:
    with Stubber(store._dynamodb) as stub:
        cancelled(stub, "ConditionalCheckFailed", "None")
        with pytest.raises(RunEnded):
            store.put_result("run", RESULT)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied"])
def test_a_put_that_can_never_succeed_is_raised_at_once(store: Storage, code: str) -> None:
    with Stubber(store._dynamodb) as stub:
        cancelled(stub, "None", code)
        with pytest.raises(ClientError):
            store.put_result("run", RESULT)
        stub.assert_no_pending_responses()


def test_a_put_that_always_conflicts_is_raised_in_the_end(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def conflict(**_: Any) -> None:
        error: Any = {"Error": {"Code": "TransactionCanceledException"}}
        raise ClientError(error | {"CancellationReasons": [{"Code": "TransactionConflict"}]}, "TransactWriteItems")

    monkeypatch.setattr(store._dynamodb, "transact_write_items", conflict)
    with pytest.raises(ClientError):
        store.put_result("run", RESULT)
