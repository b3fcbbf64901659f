"""The one module that speaks to S3 and DynamoDB: where a run's things lie, and how they are read and written.

S3, below `runs/{run}/`: `request.json`; `plan/plan.json`, `plan/urls.json.gz` (all URLs as given, by index),
`plan/addresses.json.gz` (one map of POP id to addresses per group), `plan/blocks/{n}.json.gz` (what a worker needs of
one block of URLs); `stages/{n}.json` (the map's items); `records/{batch}.{part}.jsonl.gz`; `map/` (the map run's own
results); `summary.json`; of a dry run only `request.json` and `dry_run.json`. Ledger, DynamoDB: `run`, `sk` =
`control` or `batch#part`.
"""

import functools
import gzip
import json
import os
import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from prewarm.plan import Plan
from prewarm.settings import Settings
from prewarm.verdict import BatchResult, result_as_json, result_from_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef
    from mypy_boto3_s3 import S3Client

CONTROL = "control"
DAY_SECONDS = 86_400
# Fast and still ten times smaller: compression must not cost more than the fetch that it reports.
GZIP_LEVEL = 1
# Every worker's put checks the one control item, and DynamoDB cancels transactions that meet at an item (Developer
# Guide, "Transaction conflict handling in DynamoDB"); the SDK tries none of these again. Pauses in seconds.
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
PUT_TRIES = 12
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 3.0


def run_key(run: str, name: str) -> str:
    """Return the S3 key of one of a run's things."""
    return f"runs/{run}/{name}"


class RunEnded(Exception):
    """The run's control item says that it has ended: late results are not wanted."""


class Storage:
    """A run's things in S3 and DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        config = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
        self._s3: S3Client = boto3.client("s3", config=config)
        self._dynamodb: DynamoDBClient = boto3.client("dynamodb", config=config)
        self._bucket, self._table = settings.bucket, settings.table
        self._retention = settings.retention_days * DAY_SECONDS
        self._pack, self._unpack = TypeSerializer().serialize, TypeDeserializer().deserialize

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

    def put_records(self, run: str, batch: str, part: int, lines: list[str]) -> None:
        """Store one part's records, a JSON document per target."""
        body = gzip.compress("\n".join(lines).encode(), GZIP_LEVEL)
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

    def run_goes_on(self, run: str) -> bool:
        """Say whether the control item still wants results."""
        key = {"run": self._pack(run), "sk": self._pack(CONTROL)}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return item is not None and not self._unpack(item["ended"])

    def end_run(self, run: str) -> None:
        """Mark the run as ended: ledger items put later are refused."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"run": self._pack(run), "sk": self._pack(CONTROL)},
            UpdateExpression="SET ended = :yes, #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":yes": self._pack(True), ":ttl": self._pack(self._ttl())},
        )

    def put_result(self, run: str, result: BatchResult) -> None:
        """Put one batch part's ledger item; the same part overwrites itself, so a retry never counts twice.

        Raises:
            RunEnded: the run has ended meanwhile, or was never opened.

        """
        item = result_as_json(result) | {"run": run, "sk": f"{result.batch}#{result.part}", "ttl": self._ttl()}
        packed = {name: self._pack(value) for name, value in item.items()}
        control = {"run": self._pack(run), "sk": self._pack(CONTROL)}
        check: TransactWriteItemTypeDef = {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": control,
                "ConditionExpression": "ended = :no",
                "ExpressionAttributeValues": {":no": self._pack(False)},
            }
        }
        put: TransactWriteItemTypeDef = {"Put": {"TableName": self._table, "Item": packed}}
        for tried in range(1, PUT_TRIES + 1):
            try:
                self._dynamodb.transact_write_items(TransactItems=[check, put])
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in reasons:
                    raise RunEnded(run) from error
                if tried == PUT_TRIES or not reasons & PASSING:
                    raise
                # Jitter, so that those who met do not meet again; it needs no secrecy.
                time.sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**tried)))  # noqa: S311
            else:
                return

    def results(self, run: str) -> Iterator[BatchResult]:
        """Yield all ledger items of a run's batches."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#run = :run",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": self._pack(run)},
            ConsistentRead=True,
        )
        for page in pages:
            for packed in page["Items"]:
                item = {name: self._unpack(value) for name, value in packed.items()}
                if item["sk"] != CONTROL:
                    yield result_from_json(item)

    def _put(self, item: dict[str, Any]) -> None:
        packed = {name: self._pack(value) for name, value in item.items()}
        self._dynamodb.put_item(TableName=self._table, Item=packed)

    def _ttl(self) -> int:
        return int(time.time()) + self._retention


@functools.cache
def storage() -> Storage:
    """Return this process's storage, made from its environment on first use."""
    return Storage(Settings.from_environment(os.environ))
