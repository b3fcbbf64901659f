"""AggregateResults: close the ledger, add it up, write the summary, decide."""

import time
from typing import Any

from aggregate.closing import unended_batches
from aggregate.summary import summarise, verdict_of_run
from prewarm.observability import logger
from prewarm.outcome import Outcome
from prewarm.plan import Plan
from prewarm.storage import run_key, storage
from prewarm.verdict import roll_up

# What unfinished targets of a run come to that something other than its own states ended, by Step Functions' word.
ENDED_FROM_OUTSIDE = {"TIMED_OUT": Outcome.DEADLINE, "ABORTED": Outcome.CANCELLED}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return whether the run passes, with Error and Cause for one that does not.

    The event is the state's input, or EventBridge's "Step Functions Execution Status Change" of a run that timed out
    or was aborted: its summary is written all the same, so that nothing is lost when ledger and history expire.
    """
    if "detail" not in event:
        return add_up(storage().need_plan(event["run"]), None)
    run, status = event["detail"]["name"], event["detail"]["status"]
    plan = storage().get_plan(run)
    if plan is None:
        logger.info("ended before its plan", extra={"run": run, "status": status})
        return {}
    return add_up(plan, ENDED_FROM_OUTSIDE[status])


def add_up(plan: Plan, rest: Outcome | None) -> dict[str, Any]:
    """Write a run's summary; `rest`: what its unfinished targets come to, None: `lost`, or no time left.

    The run ends in the ledger first, and batches without an end are closed, so that no late worker changes what the
    summary says.
    """
    run, store = plan.run, storage()
    logger.append_keys(run=run)
    store.end_run(run)
    results = list(store.results(run))
    if unended := unended_batches(plan, results):
        store.close_batches(run, unended)
        results = list(store.results(run))
    rest = rest or (Outcome.DEADLINE if time.time() >= plan.deadline else Outcome.LOST)
    summary = summarise(plan, roll_up(plan, results, rest), store.get_urls(run), time.time(), rest)
    location = store.location(run_key(run, "summary.json"))
    store.put_summary(run, summary)
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    return verdict_of_run(plan, summary, location)
