"""Adding up a run that ends, or that ended from outside: close its ledger, write its summary and report, decide."""

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from aggregate.closing import unended_batches
from aggregate.measured import measured_sums
from aggregate.report import as_csv, as_json, report_of
from aggregate.report_page import page
from aggregate.summary import summarise, verdict_of_run
from prewarm.catalogue import catalogue
from prewarm.measures import measure
from prewarm.observability import logger, put_metrics
from prewarm.outcome import Outcome
from prewarm.plan import Plan
from prewarm.storage import Storage, run_key
from prewarm.tracing import subsegment
from prewarm.verdict import roll_up

# What the unfinished targets of a run come to that was ended from outside, by Step Functions' word.
ENDED_FROM_OUTSIDE = {"TIMED_OUT": Outcome.DEADLINE, "ABORTED": Outcome.CANCELLED}


def add_up(plan: Plan, store: Storage, redrives: int = 0, status: str | None = None) -> dict[str, Any]:
    """Write a run's summary and report; returns the state's output.

    The run ends in the ledger first, and batches without an end are closed, so that no late worker changes what the
    summary says. `status`: Step Functions' word for a run that ended from outside; None where this decides.
    """
    begun = time.time()
    run, ledger = plan.run, store.ledger
    logger.append_keys(run=run)
    control = ledger.control(run)
    ledger.end_run(run)
    results = ledger.results(run)
    if unended := unended_batches(plan, results):
        ledger.close_batches(run, unended, max(redrives, control.redrives))
        results = ledger.results(run)
    late = begun >= control.deadline_of(plan.deadline)
    rest = ENDED_FROM_OUTSIDE[status] if status else Outcome.DEADLINE if late else Outcome.LOST
    with subsegment("roll up", run=run):
        rolled, urls, known = roll_up(plan, results, rest), store.get_urls(run), catalogue()
        summary = summarise(plan, rolled, urls, time.time(), rest)
        summary |= measured_sums(plan, measure(plan, results), time.time() - begun, known)
    verdict = verdict_of_run(plan, summary, store.location(run_key(run, "summary.json")))
    ended = status or ("SUCCEEDED" if verdict["passed"] else "FAILED")
    summary |= {"executionStatus": ended}
    if ended == "FAILED":
        summary |= {"error": verdict["error"], "cause": verdict["cause"]}
    with subsegment("write report", run=run):
        report = report_of(summary, rolled, urls)
        store.put_report(run, "report.json", as_json(report), "application/json")
        store.put_report(run, "report.csv", as_csv(report), "text/csv; charset=utf-8")
        store.put_report(run, "report.html", page(report, known), "text/html; charset=utf-8")
        store.put_summary(run, summary)
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    put_run_metrics(summary)
    return verdict


def put_run_metrics(summary: dict[str, Any]) -> None:
    """Tell CloudWatch of an ended run: runs warm and not, URLs, seconds, dollars."""
    warm = summary["warm"] and summary["executionStatus"] == "SUCCEEDED"
    counts = {
        "RunsWarm": int(warm),
        "RunsNotWarm": int(not warm),
        "UrlsWarm": summary["success"],
        "UrlsFailed": summary["failed"],
        "PopsSkipped": len(summary["skippedPops"]),
    }
    put_metrics(
        counts,
        RunTime=(MetricUnit.Seconds, round(summary["endedAt"] - summary["startedAt"], 3)),
        EstimatedDollars=(MetricUnit.NoUnit, summary["cost"]["dollars"]),
    )
