"""AggregateResults and GET /status of a run of 5.4 million targets of which 1 % failed: seconds, CPU, peak memory.

Both run in one measured process; moto serves S3 and DynamoDB from another.

    .venv/bin/python -m bench.scale
    .venv/bin/python -m bench.scale --urls 500    # a quick check that it runs
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

from bench.page import markdown
from bench.resolving import BUCKET, TABLE, account, moto_server
from bench.section import Section
from prewarm.catalogue import catalogue
from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Group, Plan
from prewarm.results.batch_result import BatchResult
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage

RUN = "bench"


def fill(urls: int) -> Plan:
    """Store the plan and the ledger of a run in which every hundredth target failed."""
    pops = tuple(list(catalogue().pops)[:540])
    group = Group("d1.cloudfront.net", "E1", 0, urls, pops, len(pops))
    plan = Plan(
        run=RUN, started_at=0.0, deadline=2e9, url_count=urls, region_type="region", variants=("br, gzip",),
        percent_needed=100.0, fail_on="any", verify="sample", max_bytes=None, invalidate=False, groups=(group,),
        targets=urls * len(pops),
    )  # fmt: skip
    store = Storage(Settings.from_environment())
    store.put_plan(plan, [f"https://www.example.com/asset-{number:07}.js" for number in range(urls)], [{}])
    store.ledger.open_run(RUN, plan.deadline)
    for batch in all_batches(plan):
        count = batch.url_to - batch.url_from
        failed: dict[int, dict[str, int]] = {}
        for number in range(0, batch.targets, 100):
            failed.setdefault(batch.url_from + number % count, {}).setdefault("timeout", 0)
            failed[batch.url_from + number % count]["timeout"] += 1
        lost = sum(counts["timeout"] for counts in failed.values())
        outcomes = {"warmed": batch.targets - lost, "timeout": lost}
        result = BatchResult(
            batch.id, 0, 0, batch.url_from, batch.url_to, batch.pop_to - batch.pop_from, True, batch.targets,
            outcomes, 0, batch.targets * 1000, failed, pop_from=batch.pop_from, contents="1a2b3c4d" * count,
        )  # fmt: skip
        store.ledger.put_result(RUN, result)
    return plan


def measured() -> None:
    """In the measured process: aggregate, and request the status."""
    import aggregate.handler  # noqa: PLC0415 - the seconds exclude their imports
    from api.runs.executions import Execution  # noqa: PLC0415
    from api.runs.progress import find_progress  # noqa: PLC0415
    from api.runs.status import as_contract  # noqa: PLC0415
    from prewarm.storage.run_store import storage  # noqa: PLC0415

    began, cpu = time.monotonic(), time.process_time()
    output = aggregate.handler.handler({"run": RUN}, SimpleNamespace())
    aggregated, aggregate_cpu = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    execution = Execution(
        RUN,
        f"arn:aws:states:eu-west-1:123456789012:execution:bench:{RUN}",
        "FAILED",
        "{}",
        "Prewarm.NotWarm",
        output["cause"],
    )
    statuses = []
    for _ in range(3):
        began = time.monotonic()
        response = json.dumps(as_contract(find_progress(execution, storage())), ensure_ascii=False)
        statuses.append(time.monotonic() - began)
    sys.stdout.write(
        json.dumps(
            {
                "aggregate": aggregated,
                "cpu": aggregate_cpu,
                "peak_mb": peak,
                "status": sorted(statuses)[1],
                "answer_mb": len(response) / 1e6,
                "peak_mb_status": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "total": output["total"],
                "failed": output["failed"],
            }
        )
    )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=10_000)
    options.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measured:
        measured()
        return
    print(markdown(measured_with(chosen.urls)))


def measure(*, quick: bool = False) -> Section:
    """Measure the run of 5.4 million targets, or of 27,000."""
    return measured_with(50 if quick else 10_000)


def measured_with(urls: int) -> Section:
    """Start the servers, and measure a run of so many URLs through 540 POPs."""
    with moto_server() as endpoint:
        account(endpoint)
        os.environ |= {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE, "POWERTOOLS_LOG_LEVEL": "ERROR"}
        plan = fill(urls)
        done = subprocess.run(
            [sys.executable, "-m", "bench.scale", "--measured"], text=True, stdout=subprocess.PIPE, check=True
        )
    took: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    batches = sum(1 for _ in all_batches(plan))
    notes = (
        f"{plan.targets:,} targets in {batches:,} batches; {took['total']:,} URLs, {took['failed']:,} failed.",
        "Seconds include moto's, which plays DynamoDB and S3; CPU is the function's own.",
    )
    rows = (
        ("AggregateResults", f"{took['aggregate']:.1f}", f"{took['cpu']:.1f}", "-", f"{took['peak_mb']:.0f}"),
        ("GET /status", f"{took['status']:.2f}", "-", f"{took['answer_mb']:.2f}", f"{took['peak_mb_status']:.0f}"),
    )
    columns = ("what", "seconds", "CPU s", "MB of the response", "peak MB")
    return Section("Adding up a large run", columns, rows, notes, raw=took)


if __name__ == "__main__":
    main()
