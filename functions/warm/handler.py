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
from warm.turn import control_of, write
from warm.worker import Halt, Worker

OVER = {"finished": True, "cursor": None}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Warm the batch from its cursor on; returns {finished, cursor}. A run that has ended is left alone."""
    begun = time.monotonic()
    run, batch, cursor = event["run"], batch_from_item(event["batch"]), Cursor.from_json(event["cursor"])
    # A child that was started after the run was redriven knows that by its input, one that was redriven by itself.
    redrives = event.get("redrives", 0) + event.get("childRedrives", 0)
    logger.append_keys(run=run, batch=batch.id, part=cursor.part)
    store, left = storage(), context.get_remaining_time_in_millis() / 1000
    control = store.ledger.control(run)
    if control.redrives < redrives:
        control = control_of(store, _plan(run)[0], redrives)
    if control.over_for(redrives):
        logger.info("the run has ended")
        return OVER
    plan, addresses = _plan(run)
    tile = Tile.build(plan, batch, store.get_block(run, batch.block), addresses, cursor)
    tally = Tally(plan, tile)
    read, tell = partial(store.ledger.control, run), partial(store.ledger.add_open_host, run)
    limits = Limits.of(plan, control.deadline_of(plan.deadline), left, _settings())
    breakers = Breakers(set(control.open_hosts))
    worker = Worker(tile, tally, _fetcher(), limits, read, tell, redrives=redrives, breakers=breakers)
    with subsegment("fetch", run=run, batch=batch.id, part=cursor.part):
        worker.run()
    gb_ms = round((time.monotonic() - begun) * int(context.memory_limit_in_mb) / 1.024)
    result = tally.result(cursor.part, gb_ms, redrives)
    with subsegment("write", run=run, batch=batch.id, part=cursor.part):
        written = worker.halted is not Halt.RUN_ENDED and write(store, run, result, tally.records())
    if not written:
        logger.info("the run ended meanwhile")
        return OVER
    logger.info("warmed", extra={"outcomes": result.outcomes, "bytes": result.bytes, "finished": result.finished})
    put_batch_metrics(result)
    if result.finished:
        return OVER
    return {"finished": False, "cursor": Cursor(cursor.part + 1, bytes(tile.done), worker.progress).as_json()}


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
