"""The API's stores and executions in memory: the real modules with fake clients of S3, DynamoDB, Step Functions."""

import base64
import datetime as dt
import gzip
import io
import json
from types import SimpleNamespace
from typing import Any, cast

from botocore.exceptions import ClientError

from api.runs.executions import Executions
from prewarm.storage.ledger import Ledger
from prewarm.storage.run_list import RunList
from prewarm.storage.run_store import Storage

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:prewarm"
RUN = "20260501T120000Z-0123abcd"
STARTED = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


class _Absent(Exception):
    """Any of the clients' own errors."""


_NO_KEY = ClientError({"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, "GetObject")  # type: ignore[typeddict-item]


class _S3:
    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's own spelling
        if Key not in self.objects:
            raise _NO_KEY
        return {"Body": io.BytesIO(self.objects[Key]), "ContentLength": len(self.objects[Key])}

    def put_object(self, **_: Any) -> dict[str, Any]:
        return {}

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {}

    def generate_presigned_url(self, *_: Any, **__: Any) -> str:
        return "https://bucket.example/"


class _DynamoDB:
    exceptions = SimpleNamespace(ConditionalCheckFailedException=_Absent)

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.items = items

    def get_item(self, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        found = [item for item in self.items if item.get("sk") == Key["sk"]]
        return {"Item": found[0]} if found else {}

    def get_paginator(self, _: str) -> "_DynamoDB":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": self.items}]

    def put_item(self, **_: Any) -> dict[str, Any]:
        return {}

    update_item = delete_item = put_item


class _States:
    exceptions = SimpleNamespace(
        ExecutionDoesNotExist=_Absent, InvalidArn=_Absent, InvalidToken=_Absent, ExecutionAlreadyExists=_Absent
    )

    def __init__(self, described: dict[str, Any] | None) -> None:
        self.described = described

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if self.described is None:
            raise _Absent
        return {"executionArn": executionArn, "status": "SUCCEEDED", "startDate": STARTED} | self.described

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": []}

    def start_execution(self, name: str, **_: Any) -> dict[str, Any]:
        return {"executionArn": MACHINE.replace(":stateMachine:", ":execution:") + f":{name}"}

    def stop_execution(self, **_: Any) -> dict[str, Any]:
        return {}


def storage(documents: dict[str, Any], items: list[Any]) -> Storage:
    """Return a storage with a run's documents (JSON values, or texts of any bytes) and ledger items."""
    objects = {}
    for name, document in documents.items():
        body = document.encode("latin-1", "replace") if isinstance(document, str) else json.dumps(document).encode()
        objects[f"runs/{RUN}/{name}"] = gzip.compress(body, 1) if name.endswith(".gz") else body
    made = Storage.__new__(Storage)
    made._s3, made._bucket, made.retention_days = cast("Any", _S3(objects)), "bucket", 30
    made._patience = 0.0
    dynamodb = cast("Any", _DynamoDB([_with_bytes(item) for item in items if isinstance(item, dict)]))
    made.runs = RunList(dynamodb, "table", 30)
    made.ledger = Ledger(dynamodb, "table", 30, made.runs)
    return made


def executions(described: dict[str, Any] | None) -> Executions:
    """Return executions of which each is as described; None: none exists."""
    return Executions(MACHINE, cast("Any", _States(described)))


def _with_bytes(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item whose binary attributes are bytes, which JSON has as base64."""

    def value(typed: Any) -> Any:
        if isinstance(typed, dict) and isinstance(typed.get("B"), str):
            try:
                return {"B": base64.b64decode(typed["B"])}
            except ValueError:
                return {"B": typed["B"].encode()}
        return typed

    return {name: value(typed) for name, typed in item.items()}
