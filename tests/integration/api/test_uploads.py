"""POST /uploads: a form for one object, and what a run accepts of what was uploaded."""

import base64
import hashlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from prewarm.request.url_sources import LIST_BYTES
from tests.support.edge_urls import fresh
from tests.support.handlers import BUCKET, TOKYO, Machine, client
from tests.support.rest import call, make_state_machine

if TYPE_CHECKING:
    from prewarm.storage.run_store import Storage

REQUEST: dict[str, Any] = {"region_type": "pop", "region": [TOKYO]}


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def upload(body: object = None) -> dict[str, Any]:
    status, response = call("POST", "/uploads", body)
    assert status == 200, response
    return dict(response)


def policy_of(form: dict[str, Any]) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(base64.b64decode(form["fields"]["policy"]))
    return policy


def test_form_signs_one_key_below_uploads_a_size_and_fifteen_minutes() -> None:
    form = upload({"name": "urls.csv"})
    key = form["fields"]["key"]
    assert key.startswith("uploads/")
    assert key.endswith("/urls.csv")
    assert form["address"] == f"s3://{BUCKET}/{key}"
    assert (form["maxBytes"], form["expiresInSeconds"]) == (LIST_BYTES, 900)
    conditions = policy_of(form)["conditions"]
    assert ["content-length-range", 1, LIST_BYTES] in conditions
    assert {"key": key} in conditions
    assert {"bucket": BUCKET} in conditions
    assert not [each for each in conditions if isinstance(each, list) and each[0] == "starts-with"]


def test_addresses_are_new_each_time_or_follow_from_the_content() -> None:
    assert upload()["address"] != upload()["address"]
    digest = hashlib.sha256(b"x").hexdigest()
    assert upload({"sha256": digest})["address"] == f"s3://{BUCKET}/uploads/{digest}/urls.txt"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "../runs/x/request.json"}, "name"),
        ({"name": ""}, "name"),
        ({"name": ".hidden"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"sha256": "../" + "a" * 61}, "sha256"),
        ({"key": "x"}, "key"),
        ([], ""),
    ],
)
def test_invalid_upload_is_refused(body: object, field: str) -> None:
    status, response = call("POST", "/uploads", body)
    assert (status, response["error"]["details"][0]["field"]) == (400, field)


def put(form: dict[str, Any], body: bytes) -> None:
    """Store what the form would store."""
    client("s3").put_object(Bucket=BUCKET, Key=form["fields"]["key"], Body=body)


def test_run_reads_an_uploaded_list(machine: Machine) -> None:
    urls = fresh(2)
    form = upload({"name": "urls.txt"})
    put(form, "\n".join(urls).encode())
    ran = machine.run(REQUEST | {"url_list_s3": form["address"]}, "uploaded")
    assert ran.output["success"] == 2


def test_list_with_another_content_than_announced_is_refused(machine: Machine) -> None:
    body = "\n".join(fresh(1)).encode()
    form = upload({"sha256": hashlib.sha256(body).hexdigest()})
    put(form, body)
    assert "rejection" not in machine.resolve(REQUEST | {"url_list_s3": form["address"]}).resolved
    put(form, body + b"\nhttps://evil.example.com/")
    rejected = machine.resolve(REQUEST | {"url_list_s3": form["address"]}).resolved["rejection"]
    assert "does not match the announced sha256" in rejected["cause"]


def test_list_over_the_limit_is_refused_when_it_is_read(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever enforces the form's size limit, the list's own is checked before its body is read."""
    form = upload()
    put(form, b"x")
    monkeypatch.setattr("resolve.sources.s3_list.LIST_BYTES", 0)
    rejected = machine.resolve(REQUEST | {"url_list_s3": form["address"]}).resolved["rejection"]
    assert "has 1 bytes; at most 0 are read" in rejected["cause"]


@pytest.mark.parametrize("key", ["runs/x/request.json", "uploads", "other/urls.txt"])
def test_other_keys_of_the_bucket_are_not_lists(machine: Machine, key: str) -> None:
    rejected = machine.resolve(REQUEST | {"url_list_s3": f"s3://{BUCKET}/{key}"}).resolved["rejection"]
    assert "may not be read as a URL list" in rejected["cause"]


def test_missing_upload_is_named(machine: Machine) -> None:
    rejected = machine.resolve(REQUEST | {"url_list_s3": upload()["address"]}).resolved["rejection"]
    assert "cannot be read: NoSuchKey" in rejected["cause"]


def test_error_of_a_range_other_than_a_missing_one_is_raised(
    account: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Storage = account.storage
    assert store.read_url_index("absent", 0, 10) == b""
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    def deny(**_: Any) -> Any:
        raise denied

    monkeypatch.setattr(store._s3, "get_object", deny)
    with pytest.raises(ClientError):
        store.read_url_index("absent", 0, 10)
