"""GET /status of a run of a million targets that is half finished: what a poll reads and takes, and many watchers.

moto serves S3 and DynamoDB from another process. It does not count read units, so the size of each item that is read
is counted as DynamoDB does (Developer Guide, "DynamoDB read and write operations"): a unit for 4 KB of a query or of
an item, at least one a call.

    .venv/bin/python -m bench.polls
    .venv/bin/python -m bench.polls --urls 500    # a quick check that it runs

`make bench` measures the run of WORKERS[0] workers for docs/performance.md.
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
from typing import Any, Self
from unittest.mock import patch

from bench.page import markdown
from bench.resolving import BUCKET, TABLE, account, moto_server
from bench.section import Section, Target
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


@dataclass(frozen=True)
class Poll:
    """The medians of several polls of one kind: MB, read units and items of the ledger, seconds of CPU and in all."""

    name: str
    megabytes: float
    units: float
    items: float
    cpu: float
    seconds: float

    @classmethod
    def of(cls, name: str, measured: list[tuple[Reads, float, float]]) -> Self:
        """Return the medians."""
        middle = statistics.median
        reads = [each[0] for each in measured]
        return cls(
            name, middle(each.bytes for each in reads) / 1e6, middle(each.units for each in reads),
            middle(each.items for each in reads), middle(each[1] for each in measured),
            middle(each[2] for each in measured),
        )  # fmt: skip

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        return (
            self.name, f"{self.megabytes:.3f}", f"{self.units:.0f}", f"{self.items:.0f}", f"{self.cpu:.3f}",
            f"{self.seconds:.3f}",
        )  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """What some watchers read in some seconds."""

    name: str
    polls: int
    reads: Reads
    cpu: float

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        reads = self.reads
        return self.name, f"{reads.bytes / 1e6:.3f}", f"{reads.units}", f"{reads.items}", f"{self.cpu:.3f}", "-"


ALL, FIRST, NEXT, NEXT_SAME = "all of the ledger", "first poll of the run", "next, another process", "next, the same"
REPEATED, REPEATED_SAME = "within 2 s, another process", "within 2 s, the same"


def polls(run: Run) -> list[Poll]:
    """Return single polls of each kind, each of which finds batches that have finished since the one before."""
    api = Process(run)

    def several(name: str, process: Callable[[], Process], count: int = 5) -> Poll:
        measured = []
        for _ in range(count):
            run.finish(NEW)
            measured.append(reading(run, process().poll))
        return Poll.of(name, measured)

    with without_checkpoints():
        kinds = [several(ALL, lambda: api)]
    kinds.append(several(FIRST, lambda: api, 1))
    with patch("api.runs.live_results.FRESH_SECONDS", 0.0):
        kinds.append(several(NEXT, lambda: Process(run)))
        api.poll()
        kinds.append(several(NEXT_SAME, lambda: api))
    with patch("api.runs.live_results.FRESH_SECONDS", 60.0):
        api.poll()
        kinds.append(several(REPEATED, lambda: Process(run)))
        kinds.append(several(REPEATED_SAME, lambda: api))
    return kinds


def watched(run: Run, watchers: int, seconds: float) -> Watched:
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
    return Watched(f"{watchers} watchers, {len(moments)} polls in {seconds:.0f} s", len(moments), reads, cpu)


def measure(*, quick: bool = False, urls: int = 15_625, workers: int = WORKERS[0], seconds: float = 60.0) -> Section:
    """Measure the polls of one half-finished run."""
    urls, seconds = (50, 6.0) if quick else (urls, seconds)
    with moto_server() as endpoint:
        account(endpoint)
        os.environ |= {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE, "POWERTOOLS_LOG_LEVEL": "ERROR"}
        run = Run(Storage(Settings.from_environment()), urls, workers)
        kinds = {kind.name: kind for kind in polls(run)}
        two, twenty = (watched(run, count, seconds) for count in (2, 20))
    notes = (
        f"GET /status of a run of {run.plan.targets:,} targets, {workers} workers, {run.plan.batches:,} batches.",
        "Half of the batches are finished. Medians of five polls.",
        "MB, read units and items are those of DynamoDB; the seconds in the last column include moto's.",
    )
    targets = (
        Target("CPU of a poll", kinds[NEXT].cpu, 0.2, " s"),
        Target("reads of a poll", max(kind.megabytes for kind in kinds.values() if kind.name != ALL), 2.0, " MB"),
        Target("read units of 20 watchers / 2", twenty.reads.units / max(1, two.reads.units), 1.2),
    )
    rows = (*(kind.cells() for kind in kinds.values()), two.cells(), twenty.cells())
    columns = ("poll", "MB", "units", "items", "CPU s", "s")
    return Section("Status while a run is in progress", columns, rows, notes, targets)


def main() -> None:
    """Measure a run for each number of workers, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=15_625)
    options.add_argument("--seconds", type=float, default=60.0, help="how long the watchers watch")
    options.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    chosen = options.parse_args()
    for workers in chosen.workers:
        print(markdown(measure(urls=chosen.urls, workers=workers, seconds=chosen.seconds)), flush=True)


if __name__ == "__main__":
    main()
