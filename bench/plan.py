"""Seconds and memory of ResolveTargets for a big run: planning, batching and storing URLs x all POPs.

The function's handler runs in its own process, against the simulated CloudFront (DNS, and probes over TLS) and
moto's S3 and DynamoDB, each in separate processes.

    .venv/bin/python bench/plan.py --urls 10000            # 10,000 URLs in the request, all POPs
    .venv/bin/python bench/plan.py --urls 1000000 --s3     # a million of them, listed in S3
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOST = "www.example.com"
BUCKET, TABLE, REGION = "prewarm-runs", "prewarm-ledger", "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": REGION}


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


def measured() -> None:
    """In the measured process: run the handler once and print its seconds and memory."""
    import resolve.handler  # noqa: PLC0415 - its import is part of what is measured

    event = json.load(sys.stdin)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.monotonic()
    output = resolve.handler.handler(event, SimpleNamespace())
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {"seconds": seconds, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024, "output": output}
    sys.stdout.write(json.dumps(figures))


def main() -> None:
    """Start the servers, measure, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=10_000)
    options.add_argument("--s3", action="store_true", help="list the URLs in S3 instead of the request")
    options.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measured:
        measured()
        return
    with moto_server() as endpoint:
        s3, domain = account(endpoint)
        config = {
            "distributions": [{"domain": domain, "aliases": [HOST]}],
            "pops": list(catalogue().pops),
            "default_object": {"size": 500},
        }
        with SimulatedCloudFront(config) as edge:
            urls = [
                f"https://{HOST}/assets/release-2026-11/chunk-{number:07}.js?v=1" for number in range(chosen.urls)
            ]
            request: dict[str, Any] = {"region_type": "region", "region": "all"}
            if chosen.s3:
                s3.put_object(Bucket=BUCKET, Key="lists/bench.txt", Body="\n".join(urls).encode())
                request["url_list_s3"] = f"s3://{BUCKET}/lists/bench.txt"
            else:
                request["url_list"] = urls
            s3.put_object(Bucket=BUCKET, Key="runs/bench/request.json", Body=json.dumps(request).encode())
            event = {"run": "bench", "input": {"requestKey": "runs/bench/request.json"}}
            environment = os.environ | edge.settings() | {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE}
            done = subprocess.run(
                [sys.executable, __file__, "--measured"],
                input=json.dumps(event),
                env=environment | {"POWERTOOLS_LOG_LEVEL": "ERROR"},
                text=True,
                stdout=subprocess.PIPE,
                check=True,
            )
    figures = json.loads(done.stdout)
    output = figures["output"]
    if "rejection" in output:
        sys.exit(output["rejection"]["cause"])
    print(f"{chosen.urls:,} URLs, {output['targets']:,} targets in {output['batches']:,} batches:")
    print(
        f"  {figures['seconds']:.1f} s, {figures['cpu']:.1f} s of them CPU, {figures['peak_mb']:.0f} MB at the peak"
    )


if __name__ == "__main__":
    main()
