"""WarmBatch: warm one part of a batch."""

import functools
from functools import partial
from typing import Any

from prewarm.fetcher.fetcher import Fetcher
from prewarm.observability import logger
from prewarm.planning.plan import Plan, batch_from_item
from prewarm.settings import Settings
from prewarm.storage.run_store import storage
from prewarm.tracing import subsegment
from warm.attempt import Attempt
from warm.batch_life import BatchLife
from warm.circuit_breaker import CircuitBreakers
from warm.cursor import Cursor
from warm.dark_pops import DarkPops
from warm.limits import Invocation, Limits
from warm.metrics import put_batch_metrics
from warm.recorder import Recorder
from warm.run_guard import RunNotActive, check_active
from warm.stop_rules import StopReason
from warm.tile import Tile
from warm.worker import Worker


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the runtime's context object
    """Warm the batch from its cursor on; returns {finished, cursor} of the attempt that owns the part.

    Raises:
        RunNotActive: the run has ended, or was redriven without this worker. What was fetched is stored.

    """
    life = BatchLife()
    run, batch, cursor = event["run"], batch_from_item(event["batch"]), Cursor.from_json(event["cursor"])
    logger.append_keys(run=run, batch=batch.id, part=cursor.part)
    store, left = storage(), context.get_remaining_time_in_millis() / 1000
    plan, addresses = _plan(run)
    attempt = Attempt(store, run, batch.id, cursor)
    with attempt.open(left):
        control, redrives = check_active(store, plan, event.get("redrives", 0), event.get("childRedrives", 0))
        if answer := attempt.stored_answer(redrives):
            return answer
        tile = Tile.build(plan, batch, store.get_block(plan, batch.block), addresses, cursor, control.separate_pops)
        worker = Worker(
            tile,
            Recorder(plan, tile),
            _fetcher(),
            Limits.of(plan, control.deadline_of(plan.deadline), left, _settings()),
            Invocation(cursor.part, redrives, int(context.memory_limit_in_mb), life.started),
            CircuitBreakers(partial(store.ledger.add_open_host, run), set(control.open_hosts)),
            partial(store.ledger.control, run),
            DarkPops(partial(store.ledger.add_dark_pop, run), dict(control.dark_pops)),
        )
        with subsegment("fetch", run=run, batch=batch.id, part=cursor.part):
            worked = worker.run()
        with subsegment("write", run=run, batch=batch.id, part=cursor.part):
            answer, owned = attempt.write(worked)
        life.stored(_fetcher().fetched_since(life.started))
    if owned:
        put_batch_metrics(worked.batch_result, life)
    if worker.stop.reason is StopReason.RUN_ENDED and not answer["finished"]:
        raise RunNotActive(run)
    return answer


@functools.cache
def _settings() -> Settings:
    return Settings.from_environment()


@functools.cache  # connections stay open between invocations
def _fetcher() -> Fetcher:
    return Fetcher(_settings())


@functools.lru_cache(maxsize=2)
def _plan(run: str) -> tuple[Plan, list[dict[str, list[str]]]]:
    return (plan := storage().need_plan(run)), storage().get_addresses(plan)
