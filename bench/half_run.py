"""A run of which half of the batches are finished, for the bench of polls: of a rectangle, or of pairs."""

import random
import time
from collections import Counter
from dataclasses import replace

from bench.pairs import masks_of
from prewarm.catalogue import catalogue
from prewarm.planning.batching import targets_per_batch, tiled
from prewarm.planning.packing import pack_pairs
from prewarm.planning.plan import PAIRS, Batch, Group, Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.gain import Gain, pack_gains
from prewarm.results.proven_servers import pack_servers
from prewarm.results.stats import PopSums, pack_pops
from prewarm.storage.run_store import Storage

POPS = 64


def rectangle(urls: int, workers: int) -> Plan:
    """Return the plan of a run that warms each of so many URLs at POPS POPs."""
    plan = _plan(f"rectangle-{workers}", urls, urls * POPS, workers, tuple(catalogue().pops)[:POPS])
    return _with_batches(plan, tuple(tiled(plan)))


def pairs(urls: int, count: int, workers: int) -> Plan:
    """Return the plan of a run of so many pairs of URL and POP, as `prewarm traffic` finds them in logs."""
    plan = _plan(f"pairs-{workers}", urls, count, workers, tuple(catalogue().pops))
    masks = masks_of(urls, len(catalogue().pops), count)
    _, stages = pack_pairs(plan.groups, [masks], 1, targets_per_batch(count, workers))
    return replace(_with_batches(plan, tuple(stages[0])), region_type=PAIRS, pairs=True, lists_batches=True)


def _plan(run: str, urls: int, targets: int, workers: int, pops: tuple[str, ...]) -> Plan:
    group = Group("d1.cloudfront.net", "E1", 0, urls, pops, len(pops))
    return Plan(
        run=run, started_at=time.time(), deadline=time.time() + 9_000, url_count=urls,
        region_type="region", variants=("br, gzip",), percent_needed=95.0, fail_on="any", verify="sample",
        max_bytes=None, invalidate=False, groups=(group,), targets=targets, max_concurrency=workers,
        attempt="a" * 32,
    )  # fmt: skip


def _with_batches(plan: Plan, batches: tuple[Batch, ...]) -> Plan:
    return replace(plan, batches=len(batches), stage_batches=(len(batches),), batch_list=batches)


class HalfRun:
    """A run of which half of the batches are finished, in the order in which its workers finish them."""

    def __init__(self, store: Storage, plan: Plan) -> None:
        """Store a plan and the results of its finished half."""
        self.plan, self.store = plan, store
        self._rng = random.Random(1)  # noqa: S311 - no secret
        urls = [f"https://www.example.com/assets/{number:07}.js" for number in range(plan.url_count)]
        store.put_plan(plan, urls, [{}])
        store.put_batches(plan)
        store.ledger.open_run(plan.run, plan.deadline)
        batches = plan.batch_list
        places = sorted(range(len(batches)), key=lambda place: place + plan.max_concurrency * self._rng.random())
        self._left = [batches[place] for place in places]
        self.finish(len(batches) // 2)

    def finish(self, count: int) -> None:
        """Store the results of the next batches."""
        for batch in self._left[:count]:
            self.store.ledger.put_result(self.plan.run, self._result(batch))
        del self._left[:count]

    def _result(self, batch: Batch) -> BatchResult:
        """Return a result of the size that a worker's has; one target of a hundred failed."""
        cells, pops = batch.cells, batch.pop_to - batch.pop_from
        urls = len(cells.rows)
        failed = {
            index: {"server_error:503:origin": 1}
            for start, end, targets in cells.by_url()
            for index in range(start, end)
            if self._rng.random() < targets / 100
        }
        sums = [PopSums(urls, urls, urls * 11 // 10, urls * 100_000, urls * 80, urls) for _ in range(pops)]
        gains = {f"L{place:02}": Gain(100, 3, Counter({20: 30, 24: 50, 28: 17})) for place in range(40)}
        return BatchResult(
            batch.id, 0, 0, batch.url_from, batch.url_to, pops, True, batch.targets,
            {"warmed": batch.targets - len(failed), "server_error": len(failed)}, urls, batch.targets * 100_000,
            failed, pop_from=batch.pop_from, layers={"edge": batch.targets}, per_pop=pack_pops(sums),
            contents="".join(f"{index:08x}" for index in cells.rows),
            times=dict.fromkeys(range(15, 35), batch.targets // 20), verified_in_pop=urls,
            servers=pack_servers([2] * pops, [3] * pops, []), encodings="B" * urls, attempt="b" * 32,
            targets=batch.targets, gain=pack_gains(gains),
        )  # fmt: skip
