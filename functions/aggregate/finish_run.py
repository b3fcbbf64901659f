"""Adding up a run that ends, or that ended from outside: close its ledger, write its summary and report, decide."""

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from aggregate.report import as_csv, as_json, report_of
from aggregate.report_html import page
from aggregate.run_stats import measured_sums
from aggregate.summary import summarise, verdict_of_run
from aggregate.unfinished_batches import unended_batches
from prewarm.catalogue import catalogue
from prewarm.observability import logger, put_metrics
from prewarm.planning.plan import Plan
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
from prewarm.results.stats import measure
from prewarm.storage.run_store import Storage, run_key
from prewarm.tracing import subsegment

# What the unfinished targets of a run come to that was ended from outside, by Step Functions' word.
ENDED_FROM_OUTSIDE = {"TIMED_OUT": Outcome.DEADLINE, "ABORTED": Outcome.CANCELLED}


def add_up(plan: Plan, store: Storage, redrives: int = 0, status: str | None = None) -> dict[str, Any] | None:
    """Write a run's summary and report; returns the state's output.

    The run ends in the ledger first, and batches without an end are closed, so that no late worker changes what the
    summary says. `status`: Step Functions' word for a run that ended from outside, None where this decides; then None
    is returned where it has been redriven since, and what its end was is no more.
    """
    begun = time.time()
    run, ledger = plan.run, store.ledger
    logger.append_keys(run=run)
    control = ledger.control_after(run, redrives, plan.deadline - plan.started_at)
    if not ledger.end_run(run, redrives, status or ""):
        logger.info("redriven since")
        return None
    results = ledger.results(run)
    if unended := unended_batches(plan, results):
        ledger.close_batches(run, unended, redrives)
        results = ledger.results(run)
    late = begun >= control.deadline_of(plan.deadline)
    rest = ENDED_FROM_OUTSIDE[status] if status else Outcome.DEADLINE if late else Outcome.LOST
    with subsegment("roll up", run=run):
        rolled, urls, known = roll_up(plan, results, rest), store.get_urls(run), catalogue()
        summary = summarise(plan, rolled, urls, time.time(), rest)
        summary |= measured_sums(plan, measure(plan, results), time.time() - begun, known)
    verdict = verdict_of_run(plan, summary, store.location(run_key(run, "summary.json")))
    summary |= {"redrives": redrives, "executionStatus": status or ("SUCCEEDED" if verdict["passed"] else "FAILED")}
    if summary["executionStatus"] == "FAILED":
        summary |= {"error": verdict["error"], "cause": verdict["cause"]}
    if not status and ledger.control(run).ended_as:
        # Stopped while it was added up: that it was stopped is what is told of it.
        logger.info("ended from outside meanwhile")
        return verdict
    write(store, summary, report_of(summary, rolled, urls))
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    if ledger.first_to_sum(run, redrives):
        put_run_metrics(summary)
    return verdict


def write(store: Storage, summary: dict[str, Any], report: dict[str, Any]) -> None:
    """Write the report in its three forms, and then the summary."""
    run = summary["run"]
    with subsegment("write report", run=run):
        store.put_report(run, "report.json", as_json(report), "application/json")
        store.put_report(run, "report.csv", as_csv(report), "text/csv; charset=utf-8")
        store.put_report(run, "report.html", page(report, catalogue()), "text/html; charset=utf-8")
        store.put_summary(run, summary)


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
