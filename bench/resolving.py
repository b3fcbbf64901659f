"""ResolveTargets in a process of its own, for the benches of plans: its seconds, CPU and peak memory by step.

It works against the simulated CloudFront (DNS, and probes over TLS) and moto's S3 and DynamoDB, each in other
processes, so the figures are the function's own: from the handler's start to its return, imports excluded.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import boto3

from bench.processes import megabytes
from bench.termination import exit_on_sigterm
from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOST = "www.example.com"
BUCKET, TABLE, REGION = "prewarm-runs", "prewarm-ledger", "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": REGION}
# All POPs of the simulation share one process; on a busy machine it must not lose any to a time-out.
PATIENT = {"PREWARM_CONNECT_TIMEOUT_MS": "60000", "POWERTOOLS_LOG_LEVEL": "ERROR"}
# The handler's steps by the names of their X-Ray subsegments; what is left is planning.
READ, STORE, PLAN = "read sources", "store plan", "plan"


@dataclass(frozen=True)
class Resolved:
    """What one invocation of the function took: wall-clock and CPU seconds, peak memory, and CPU seconds by step."""

    seconds: float
    cpu: float
    peak_mb: float
    output: dict[str, Any]
    steps: dict[str, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield the figures for people."""
        yield f"{self.output['targets']:,} targets in {self.output['batches']:,} batches"
        yield f"{self.seconds:.1f} s, {self.cpu:.1f} s of them CPU, {self.peak_mb:.0f} MB at the peak"
        yield "CPU seconds: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.steps.items())


@dataclass
class Resolver:
    """The function with its surroundings; use it as a context manager.

    Each `plan` is a run of its own. `settings`: environment variables of the function.
    """

    s3: "S3Client"
    settings: Mapping[str, str]
    runs: int = 0

    def plan(self, request: Mapping[str, Any]) -> Resolved:
        """Plan one request in a new process.

        Raises:
            ValueError: the request was rejected.

        """
        self.runs += 1
        run = f"bench-{self.runs}"
        key = f"runs/{run}/request.json"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(request).encode())
        done = subprocess.run(
            [sys.executable, "-m", "bench.resolving"],
            input=json.dumps({"run": run, "input": {"requestKey": key}}),
            env=os.environ | PATIENT | dict(self.settings),
            text=True,
            stdout=subprocess.PIPE,
            check=True,
        )
        resolved = Resolved(**json.loads(done.stdout))
        if "rejection" in resolved.output:
            raise ValueError(resolved.output["rejection"]["cause"])
        return resolved

    def put_list(self, key: str, body: bytes) -> str:
        """Store a list that a request may name; return its address."""
        self.s3.put_object(Bucket=BUCKET, Key=f"lists/{key}", Body=body)
        return f"s3://{BUCKET}/lists/{key}"


@contextmanager
def resolver() -> Iterator[Resolver]:
    """Serve an account with one distribution and all POPs of the catalogue until the block ends."""
    with moto_server() as endpoint:
        s3, domain = account(endpoint)
        config = {
            "distributions": [{"domain": domain, "aliases": [HOST]}],
            "pops": list(catalogue().pops),
            "default_object": {"size": 500},
        }
        with SimulatedCloudFront(config) as edge:
            yield Resolver(s3, edge.settings() | {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE})


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def moto_server() -> Iterator[str]:
    """Serve S3, DynamoDB and CloudFront from a separate process until the block ends; yield the address."""
    port = free_port()
    moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with exit_on_sigterm():
        server = subprocess.Popen(moto, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def account(endpoint: str) -> tuple["S3Client", str]:
    """Create the service's stores and one distribution; return an S3 client and the distribution's domain."""
    os.environ |= CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}
    s3 = boto3.client("s3")
    while True:
        try:
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        except Exception:  # noqa: BLE001 - the server is starting
            time.sleep(0.2)
        else:
            break
    keys = [("run", "HASH"), ("sk", "RANGE")]
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],  # type: ignore[typeddict-item]
    )
    origin = {
        "Id": "origin",
        "DomainName": "origin.invalid",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    config: Any = {
        "CallerReference": "bench",
        "Aliases": {"Quantity": 1, "Items": [HOST]},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "origin", "ViewerProtocolPolicy": "allow-all"},
        "Comment": "",
        "Enabled": True,
    }
    made = boto3.client("cloudfront").create_distribution(DistributionConfig=config)
    return s3, made["Distribution"]["DomainName"]


class _Steps:
    """Takes the place of `subsegment`, and adds up the CPU seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, **_annotations: object) -> Self:
        self._name, self._began = name, time.process_time()
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        spent = time.process_time() - self._began
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + spent


def main() -> None:
    """Run the handler once in this process, with the event in standard input, and print a Resolved as JSON."""
    import resolve.handler  # noqa: PLC0415 - only the measured process needs it
    import resolve.resolver  # noqa: PLC0415

    steps = _Steps()
    for module in (resolve.handler, resolve.resolver):
        vars(module)["subsegment"] = steps
    event = json.load(sys.stdin)
    began, before = time.monotonic(), time.process_time()
    output = resolve.handler.handler(event, SimpleNamespace())
    seconds, cpu = time.monotonic() - began, time.process_time() - before
    steps.seconds[PLAN] = cpu - sum(steps.seconds.values())
    # Not ru_maxrss: it has the memory of the process that started this one, too.
    peak = megabytes(os.getpid(), "VmHWM")
    sys.stdout.write(
        json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "output": output, "steps": steps.seconds})
    )


if __name__ == "__main__":
    main()
