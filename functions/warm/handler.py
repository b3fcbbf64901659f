"""WarmBatch: one worker's turn at a batch."""

import functools
import time
from functools import partial
from typing import Any

from prewarm.fetcher.fetcher import Fetcher
from prewarm.observability import logger
from prewarm.planning.plan import Plan, batch_from_item
from prewarm.settings import Settings
from prewarm.storage.run_store import storage
from prewarm.tracing import subsegment
from warm.circuit_breaker import CircuitBreakers
from warm.cursor import Cursor
from warm.limits import Limits
from warm.metrics import put_batch_metrics
from warm.recorder import Recorder
from warm.run_guard import RunOver, control_of, write
from warm.tile import Tile
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
    recorder = Recorder(plan, tile)
    read, tell = partial(store.ledger.control, run), partial(store.ledger.add_open_host, run)
    limits = Limits.of(plan, control.deadline_of(plan.deadline), left, _settings())
    breakers = CircuitBreakers(set(control.open_hosts))
    worker = Worker(tile, recorder, _fetcher(), limits, read, tell, redrives=redrives, breakers=breakers)
    with subsegment("fetch", run=run, batch=batch.id, part=cursor.part):
        worker.run()
    if worker.halted is Halt.RUN_ENDED:
        raise RunOver(run)
    gb_ms = round((time.monotonic() - begun) * int(context.memory_limit_in_mb) / 1.024)
    result = recorder.result(cursor.part, gb_ms, redrives)
    with subsegment("write", run=run, batch=batch.id, part=cursor.part):
        write(store, run, result, recorder.records())
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
