"""A run is started once per Idempotency-Key, whatever fails on the way."""

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

import prewarm.storage.run_store
from prewarm.storage.run_store import Storage
from tests.support.handlers import BUCKET, client, document
from tests.support.rest import executions
from tests.support.run_starts import GOOD, code, post

pytestmark = pytest.mark.usefixtures("rest")


def test_same_key_and_request_start_one_run() -> None:
    first, again = post(key="release-7"), post(key="release-7")
    assert first == again
    assert first[0] == 200
    assert len(executions()) == 1
    assert post(key="release-8")[1] != first[1]
    assert len(executions()) == 2


def test_key_with_another_request_is_a_conflict() -> None:
    first = post(key="release-7")
    assert code(post(GOOD | {"verify": "all"}, key="release-7")) == (409, "IdempotencyConflict")
    name = first[1]["requestID"].rpartition(":")[2]
    assert document(name, "request.json")["verify"] == "sample"


def test_key_of_an_ended_run_returns_that_run() -> None:
    arn = post(key="release-7")[1]["requestID"]
    client("stepfunctions").stop_execution(executionArn=arn)
    assert post(key="release-7") == (200, {"requestID": arn})
    assert len(executions()) == 1


def test_stored_but_unstarted_run_starts_on_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.runs.executions.Executions.start_once", lambda *_: 1 / 0)
        assert code(post(key="k")) == (500, "ServiceError")
    assert executions() == []
    assert post(key="k")[0] == 200
    assert len(executions()) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x07"])
def test_invalid_key_is_rejected(key: str) -> None:
    assert code(post(key=key)) == (400, "InvalidRequest")
    assert executions() == []


def test_key_whose_request_has_expired_is_a_conflict() -> None:
    arn = post(key="release-7")[1]["requestID"]
    client("s3").delete_object(Bucket=BUCKET, Key=f"runs/{arn.rpartition(':')[2]}/request.json")
    assert code(post(GOOD | {"verify": "all"}, key="release-7")) == (409, "IdempotencyConflict")
    assert code(post(key="release-7")) == (409, "IdempotencyConflict")
    assert len(executions()) == 1


def test_two_simultaneous_requests_with_one_key_start_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other request is stored between this one's read and its write."""
    seen = Storage.get_request

    def overtaken(self: Storage, run: str) -> Any:
        monkeypatch.setattr(Storage, "get_request", seen)
        post(GOOD | {"verify": "all"}, key="release-7")
        return None

    monkeypatch.setattr(Storage, "get_request", overtaken)
    monkeypatch.setattr("api.runs.executions.Executions.exists", lambda *_: False)
    assert code(post(key="release-7")) == (409, "IdempotencyConflict")
    (only,) = executions()
    assert document(only["name"], "request.json")["verify"] == "all"


def test_key_with_a_timestamp_names_its_run_by_it() -> None:
    name = post(key="20261124T013829Z-release-7")[1]["requestID"].rpartition(":")[2]
    assert re.fullmatch("20261124T013829Z-[0-9a-f]{16}", name)


def test_identical_simultaneous_starts_return_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start reads before the first one writes, and continues after the first has started."""
    seen, first = Storage.get_request, []

    def overtaken(self: Storage, run: str) -> Any:
        monkeypatch.setattr(Storage, "get_request", seen)
        first.append(post(key="release-7"))

    monkeypatch.setattr(Storage, "get_request", overtaken)
    second = post(key="release-7")
    assert [second] == first
    assert second[0] == 200
    assert len(executions()) == 1


def test_conflicting_conditional_put_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = prewarm.storage.run_store.storage()._s3
    put, codes = s3.put_object, ["ConditionalRequestConflict"]

    def collide(**parameters: Any) -> Any:
        if "IfNoneMatch" in parameters and codes:
            raise ClientError({"Error": {"Code": codes.pop()}}, "PutObject")
        return put(**parameters)

    monkeypatch.setattr(s3, "put_object", collide)
    assert post(key="release-7")[0] == 200
    codes.append("SlowDown")
    assert code(post(key="release-8")) == (429, "Throttled")
