"""AggregateResults: close the ledger, add it up, write the summary, decide."""

import time
from typing import Any

from aggregate.summary import summarise, verdict_of_run
from prewarm.observability import logger
from prewarm.outcome import Outcome
from prewarm.storage import run_key, storage
from prewarm.verdict import roll_up


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return whether the run passes, with Error and Cause for one that does not.

    The run ends in the ledger first, so that no late worker changes what the summary says. A batch that never
    reported back is `lost`.
    """
    run = event["run"]
    logger.append_keys(run=run)
    store = storage()
    plan = store.need_plan(run)
    store.end_run(run)
    rolled = roll_up(plan, store.results(run), ended=Outcome.LOST)
    summary = summarise(plan, rolled, store.get_urls(run), time.time())
    location = store.location(run_key(run, "summary.json"))
    store.put_summary(run, summary)
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    return verdict_of_run(plan, summary, location)
