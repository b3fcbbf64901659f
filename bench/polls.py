"""GET /status of half-finished runs of a million targets: what a poll reads and takes, and many watchers.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch

from bench.half_run import POPS, HalfRun, pairs, rectangle
from bench.page import markdown
from bench.resolving import BUCKET, TABLE, account, moto_server
from bench.section import Section, Target
from prewarm.planning.plan import Plan
from prewarm.settings import Settings
from prewarm.storage.ledger_items import item_bytes
from prewarm.storage.run_store import Storage

WORKERS = (5, 50, 1000)
# Pairs of each URL, in the run of pairs.
PAIRS_EACH = 20
# Seconds between a watcher's polls, as of the dashboard; processes of the API; batches that finish between two polls.
INTERVAL, PROCESSES, NEW = 3.0, 3, 2
MINUTE = 60
WATCHERS = (1, 2, 20)
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


class Process:
    """A process of the API, which has its own memory and the stores' clients of all."""

    def __init__(self, run: HalfRun) -> None:
        """Make one that remembers nothing."""
        from api.runs.executions import Execution  # noqa: PLC0415 - it reads the environment
        from api.runs.latest_progress import Latest  # noqa: PLC0415

        self.store = copy.copy(run.store)
        self.store.forget_checkpoints()
        self.store.forget_planned()
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:bench:{run.plan.run}"
        self._latest: Latest[Any] = Latest()
        self._execution = Execution(run.plan.run, arn, "RUNNING", "{}", "", "")

    def poll(self) -> dict[str, Any]:
        """Return the status with the first 1,000 URLs, as the dashboard asks for it."""
        from api.http.pagination import Page  # noqa: PLC0415
        from api.runs.progress import find_progress  # noqa: PLC0415
        from api.runs.status import as_contract  # noqa: PLC0415

        with patch("api.runs.progress._latest", self._latest):
            return as_contract(find_progress(self._execution, self.store), Page(0, 1_000))


@contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let each poll read all of the run's ledger."""
    from api.runs.live_results import all_results  # noqa: PLC0415

    with patch("api.runs.progress.live_results", lambda _, plan, store: all_results(plan, store)):
        yield


def reading(run: HalfRun, act: Callable[[], object]) -> tuple[Reads, float, float]:
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
    """What some watchers read in some seconds, and the median CPU seconds of their polls."""

    name: str
    reads: Reads
    cpu: float

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        reads = self.reads
        return self.name, f"{reads.bytes / 1e6:.3f}", f"{reads.units}", f"{reads.items}", f"{self.cpu:.3f}", "-"


ALL, FIRST, NEXT, NEXT_SAME = "all of the ledger", "first poll of the run", "next, another process", "next, the same"
REPEATED, REPEATED_SAME = "within 3 s, another process", "within 3 s, the same"


def polls(run: HalfRun) -> list[Poll]:
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


def watched(store: Storage, plan: Plan, watchers: int, seconds: float) -> Watched:
    """Return what so many watchers read in some seconds, which are simulated; batches finish meanwhile.

    Each number of watchers has a run of its own, half finished, that was polled before: so all of them can read the
    same, and what differs is what they read again.
    """
    run = HalfRun(store, replace(plan, run=f"{plan.run}-watched-{watchers}"))
    Process(run).poll()
    rng = random.Random(2)  # noqa: S311 - no secret
    begins = [rng.uniform(0, INTERVAL) for _ in range(watchers)]
    moments = sorted(begin + number * INTERVAL for begin in begins for number in range(int(seconds / INTERVAL)))
    processes = [Process(run) for _ in range(PROCESSES)]
    clock = SimpleNamespace(now=time.time() + MINUTE)
    start, spent = clock.now, []

    def watch() -> None:
        finished = 0
        for moment in moments:
            clock.now = start + moment
            if moment // INTERVAL > finished:
                finished = int(moment // INTERVAL)
                run.finish(NEW)
            began = time.process_time()
            rng.choice(processes).poll()
            spent.append(time.process_time() - began)

    with patch("api.runs.live_results.time", SimpleNamespace(time=lambda: clock.now)):
        reads, _, _ = reading(run, watch)
    name = f"{watchers} {'watcher' if watchers == 1 else 'watchers'}, {len(moments)} polls in {seconds:.0f} s"
    return Watched(name, reads, statistics.median(spent))


def measured(store: Storage, plan: Plan, kind: str, seconds: float) -> tuple[list[tuple[str, ...]], list[Target]]:
    """Return the rows and targets of one run; `kind` names it."""
    kinds = {each.name: each for each in polls(HalfRun(store, plan))}
    crowds = [watched(store, plan, count, seconds) for count in WATCHERS]
    two, twenty = crowds[-2:]
    usual = [each for name, each in kinds.items() if name != ALL]
    targets = [
        Target(f"CPU of a poll, {kind}", max(kinds[name].cpu for name in (NEXT, NEXT_SAME)), 0.2, " s"),
        Target(f"reads of a poll, {kind}", max(each.megabytes for each in usual), 2.0, " MB"),
        Target(f"read units of 20 watchers / 2, {kind}", twenty.reads.units / max(1, two.reads.units), 1.2),
    ]
    cells = [each.cells() for each in kinds.values()] + [each.cells() for each in crowds]
    return [(kind, *row) for row in cells], targets


def measure(*, quick: bool = False, urls: int = 15_625, workers: int = WORKERS[0], seconds: float = 30.0) -> Section:
    """Measure the polls of two half-finished runs: a rectangle, and pairs."""
    urls, seconds = (50, 6.0) if quick else (urls, seconds)
    targets = urls * POPS
    plans = {"rectangle": rectangle(urls, workers), "pairs": pairs(targets // PAIRS_EACH, targets, workers)}
    rows: list[tuple[str, ...]] = []
    held_to: list[Target] = []
    with moto_server() as endpoint:
        account(endpoint)
        os.environ |= {"PREWARM_BUCKET": BUCKET, "PREWARM_TABLE": TABLE, "POWERTOOLS_LOG_LEVEL": "ERROR"}
        store = Storage(Settings.from_environment())
        for kind, plan in plans.items():
            found = measured(store, plan, kind, seconds)
            rows += found[0]
            held_to += found[1]
    notes = (
        f"GET /status of runs of {targets:,} targets, {workers} workers; half of the batches are finished.",
        *(f"{kind}: {plan.url_count:,} URLs, {plan.batches:,} batches." for kind, plan in plans.items()),
        "Medians of five polls; a watcher polls every 3 s, and its CPU is that of a poll.",
        "MB, read units and items are those of DynamoDB; the seconds in the last column include moto's.",
    )
    columns = ("run", "poll", "MB", "units", "items", "CPU s", "s")
    return Section("Status while a run is in progress", columns, tuple(rows), notes, tuple(held_to))


def main() -> None:
    """Measure a run for each number of workers, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=15_625)
    options.add_argument("--seconds", type=float, default=30.0, help="how long the watchers watch")
    options.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    chosen = options.parse_args()
    for workers in chosen.workers:
        print(markdown(measure(urls=chosen.urls, workers=workers, seconds=chosen.seconds)), flush=True)


if __name__ == "__main__":
    main()
