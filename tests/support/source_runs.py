"""Runs of sources: documents at the simulated origin and in S3, and what became of a request for them."""

import base64
from typing import Any

from tests.support.edge_urls import HOST
from tests.support.handlers import BUCKET, OTHER_HOST, SYDNEY, Machine, client, document

PLACE = {"region_type": "pop", "region": SYDNEY[:1]}
ONE, TWO = f"https://{HOST}/1.txt", f"https://{OTHER_HOST}/2.txt"
# Of new paths, so that no cache has them.
NUMBERS = iter(range(10_000))


def document_of(body: bytes) -> dict[str, Any]:
    return {"document": base64.b64encode(body).decode()}


def stored(key: str, body: bytes, bucket: str = BUCKET) -> str:
    client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def planned(machine: Machine, **request: Any) -> list[str]:
    ran = machine.resolve(PLACE | request)
    assert "rejection" not in ran.resolved, ran.resolved
    urls: list[str] = document(ran.name, "plan/urls.json.gz")
    return urls


def rejected(machine: Machine, **request: Any) -> str:
    cause: str = machine.resolve(PLACE | request).resolved["rejection"]["cause"]
    return cause


def warnings(machine: Machine, **request: Any) -> list[str]:
    ran = machine.resolve(PLACE | request)
    stored_warnings: list[str] = document(ran.name, "plan/plan.json")["warnings"]
    return stored_warnings
