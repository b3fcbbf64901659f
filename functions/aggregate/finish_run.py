"""Finish a run: close its ledger, roll up its results, write summary and report, decide."""

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from aggregate.report import as_csv, as_json, build_report
from aggregate.report_html import page
from aggregate.run_stats import gain_fields, measured_sums
from aggregate.summary import run_verdict, summarise
from prewarm.catalogue import catalogue
from prewarm.observability import logger, put_metrics
from prewarm.planning.plan import Plan
from prewarm.results.chain import counted_parts
from prewarm.results.judging import set_aside
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
from prewarm.results.stats import measure
from prewarm.results.url_index import build_index
from prewarm.storage.keys import run_key
from prewarm.storage.run_end import settle_run
from prewarm.storage.run_items import result_facts
from prewarm.storage.run_store import Storage
from prewarm.tracing import subsegment

# The outcome of unfinished targets by Step Functions' status, for runs that did not end by themselves.
OUTCOMES_BY_STATUS = {"TIMED_OUT": Outcome.DEADLINE, "ABORTED": Outcome.CANCELLED}


def finish_run(plan: Plan, store: Storage, redrives: int = 0, status: str | None = None) -> dict[str, Any] | None:
    """Write a run's summary and report; return the state's output.

    First the run is marked as ended in the ledger, its workers write what they fetched, and its unfinished batches
    are closed, so that a late worker cannot change the result. `status` is Step Functions' status of a run that timed
    out or was aborted, None for a run in the AggregateResults state. Return None if the run has been redriven since,
    because its end is then obsolete.
    """
    started = time.time()
    run, ledger = plan.run, store.ledger
    plan = store.with_batches(plan)
    logger.append_keys(run=run)
    control = ledger.control_after(run, redrives, plan.deadline - plan.started_at)
    if not ledger.end_run(run, redrives, status or ""):
        logger.info("redriven since")
        return None
    results = settle_run(plan, ledger, redrives)
    if ledger.control(run).redrives > redrives:
        logger.info("redriven while its workers stopped")
        return None
    late = started >= control.deadline_of(plan.deadline)
    outcome = OUTCOMES_BY_STATUS[status] if status else Outcome.DEADLINE if late else Outcome.LOST
    with subsegment("roll up", run=run):
        rolled_up, urls = roll_up(plan, results, outcome), store.get_urls(run)
        fetched = store.get_fetched(run, plan.respelled)
        summary = summarise(plan, rolled_up, urls, time.time(), outcome, fetched)
        parts = counted_parts(results, len(plan.variants))
        measured = measure(plan, parts, set_aside(plan, rolled_up.urls))
        summary |= measured_sums(plan, measured, time.time() - started, catalogue())
        summary |= gain_fields(plan, parts, catalogue())
    verdict = run_verdict(plan, summary, store.location(run_key(run, "summary.json")))
    summary |= {"redrives": redrives, "executionStatus": status or ("SUCCEEDED" if verdict["passed"] else "FAILED")}
    if summary["executionStatus"] == "FAILED":
        summary |= {"error": verdict["error"], "cause": verdict["cause"]}
    if not status and ledger.control(run).ended_as:
        # The run was stopped during the roll-up, so run_ended_handler writes its summary.
        logger.info("stopped during the roll-up")
        return verdict
    # The service on the user's own machine ends, and with it the address that it had.
    summary |= {"page": "" if plan.own_machine else store.runs.page_of(run)}
    write_results(store, summary, build_report(summary, rolled_up, urls, fetched))
    store.put_url_index(run, build_index(rolled_up.urls, urls, fetched))
    store.runs.end(run, result_facts(summary, len(rolled_up.urls)), redrives)
    logger.info("aggregated", extra={"warm": summary["warm"], "failed": summary["failed"]})
    if ledger.claim_run_metrics(run, redrives):
        put_run_metrics(summary)
    return verdict


def write_results(store: Storage, summary: dict[str, Any], report: dict[str, Any]) -> None:
    """Write the report in its three formats, then the summary."""
    run = summary["run"]
    with subsegment("write report", run=run):
        store.put_report(run, "report.json", as_json(report), "application/json")
        store.put_report(run, "report.csv", as_csv(report), "text/csv; charset=utf-8")
        store.put_report(run, "report.html", page(report, catalogue()), "text/html; charset=utf-8")
        store.put_summary(run, summary)


def put_run_metrics(summary: dict[str, Any]) -> None:
    """Emit the metrics of an ended run: warm and failed runs and URLs, duration, cost."""
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
