"""AggregateResults: close the ledger, add it up, write the summary, decide."""

import time
from typing import Any

from aggregate.closing import unended_batches
from aggregate.summary import summarise, verdict_of_run
from prewarm.observability import logger
from prewarm.outcome import Outcome
from prewarm.storage import run_key, storage
from prewarm.verdict import roll_up


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return whether the run passes, with Error and Cause for one that does not.

    The run ends in the ledger first, and batches without an end are closed, so that no late worker changes what the
    summary says. What never reported back is `lost`, or had no time left.
    """
    run = event["run"]
    logger.append_keys(run=run)
    store = storage()
    plan = store.need_plan(run)
    store.end_run(run)
    results = list(store.results(run))
    if unended := unended_batches(plan, results):
        store.close_batches(run, unended)
        results = list(store.results(run))
    rest = Outcome.DEADLINE if time.time() >= plan.deadline else Outcome.LOST
    summary = summarise(plan, roll_up(plan, results, rest), store.get_urls(run), time.time(), rest)
    location = store.location(run_key(run, "summary.json"))
    store.put_summary(run, summary)
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    return verdict_of_run(plan, summary, location)
