"""The one module that speaks to S3 and DynamoDB: where a run's things lie, and how they are read and written.

S3, below `runs/{run}/`: `request.json`; `plan/plan.json`, `plan/urls.json.gz` (all URLs as given, by index),
`plan/addresses.json.gz` (one map of POP id to addresses per group), `plan/blocks/{n}.json.gz` (what a worker needs of
one block of URLs); `stages/{n}.json` (the map's items); `records/{batch}.{part}.jsonl.gz`; `map/` (the map run's own
results); `summary.json`; of a dry run only `request.json` and `dry_run.json`. Ledger, DynamoDB: `run`, `sk` =
`control` or `batch#part`; an item with `closed` stands where a late part would come, and refuses it.
"""

import functools
import gzip
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from prewarm.items import CONTROL, Control, pack, pack_item, part_key, result_as_item, result_from_item, unpack_item
from prewarm.plan import Plan
from prewarm.settings import Settings
from prewarm.verdict import BatchResult

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

DAY_SECONDS = 86_400
# Fast and still ten times smaller: compression must not cost more than the fetch that it reports.
GZIP_LEVEL = 1
# Batches that are closed at once.
CLOSERS = 16


def run_key(run: str, name: str) -> str:
    """Return the S3 key of one of a run's things."""
    return f"runs/{run}/{name}"


class RunEnded(Exception):
    """The run's control item says that it has ended: late results are not wanted."""


class Storage:
    """A run's things in S3 and DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        config = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
        # botocore's own session: importing boto3 takes longer than all else that a worker imports.
        session = botocore.session.get_session()
        self._s3 = cast("S3Client", session.create_client("s3", config=config))
        self._dynamodb = cast("DynamoDBClient", session.create_client("dynamodb", config=config))
        self._bucket, self._table = settings.bucket, settings.table
        self._retention = settings.retention_days * DAY_SECONDS

    # ---- S3 ----

    def put_request(self, run: str, document: dict[str, Any]) -> str:
        """Store the checked request with its secrets; returns its key."""
        return self._put_json(run_key(run, "request.json"), document)

    def get_request(self, run: str) -> dict[str, Any] | None:
        """Return the stored request, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "request.json"))
        return document

    def get_list(self, bucket: str, key: str, most_bytes: int) -> bytes:
        """Return a list of URLs as it lies in a bucket; ValueError says that it is not there, closed, or too long."""
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise ValueError(f"cannot be read: {error.response['Error'].get('Code', 'unknown error')}") from error
        if answer["ContentLength"] > most_bytes:
            raise ValueError(f"has {answer['ContentLength']:,} bytes; a list may have {most_bytes:,}")
        return answer["Body"].read()

    def put_plan(self, plan: Plan, urls: list[str], addresses: list[dict[str, list[str]]]) -> None:
        """Store the plan; its presence says that everything it speaks of is stored, so it comes last."""
        self._put_json(run_key(plan.run, "plan/urls.json.gz"), urls)
        self._put_json(run_key(plan.run, "plan/addresses.json.gz"), addresses)
        self._put_json(run_key(plan.run, "plan/plan.json"), plan.as_json())

    def get_plan(self, run: str) -> Plan | None:
        """Return the plan, or None before it exists."""
        document = self._get_json(run_key(run, "plan/plan.json"))
        return None if document is None else Plan.from_json(document)

    def need_plan(self, run: str) -> Plan:
        """Return the plan of a run that has been resolved.

        Raises:
            FileNotFoundError: there is none, which only broken infrastructure explains.

        """
        plan = self.get_plan(run)
        if plan is None:
            raise FileNotFoundError(f"run {run} has no plan")
        return plan

    def get_urls(self, run: str) -> list[str]:
        """Return all URLs of a planned run as they were given, by index."""
        urls: list[str] = self._need_json(run_key(run, "plan/urls.json.gz"))
        return urls

    def get_addresses(self, run: str) -> list[dict[str, list[str]]]:
        """Return for each group the addresses of its POPs, all that DNS answered, in order."""
        addresses: list[dict[str, list[str]]] = self._need_json(run_key(run, "plan/addresses.json.gz"))
        return addresses

    def put_block(self, run: str, number: int, block: dict[str, Any]) -> None:
        """Store what a worker needs of one block of URLs: the URLs in the form fetched, and the request's headers."""
        self._put_json(run_key(run, f"plan/blocks/{number:06}.json.gz"), block)

    def get_block(self, run: str, number: int) -> dict[str, Any]:
        """Return a block of URLs."""
        block: dict[str, Any] = self._need_json(run_key(run, f"plan/blocks/{number:06}.json.gz"))
        return block

    def put_stage(self, run: str, number: int, items: list[dict[str, Any]]) -> str:
        """Store a stage's batches as the map's items; returns the key."""
        return self._put_json(run_key(run, f"stages/{number}.json"), items)

    def put_records(self, run: str, batch: str, part: int, body: bytes) -> None:
        """Store one part's records: gzipped, a JSON document per target."""
        self._s3.put_object(Bucket=self._bucket, Key=run_key(run, f"records/{batch}.{part}.jsonl.gz"), Body=body)

    def put_summary(self, run: str, summary: dict[str, Any]) -> str:
        """Store the run's summary; returns its key."""
        return self._put_json(run_key(run, "summary.json"), summary)

    def get_summary(self, run: str) -> dict[str, Any] | None:
        """Return the run's summary, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "summary.json"))
        return document

    def put_dry_run(self, run: str, document: dict[str, Any]) -> None:
        """Store what a dry run told."""
        self._put_json(run_key(run, "dry_run.json"), document)

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        """Return what a dry run told, or None where the run is none, or has not told yet."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "dry_run.json"))
        return document

    def location(self, key: str) -> str:
        """Return a key's s3:// address, for people."""
        return f"s3://{self._bucket}/{key}"

    def _put_json(self, key: str, document: object) -> str:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        body = gzip.compress(text, GZIP_LEVEL) if key.endswith(".gz") else text
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        return key

    def _get_json(self, key: str) -> Any:  # noqa: ANN401 - JSON is what it is
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        return json.loads(gzip.decompress(body) if key.endswith(".gz") else body)

    def _need_json(self, key: str) -> Any:  # noqa: ANN401 - JSON is what it is
        document = self._get_json(key)
        if document is None:
            raise FileNotFoundError(f"{self.location(key)} is missing")
        return document

    # ---- the ledger ----

    def open_run(self, run: str, deadline: float) -> None:
        """Put the run's control item: workers may write from now on. `deadline` in epoch seconds."""
        self._put({"run": run, "sk": CONTROL, "ended": False, "deadline": int(deadline), "ttl": self._ttl()})

    def control(self, run: str) -> Control:
        """Read the run's control item; a run that was never opened, or is forgotten, has ended."""
        key = pack_item({"run": run, "sk": CONTROL})
        packed = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if packed is None:
            return Control(ended=True)
        item = unpack_item(packed)
        return Control(item["ended"], item.get("openHosts", frozenset()))

    def add_open_host(self, run: str, host: str) -> None:
        """Tell all workers of the run that a host's origin is overloaded."""
        self._update_control(run, "ADD openHosts :hosts", {":hosts": frozenset({host})})

    def end_run(self, run: str) -> None:
        """Mark the run as ended: workers stop when they next look."""
        self._update_control(run, ", ended = :yes", {":yes": True})

    def put_result(self, run: str, result: BatchResult) -> None:
        """Put one batch part's ledger item; the same part overwrites itself, so a retry never counts twice.

        No item is written that workers share. The condition keeps out what comes between the look and the put.

        Raises:
            RunEnded: the run has ended meanwhile.

        """
        if self.control(run).ended:
            raise RunEnded(run)
        item = {"run": run, "sk": part_key(result.batch, result.part), "ttl": self._ttl()} | result_as_item(result)
        if not self._put(item, "attribute_not_exists(closed)"):
            raise RunEnded(run)

    def close_batches(self, run: str, parts: Iterable[tuple[str, int]]) -> None:
        """Refuse the next part of batches that never finished: (batch, the part that would come next)."""

        def close(batch: str, part: int) -> None:
            item = {"run": run, "sk": part_key(batch, part), "closed": True, "ttl": self._ttl()}
            self._put(item, "attribute_not_exists(sk)")

        with ThreadPoolExecutor(CLOSERS) as pool:
            for done in [pool.submit(close, batch, part) for batch, part in parts]:
                done.result()

    def results(self, run: str) -> Iterator[BatchResult]:
        """Yield all ledger items of a run's batches."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#run = :run",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": pack(run)},
            ConsistentRead=True,
        )
        for page in pages:
            for packed in page["Items"]:
                if "batch" in packed:
                    yield result_from_item(unpack_item(packed))

    def _put(self, item: dict[str, Any], condition: str = "") -> bool:
        """Put an item; says False where the condition does not hold."""
        only: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=pack_item(item), **only)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _update_control(self, run: str, change: str, values: dict[str, Any]) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key=pack_item({"run": run, "sk": CONTROL}),
            UpdateExpression=f"SET #ttl = :ttl {change}",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues=pack_item(values | {":ttl": self._ttl()}),
        )

    def _ttl(self) -> int:
        return int(time.time()) + self._retention


@functools.cache
def storage() -> Storage:
    """Return this process's storage, made from its environment on first use."""
    return Storage(Settings.from_environment(os.environ))
