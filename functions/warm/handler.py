"""WarmBatch: one worker's turn at a batch."""

import functools
import time
from functools import partial
from typing import Any

from prewarm.fetch import Fetcher
from prewarm.observability import logger
from prewarm.plan import Plan, batch_from_item
from prewarm.settings import Settings
from prewarm.storage import storage
from prewarm.tracing import subsegment
from warm.kindness import Breakers
from warm.limits import Limits
from warm.metrics import put_batch_metrics
from warm.tally import Tally
from warm.targets import Cursor, Tile
from warm.turn import RunOver, control_of, write
from warm.worker import Halt, Worker


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Warm the batch from its cursor on; returns {finished, cursor}.

    Raises:
        RunOver: the run has ended, and wants no more of it.

    """
    begun = time.monotonic()
    run, batch, cursor = event["run"], batch_from_item(event["batch"]), Cursor.from_json(event["cursor"])
    logger.append_keys(run=run, batch=batch.id, part=cursor.part)
    store, left = storage(), context.get_remaining_time_in_millis() / 1000
    plan, addresses = _plan(run)
    control, redrives = control_of(store, plan, event.get("redrives", 0), event.get("childRedrives", 0))
    tile = Tile.build(plan, batch, store.get_block(run, batch.block), addresses, cursor)
    tally = Tally(plan, tile)
    read, tell = partial(store.ledger.control, run), partial(store.ledger.add_open_host, run)
    limits = Limits.of(plan, control.deadline_of(plan.deadline), left, _settings())
    breakers = Breakers(set(control.open_hosts))
    worker = Worker(tile, tally, _fetcher(), limits, read, tell, redrives=redrives, breakers=breakers)
    with subsegment("fetch", run=run, batch=batch.id, part=cursor.part):
        worker.run()
    if worker.halted is Halt.RUN_ENDED:
        raise RunOver(run)
    gb_ms = round((time.monotonic() - begun) * int(context.memory_limit_in_mb) / 1.024)
    result = tally.result(cursor.part, gb_ms, redrives)
    with subsegment("write", run=run, batch=batch.id, part=cursor.part):
        write(store, run, result, tally.records())
    logger.info("warmed", extra={"outcomes": result.outcomes, "bytes": result.bytes, "finished": result.finished})
    put_batch_metrics(result)
    following = Cursor(cursor.part + 1, bytes(tile.done), worker.progress)
    return {"finished": result.finished, "cursor": None if result.finished else following.as_json()}


@functools.cache
def _settings() -> Settings:
    return Settings.from_environment()


@functools.cache
def _fetcher() -> Fetcher:
    """Return this process's engine: its connections outlive an invocation."""
    return Fetcher(_settings())


@functools.lru_cache(maxsize=2)
def _plan(run: str) -> tuple[Plan, list[dict[str, list[str]]]]:
    """Return a run's plan and addresses, read once per process."""
    return storage().need_plan(run), storage().get_addresses(run)
