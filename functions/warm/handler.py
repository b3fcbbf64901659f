"""WarmBatch: one worker's turn at a batch."""

import functools
from functools import partial
from typing import Any

from prewarm.fetch import Fetcher
from prewarm.observability import logger
from prewarm.plan import Plan, batch_from_item
from prewarm.settings import Settings
from prewarm.storage import RunEnded, Storage, storage
from prewarm.verdict import BatchResult
from warm.kindness import Breakers
from warm.limits import Limits
from warm.tally import Tally
from warm.targets import Cursor, Tile
from warm.worker import Halt, Worker


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Warm the batch from its cursor on; returns {finished, cursor}. A run that has ended is left alone."""
    run, batch, cursor = event["run"], batch_from_item(event["batch"]), Cursor.from_json(event["cursor"])
    logger.append_keys(run=run, batch=batch.id, part=cursor.part)
    store, left = storage(), context.get_remaining_time_in_millis() / 1000
    control = store.control(run)
    if control.ended:
        logger.info("the run has ended")
        return {"finished": True, "cursor": None}
    plan, addresses = _plan(run)
    tile = Tile.build(plan, batch, store.get_block(run, batch.block), addresses, cursor)
    tally = Tally(plan, tile)
    read, tell = partial(store.control, run), partial(store.add_open_host, run)
    breakers = Breakers(set(control.open_hosts))
    worker = Worker(tile, tally, _fetcher(), Limits.of(plan, left, _settings()), read, tell, breakers=breakers)
    worker.run()
    result = tally.result(cursor.part)
    if worker.halted is Halt.RUN_ENDED or not _written(store, run, result, tally.records()):
        logger.info("the run ended meanwhile")
        return {"finished": True, "cursor": None}
    logger.info("warmed", extra={"outcomes": result.outcomes, "bytes": result.bytes, "finished": result.finished})
    if result.finished:
        return {"finished": True, "cursor": None}
    return {"finished": False, "cursor": Cursor(cursor.part + 1, bytes(tile.done), worker.progress).as_json()}


def _written(store: Storage, run: str, result: BatchResult, records: bytes) -> bool:
    """Write a part's records and its ledger item; says False where the run has ended."""
    store.put_records(run, result.batch, result.part, records)
    try:
        store.put_result(run, result)
    except RunEnded:
        return False
    return True


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
