"""Each batch of a run delivered twice, twenty in a row: at once, and again while the first worker still works."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import settings

import prewarm.planning.batching
import warm.handler
import warm.worker
from prewarm.fetcher.fetcher import Fetcher
from prewarm.settings import Settings
from prewarm_local.stack.moto_patches import MotoPatches, patch_table_writes
from tests.support.edge_urls import fresh
from tests.support.handlers import SYDNEY, TOKYO, Context, Machine, Ran, document, keys, outcomes, records

BATCHES = 50 if settings.get_current_profile_name() == "thorough" else 20
URLS, POPS = 2 * BATCHES, [SYDNEY[0], TOKYO]
# Each of five workers at once makes 40 fetches a second: one with little time leaves a target to the next one.
MAX_RPS, LITTLE_SECONDS = 200, 0.07


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadPoolExecutor]:
    """Two workers, each with an HTTP client of its own, as two Lambda environments have."""
    own = threading.local()

    def fetcher() -> Fetcher:
        made: Fetcher = getattr(own, "fetcher", None) or Fetcher(Settings.from_environment())
        own.fetcher = made
        return made

    monkeypatch.setattr(warm.handler, "_fetcher", fetcher)
    # Else a fetch that takes nearly all of a worker's little time is a time-out.
    monkeypatch.setattr(warm.worker, "ENDLESS_SHARE", 100)
    with MotoPatches() as patches, ThreadPoolExecutor(2) as made:
        patch_table_writes(patches)
        yield made


def resolved(machine: Machine, urls: list[str], batches: int) -> tuple[Ran, list[dict[str, Any]]]:
    ran = machine.resolve(
        {"url_list": urls, "region_type": "pop", "region": POPS, "verify": "none", "max_rps": MAX_RPS}
    )
    items = machine.items(ran)
    assert len(items) == batches
    return ran, items


@pytest.mark.parametrize("head_start", [0.0, 0.05], ids=["at once", "after a time-out"])
def test_batches_delivered_twice_are_counted_once_and_warm(
    machine: Machine, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, head_start: float
) -> None:
    """Step Functions continues with the second answer, which is mostly the loser's; then viewers find all copies."""
    urls = fresh(URLS)
    monkeypatch.setattr(prewarm.planning.batching, "MIN_TARGETS_PER_BATCH", 4)
    ran, items = resolved(machine, urls, BATCHES)
    parts = 0
    for number, item in enumerate(items):
        cursor, finished = None, False
        while not finished:
            event = {"run": ran.name, "batch": item, "cursor": cursor}
            # One of the two leaves targets to the next part, except in each fourth batch.
            times = [LITTLE_SECONDS if cursor is None and number % 4 == place else 60.0 for place in (1, 2)]
            deliveries = [pool.submit(warm.handler.handler, event, Context(times[0]))]
            if cursor is None and number == 1:
                # On a slow machine the worker with little time is always second; here it has no rival.
                deliveries[0].result()
            else:
                time.sleep(head_start)
            deliveries.append(pool.submit(warm.handler.handler, event, Context(times[1])))
            answers = [delivery.result() for delivery in deliveries]
            assert answers[0] == answers[1]
            finished, cursor = answers[1]["finished"], answers[1]["cursor"]
            parts += 1
    assert machine.aggregate(ran)["passed"]
    summary = document(ran.name, "summary.json")
    assert summary["targetsDone"] == sum(summary["outcomes"].values()) == 2 * URLS
    assert set(summary["outcomes"]) <= {"warmed", "already_warm"}
    counted = Counter((record["url"], record["pop"]) for record in records(ran.name))
    assert counted == Counter({(url, pop): 1 for url in urls for pop in POPS})
    assert len(keys(f"runs/{ran.name}/records/")) == parts
    assert len(keys(f"runs/{ran.name}/cursors/")) == parts - BATCHES > 0
    # One batch is enough to find what is cached.
    monkeypatch.setattr(prewarm.planning.batching, "MIN_TARGETS_PER_BATCH", 2 * URLS)
    again, (item,) = resolved(machine, urls, 1)
    machine.warm(again, item)
    assert outcomes(again.name) == {"already_warm": 2 * URLS}
