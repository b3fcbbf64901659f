"""What surrounds a worker's work: the run's control item before it, records and ledger after it."""

import time

from prewarm.items import Control
from prewarm.ledger import RunEnded
from prewarm.plan import Plan
from prewarm.storage import Storage
from prewarm.verdict import BatchResult


def control_of(store: Storage, plan: Plan, redrives: int) -> Control:
    """Read the run's control item; the first worker after a redrive gives the run a fresh deadline."""
    control = store.ledger.control(plan.run)
    if control.redrives >= redrives:
        return control
    store.ledger.renew(plan.run, time.time() + plan.deadline - plan.started_at, redrives)
    return store.ledger.control(plan.run)


def write(store: Storage, run: str, result: BatchResult, records: bytes) -> bool:
    """Write a part's records and its ledger item; says False where the run has ended."""
    store.put_records(run, result.batch, result.part, records)
    try:
        store.ledger.put_result(run, result)
    except RunEnded:
        return False
    return True
