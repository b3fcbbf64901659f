"""GET /status of a run of a million targets that is half finished: what a poll reads and takes, and many watchers.

moto serves S3 and DynamoDB from another process. It does not count read units, so the size of each item that is read
is counted as DynamoDB does (Developer Guide, "DynamoDB read and write operations"): a unit for 4 KB of a query or of
an item, at least one a call.

    .venv/bin/python -m bench.polls
    .venv/bin/python -m bench.polls --urls 500    # a quick check that it runs
"""

import argparse
import copy
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bench.resolving import BUCKET, TABLE, account, moto_server
from prewarm.catalogue import catalogue
from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Batch, Group, Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.gain import Gain, pack_gains
from prewarm.results.proven_servers import pack_servers
from prewarm.results.stats import PopSums, pack_pops
from prewarm.settings import Settings
from prewarm.storage.ledger_items import item_bytes
from prewarm.storage.run_store import Storage

POPS, WORKERS = 64, (5, 50, 1000)
# Seconds between a watcher's polls, as of the dashboard; processes of the API; batches that finish between two polls.
INTERVAL, PROCESSES, NEW = 3.0, 3, 2
UNIT = 4096


@dataclass
class Reads:
    """What was read of the ledger: bytes, read units, items and calls."""

    bytes: int = 0
    units: int = 0
    items: int = 0
    calls: int = 0

    def count(self, parsed: dict[str, Any], **_: object) -> None:
        """Count one response."""
        found = parsed.get("Items", [parsed["Item"]] if "Item" in parsed else [])
        size = sum(map(item_bytes, found))
        self.bytes += size
        self.units += max(1, -(-size // UNIT))
        self.items += len(found)
        self.calls += 1


class Run:
    """A run of which half of the batches are finished, in the order in which so many workers finish them."""

    def __init__(self, store: Storage, urls: int, workers: int) -> None:
        """Store its plan and the results of its finished half."""
        names = tuple(list(catalogue().pops)[:POPS])
        group = Group("d1.cloudfront.net", "E1", 0, urls, names, POPS)
        plan = Plan(
            run=f"bench-{workers}", started_at=time.time(), deadline=time.time() + 9_000, url_count=urls,
            region_type="region", variants=("br, gzip",), percent_needed=95.0, fail_on="any", verify="sample",
            max_bytes=None, invalidate=False, groups=(group,), targets=urls * POPS, max_concurrency=workers,
            attempt="a" * 32,
        )  # fmt: skip
        batches = all_batches(plan)
        self.plan = replace(plan, batches=len(batches), stage_batches=(len(batches),))
        self.store, self._rng = store, random.Random(1)  # noqa: S311 - no secret
        store.put_plan(self.plan, [f"https://www.example.com/assets/{number:07}.js" for number in range(urls)], [{}])
        store.ledger.open_run(self.plan.run, self.plan.deadline)
        places = sorted(range(len(batches)), key=lambda place: place + workers * self._rng.random())
        self._left = [batches[place] for place in places]
        self.finish(len(batches) // 2)

    def finish(self, count: int) -> None:
        """Store the results of the next batches."""
        for batch in self._left[:count]:
            self.store.ledger.put_result(self.plan.run, self._result(batch))
        del self._left[:count]

    def _result(self, batch: Batch) -> BatchResult:
        """Return a result of the size that a worker's has; one target of a hundred failed."""
        urls, pops = batch.url_to - batch.url_from, batch.pop_to - batch.pop_from
        failed = {index: {"server_error:503:origin": 1} for index in range(batch.url_from, batch.url_to)}
        failed = {index: counts for index, counts in failed.items() if self._rng.random() < POPS / 100}
        sums = [PopSums(urls, urls, urls * 11 // 10, urls * 100_000, urls * 80, urls) for _ in range(pops)]
        gains = {f"L{place:02}": Gain(100, 3, Counter({20: 30, 24: 50, 28: 17})) for place in range(40)}
        return BatchResult(
            batch.id, 0, 0, batch.url_from, batch.url_to, pops, True, batch.targets,
            {"warmed": batch.targets - len(failed), "server_error": len(failed)}, urls, batch.targets * 100_000,
            failed, pop_from=batch.pop_from, layers={"edge": batch.targets}, per_pop=pack_pops(sums),
            contents="".join(f"{index:08x}" for index in range(batch.url_from, batch.url_to)),
            times=dict.fromkeys(range(15, 35), batch.targets // 20), verified_in_pop=urls,
            servers=pack_servers([2] * pops, [3] * pops, []), encodings="B" * urls, attempt="b" * 32,
            targets=batch.targets, gain=pack_gains(gains),
        )  # fmt: skip


class Process:
    """A process of the API, which has its own memory and the stores' clients of all."""

    def __init__(self, run: Run) -> None:
        """Make one that remembers nothing."""
        from api.runs.executions import Execution  # noqa: PLC0415 - it reads the environment

        self.store = copy.copy(run.store)
        self.store.forget_checkpoints()
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:bench:{run.plan.run}"
        self._execution = Execution(run.plan.run, arn, "RUNNING", "{}", "", "")

    def poll(self) -> dict[str, Any]:
        """Return the status with the first 1,000 URLs, as the dashboard asks for it."""
        from api.http.pagination import Page  # noqa: PLC0415
        from api.runs.progress import find_progress  # noqa: PLC0415
        from api.runs.status import as_contract  # noqa: PLC0415

        return as_contract(find_progress(self._execution, self.store), Page(0, 1_000))


@contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let each poll read all of the run's ledger."""
    from api.runs.live_results import all_results  # noqa: PLC0415

    with patch("api.runs.progress.live_results", lambda _, plan, store: all_results(plan, store)):
        yield


def reading(run: Run, act: Callable[[], object]) -> tuple[Reads, float, float]:
    """Return what an act reads of the ledger, and its seconds of CPU and wall time."""
    reads = Reads()
    events = run.store.ledger._dynamodb.meta.events  # noqa: SLF001 - counts what it answers
    events.register("after-call.dynamodb", reads.count)
    began, cpu = time.perf_counter(), time.process_time()
    act()
    took = time.process_time() - cpu, time.perf_counter() - began
    events.unregister("after-call.dynamodb", reads.count)
    return reads, *took


def line(name: str, measured: list[tuple[Reads, float, float]]) -> str:
    """Return the medians of several polls."""
    reads = [each[0] for each in measured]
    size, units = statistics.median(each.bytes for each in reads), statistics.median(each.units for each in reads)
    items = statistics.median(each.items for each in reads)
    cpu, wall = statistics.median(each[1] for each in measured), statistics.median(each[2] for each in measured)
    return f"  {name:34} {size / 1e6:6.3f} MB {units:5.0f} units {items:6.0f} items  {cpu:.3f} s CPU  {wall:.3f} s"


def polls(run: Run) -> list[str]:
    """Return the lines of single polls, each of which finds batches that have finished since the one before."""
    api = Process(run)

    def several(name: str, process: Callable[[], Process], count: int = 5) -> str:
        measured = []
        for _ in range(count):
            run.finish(NEW)
            measured.append(reading(run, process().poll))
        return line(name, measured)

    with without_checkpoints():
        lines = [several("all of the ledger", lambda: api)]
    lines.append(several("first poll of the run", lambda: api, 1))
    with patch("api.runs.live_results.FRESH_SECONDS", 0.0):
        lines.append(several("next polls, other processes", lambda: Process(run)))
        api.poll()
        lines.append(several("next polls, the same process", lambda: api))
    with patch("api.runs.live_results.FRESH_SECONDS", 60.0):
        api.poll()
        lines.append(several("within two seconds, others", lambda: Process(run)))
        lines.append(several("within two seconds, the same", lambda: api))
    return lines


def watched(run: Run, watchers: int, seconds: float) -> str:
    """Return what so many watchers read in some seconds, which are simulated; batches finish meanwhile."""
    rng = random.Random(2)  # noqa: S311 - no secret
    begins = [rng.uniform(0, INTERVAL) for _ in range(watchers)]
    moments = sorted(begin + number * INTERVAL for begin in begins for number in range(int(seconds / INTERVAL)))
    processes = [Process(run) for _ in range(PROCESSES)]
    clock = SimpleNamespace(now=time.time())
    start = clock.now

    def watch() -> None:
        finished = 0
        for moment in moments:
            clock.now = start + moment
            if moment // INTERVAL > finished:
                finished = int(moment // INTERVAL)
                run.finish(NEW)
            rng.choice(processes).poll()

    with patch("api.runs.live_results.time", SimpleNamespace(time=lambda: clock.now)):
        reads, cpu, _ = reading(run, watch)
    return (
        f"  {watchers:2} watchers, {len(moments):3} polls: {reads.bytes / 1e6:7.3f} MB {reads.units:6} units "
        f"{reads.calls:5} calls  {cpu:6.2f} s CPU"
    )


def main() -> None:
    """Start the servers, measure, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=15_625)
    options.add_argument("--seconds", type=float, default=60.0, help="how long the watchers watch")
    options.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    chosen = options.parse_args()
    with moto_server() as endpoint:
        account(endpoint)
        os.environ |= {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE, "POWERTOOLS_LOG_LEVEL": "ERROR"}
        store = Storage(Settings.from_environment())
        for workers in chosen.workers:
            run = Run(store, chosen.urls, workers)
            print(f"{run.plan.targets:,} targets, {workers} workers, {run.plan.batches:,} batches, half finished:")
            print("\n".join(polls(run)))
            with without_checkpoints():
                print(f"{chosen.seconds:.0f} s of watching, all of the ledger at each poll:")
                print(watched(run, 2, chosen.seconds))
            print(f"{chosen.seconds:.0f} s of watching, with checkpoints:")
            print("\n".join(watched(run, count, chosen.seconds) for count in (2, 20)))


if __name__ == "__main__":
    main()
