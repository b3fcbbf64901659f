"""Runs as earlier versions stored them, put into moto's stores."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import pack_item, part_key, result_as_item
from tests.support.handlers import BUCKET, TABLE, client

RUNS = Path(__file__).parents[1] / "fixtures/runs"
SINCE_ATTEMPTS = {"attempt", "previous", "examples"}


def stored_document(version: str, name: str) -> Any:
    """Return a stored JSON document of a version's run."""
    return json.loads((RUNS / version / name).read_text(encoding="utf-8"))


def restore_run(version: str, state: str) -> str:
    """Put a version's run into the stores as it was in a state (running, aborted, ended); return its name.

    The stored deadline and expiry are dates in the past of most days. They are moved to an hour from now, so that the
    run is as far from its deadline as when it was stored, on whatever day a test runs.
    """
    run: str = stored_document(version, "documents/plan/plan.json")["run"]
    folder = RUNS / version / "documents"
    for path in folder.rglob("*.json*"):
        key, body = f"runs/{run}/{path.relative_to(folder)}", path.read_bytes()
        if path.name not in {"plan.json", "request.json"} and path.parent.name != "stages":
            key, body = f"{key}.gz", gzip.compress(body)
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    for name in ("summary.json", "report.json"):
        if (stored := RUNS / version / state / name).exists():
            client("s3").put_object(Bucket=BUCKET, Key=f"runs/{run}/{name}", Body=stored.read_bytes())
    for item in stored_document(version, f"{state}/ledger.json"):
        put_renewed(item)
    return run


def put_renewed(item: dict[str, Any]) -> None:
    """Put a stored item, with its deadline and expiry an hour from now."""
    later = {name: {"N": str(int(time.time()) + 3600)} for name in ("deadline", "ttl") if name in item}
    client("dynamodb").put_item(TableName=TABLE, Item=item | later)


def put_without_attempt(run: str, result: BatchResult) -> None:
    """Put a part's item as the versions before attempts did."""
    item = {name: value for name, value in result_as_item(result).items() if name not in SINCE_ATTEMPTS}
    failed = {str(index): counts for index, counts in result.failed.items()}
    item |= {"run": run, "sk": part_key(result.batch, result.part), "failed": failed}
    client("dynamodb").put_item(TableName=TABLE, Item=pack_item(item))
