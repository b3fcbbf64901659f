"""Call the handlers as Lambda does, with moto and the simulated CloudFront."""

import functools
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudfront.models import cloudfront_backends
from moto.core.base_backend import BackendDict

import aggregate.handler
import api.runs.live_results
import prewarm.planning.batching
import prewarm.storage.run_store
import resolve.handler
import warm.handler
from prewarm.catalogue import catalogue
from prewarm.storage.run_store import Storage
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST

ACCOUNT = "123456789012"
REGION = "eu-central-1"
BUCKET, TABLE = "prewarm-runs", "prewarm-ledger"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:prewarm"
DOMAIN = "d111abcdef8.cloudfront.net"
OTHER_DOMAIN, OTHER_HOST = "d222abcdef8.cloudfront.net", "img.example.org"

SYDNEY = ["SYD1-C1", "SYD62-P1", "SYD62-P2"]
AUCKLAND = ["AKL50-C1"]
DARK, IMPOSTOR = "PER50-C1", "MEL50-C1"
# POPs outside Oceania: a normal one, one without HTTP/2, and two with invalid certificates.
TOKYO, OLD, EXPIRED, WRONG_NAME = "NRT57-P3", "NRT57-P1", "NRT12-P2", "NRT12-P4"
# In the catalogue, but without a name in the simulated CloudFront's DNS.
RETIRED = "BNE50-P1"
SESSION: Any = boto3.Session()


@functools.cache
def client(service: str) -> Any:
    """Return one client per service for all tests, because creating one is slow."""
    return SESSION.client(service, region_name=REGION)


def au_pops() -> list[str]:
    return catalogue().in_countries(frozenset({"AU", "NZ"}))


@dataclass
class Context:
    """The context that the Lambda runtime passes to a handler."""

    seconds: float = 60.0
    born: float = field(default_factory=time.monotonic)
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.seconds - (time.monotonic() - self.born)))


@contextmanager
def an_account(edge: SimulatedCloudFront) -> Iterator[SimpleNamespace]:
    """Create an AWS account with stores and two distributions; set the environment."""
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "PREWARM_BUCKET": BUCKET,
        "PREWARM_TABLE": TABLE,
        "PREWARM_STATE_MACHINE_ARN": MACHINE,
        "PREWARM_CONNECT_TIMEOUT_MS": "1000",
        "PREWARM_STALL_SECONDS": "2",
        "PREWARM_ERROR_CACHE_SECONDS": "1",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        **edge.settings(),
    }
    caches = (warm.handler._settings, warm.handler._fetcher, warm.handler._plan)
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        BackendDict.reset()
        # One session for all tests, because each new one reads all of botocore's service descriptions.
        patch.setattr(boto3, "DEFAULT_SESSION", SESSION)
        for name, value in environment.items():
            patch.setenv(name, value)
        # Each poll reads the ledger: the tests poll more often than every three seconds.
        patch.setattr(api.runs.live_results, "FRESH_SECONDS", 0.0)
        for cache in caches:
            cache.cache_clear()
        where: Any = {"LocationConstraint": REGION}
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "run", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "run", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        ids = [
            add_distribution(DOMAIN, [HOST, "*.wild.example.com"]),
            add_distribution(OTHER_DOMAIN, [OTHER_HOST]),
        ]
        yield SimpleNamespace(storage=prewarm.storage.run_store.storage(), distribution_ids=ids)
        for cache in caches:
            cache.cache_clear()


def add_distribution(domain: str, aliases: list[str], *, enabled: bool = True) -> str:
    made = _distribution(domain, tuple(aliases), enabled=enabled)
    cloudfront_backends[ACCOUNT]["aws"].distributions[made.distribution_id] = made
    return str(made.distribution_id)


@functools.cache
def _distribution(domain: str, aliases: tuple[str, ...], *, enabled: bool) -> Any:
    """Create a distribution in moto; no test changes one, so they share it."""
    config: Any = {
        "CallerReference": domain,
        "Aliases": {"Quantity": len(aliases), "Items": aliases},
        "Origins": {
            "Quantity": 1,
            "Items": [
                {"Id": "o", "DomainName": "origin.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
            ],
        },
        # moto's own default for MaxTTL is 0, which would cache nothing.
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "DefaultTTL": 86_400,
            "MaxTTL": 31_536_000,
        },
        "Comment": "",
        "Enabled": enabled,
    }
    made = client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    distribution = cloudfront_backends[ACCOUNT]["aws"].distributions[made]
    distribution.domain_name = domain
    return distribution


@dataclass
class Ran:
    """One run, executed state by state without Step Functions."""

    name: str
    resolved: dict[str, Any]
    output: dict[str, Any] = field(default_factory=dict)
    turns: int = 0


class Machine:
    """Executes a run's states in the state machine's order, without Step Functions."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.worker_seconds = 60.0
        self._count = 0

    def resolve(self, given: dict[str, Any], name: str | None = None) -> Ran:
        self._count += 1
        name = name or f"run-{self._count}"
        event = {"run": name, "input": given}
        return Ran(name, resolve.handler.handler(event, Context()))

    def items(self, ran: Ran) -> list[dict[str, Any]]:
        s3 = client("s3")
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in ran.resolved["stages"]]
        return [item for body in bodies for item in json.loads(body)]

    def warm(self, ran: Ran, item: dict[str, Any]) -> None:
        cursor = None
        for _ in range(50):
            event = {"run": ran.name, "batch": item, "cursor": cursor}
            progress = warm.handler.handler(event, Context(self.worker_seconds))
            ran.turns += 1
            if progress["finished"]:
                return
            cursor = json.loads(json.dumps(progress["cursor"]))
        raise AssertionError("the batch never finished")

    def aggregate(self, ran: Ran) -> dict[str, Any]:
        ran.output = aggregate.handler.handler({"run": ran.name}, Context())
        return ran.output

    def run(self, request: dict[str, Any], name: str | None = None) -> Ran:
        ran = self.resolve(request, name)
        assert "rejection" not in ran.resolved, ran.resolved
        for item in self.items(ran):
            self.warm(ran, item)
        self.aggregate(ran)
        return ran


def records(run: str) -> list[dict[str, Any]]:
    """Return all records of a run from S3."""
    s3 = client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"runs/{run}/records/").get("Contents", [])
    bodies = [gzip.decompress(s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()) for entry in listed]
    return [json.loads(line) for body in bodies for line in body.decode().splitlines() if line]


def outcomes(run: str) -> dict[str, int]:
    """Return the number of each outcome in a run's records."""
    return dict(Counter(record["outcome"] for record in records(run)))


def document(run: str, name: str) -> Any:
    """Return one of a run's JSON documents in S3, decompressed if necessary."""
    body = client("s3").get_object(Bucket=BUCKET, Key=f"runs/{run}/{name}")["Body"].read()
    return json.loads(gzip.decompress(body) if name.endswith(".gz") else body)


def plan_document(run: str, name: str) -> Any:
    """Return one of the documents that belong to the attempt of a run's plan."""
    return document(run, f"plan/{document(run, 'plan/plan.json')['attempt']}/{name}")


def keys(prefix: str = "") -> list[str]:
    """Return all keys of the bucket with a prefix."""
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
