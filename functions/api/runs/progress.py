"""Find a run's progress: choose the stored document that has it, and read it.

The sources, in this order: the summary of an ended run; plan and ledger; a dry run's result; before the plan exists,
the request. After the retention time none of them exists.
"""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api.http.pagination import UrlStatus
from api.runs.damaged import stored_documents
from api.runs.executions import Execution
from api.runs.latest_progress import Latest
from api.runs.live_results import all_results, live_results
from api.runs.overview import Overview
from api.runs.phase import ENDED, RESOLVING, phase_of
from api.runs.result_urls import ResultUrls
from api.runs.totals import no_totals, totals_of
from prewarm.catalogue import catalogue
from prewarm.errors import RefusedRequest
from prewarm.execution_status import summary_is_current
from prewarm.planning.cost import price_region
from prewarm.planning.plan import Plan
from prewarm.request.model import DUPLICATES
from prewarm.request.validation import check_request
from prewarm.results.failure_texts import example_from_json
from prewarm.results.gain import gain_of_locations
from prewarm.results.judging import set_aside_of
from prewarm.results.rollup import rolled_up, sums
from prewarm.results.run_sums import RunSums
from prewarm.results.url_results import UrlResults, Verdict
from prewarm.results.warm_counts import each_count
from prewarm.storage.planned_runs import PlannedRun
from prewarm.storage.run_store import Storage

# A summary's times to first byte; summaries of earlier versions lack the histogram.
TIMES = ("timeToFirstByteMs", "timesToFirstByte")
# Executions that were ended from outside: their workers continue until they read that the run has ended.
STOPPED = frozenset({"ABORTED", "TIMED_OUT"})
# More than the workers are waited for before the run's summary is written (run_end.WAIT_SECONDS).
ENDING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's progress, independent of its source.

    - `urls`: every URL of the run by index; `whole`: their counts, None if they are to be counted
    - `totals`: `skippedPops`, `targets`, `bytes` and `warnings` in the form of the REST API
    - `pops`: statistics per POP, and `times`: percentiles and histogram of the times to first byte, if requested
    - `gain`: what first viewers were spared, of an ended run or if requested; None if it was not counted
    - `cost`: an ended run's estimated cost
    - `dry_run`: the result of a dry run, which has neither URLs nor totals
    - `expired`: whether the run's documents have been deleted
    - `ending`: whether workers of a run that was stopped still write what they fetched
    - `phase`: what the run is doing (phase.py); `label`: its request's, empty if it has none
    - `partial`: whether finished batches of a running run are left to the next poll (live_results)
    """

    execution: Execution
    urls: Sequence[UrlStatus] = ()
    totals: dict[str, Any] = field(default_factory=dict)
    pops: list[dict[str, Any]] | None = None
    times: dict[str, Any] | None = None
    gain: dict[str, Any] | None = None
    cost: dict[str, Any] | None = None
    dry_run: dict[str, Any] | None = None
    expired: bool = False
    ending: bool = False
    phase: dict[str, Any] = field(default_factory=lambda: ENDED)
    label: str = ""
    partial: bool = False
    whole: Overview | None = None

    def overview(self) -> Overview:
        """Return the counts of all URLs."""
        return Overview.of_entries(self.urls) if self.whole is None else self.whole

    def failed_urls(self) -> list[str]:
        """Return the URLs that failed, in order."""
        return [entry.url for entry in self.urls if entry.verdict == Verdict.FAILED]


_latest: Latest[Progress] = Latest()


@stored_documents()
def find_progress(
    execution: Execution, store: Storage, *, with_pops: bool = False, settled: bool = False
) -> Progress:
    """Return a run's progress from the first source that has it.

    `settled`: whether the caller has settled the ledger of a run that was stopped (run_end.settle_run).
    """
    run = execution.run
    summary = current_summary(execution, store)
    plan = store.get_plan(run) if summary is None else None
    try:
        if summary is not None:
            fetched = store.get_fetched(run, summary.get("respelled", 0))
            return _from_summary(execution, summary, store.get_urls(run), fetched, with_pops=with_pops)
        if plan is not None:
            return _planned(execution, plan, store, with_pops=with_pops, settled=settled)
    except FileNotFoundError:
        if execution.running:
            raise
        # The URLs have expired, summary or plan have not yet.
        return _expired(execution, store.retention_days)
    if (document := store.get_dry_run(run)) is not None:
        return Progress(execution, dry_run=document)
    if execution.contract_status == "COMPLETED" or _is_expired(execution, store.retention_days):
        return _expired(execution, store.retention_days)
    return _from_request(execution, store.get_request(run), with_pops=with_pops)


def _planned(execution: Execution, plan: Plan, store: Storage, *, with_pops: bool, settled: bool) -> Progress:
    """Return the progress of a run with a plan and without a summary, from its ledger."""
    planned = store.get_planned(plan)
    plan = planned.plan
    # Known before the results are read: then they are final unless the run is still ending.
    ending = not settled and _is_ending(execution, store)
    live = live_results(execution, plan, store) if execution.running else all_results(plan, store)
    if (latest := _latest.get(live.checkpoint, with_pops=with_pops)) is not None:
        progress = replace(latest, execution=execution)
    else:
        progress = _from_ledger(execution, planned, live.sums, with_pops=with_pops, ending=ending)
        _latest.put(live.checkpoint, progress, plan.url_count, with_pops=with_pops)
    if not execution.running and not ending:
        return replace(progress, phase=ENDED)
    return replace(progress, phase=phase_of(plan, live.sums, live.control, time.time()), partial=live.partial)


def _is_ending(execution: Execution, store: Storage) -> bool:
    """Return whether workers of a stopped run may still write, so that its URLs are not decided.

    After ENDING_SECONDS the run counts as ended in any case: the event of its end may have been lost.
    """
    if execution.status not in STOPPED or not execution.ended_at:
        return False
    if (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(execution.ended_at)).total_seconds() >= ENDING_SECONDS:
        return False
    # An attempt is listed before it reads the control item, so none begins after the run is marked as ended.
    return not store.ledger.control(execution.run).ended or store.ledger.has_open_attempts(execution.run)


def current_summary(execution: Execution, store: Storage) -> dict[str, Any] | None:
    """Return an ended run's summary, or None if there is none since the last redrive."""
    if execution.running:
        return None
    summary = store.get_summary(execution.run)
    if summary is None or not summary_is_current(summary, execution.redrives, execution.error):
        return None
    return summary


def _from_summary(
    execution: Execution, summary: dict[str, Any], urls: list[str], fetched: dict[int, str], *, with_pops: bool
) -> Progress:
    """Return an ended run's progress without reading the ledger."""
    failed = {entry["index"]: entry for entry in summary["failures"]}
    # Summaries of earlier versions lack the counts.
    counts = each_count(summary.get("successTargets", []))
    entries = [
        _failed(url, failed[index], fetched.get(index, ""), summary.get("variants", 0))
        if index in failed
        else UrlStatus(url, Verdict.SUCCESS, fetched=fetched.get(index, ""), counts=next(counts, None))
        for index, url in enumerate(urls)
    ]
    pops = [_judged(pop) for pop in summary["pops"]] if with_pops else None
    times = {name: summary[name] for name in TIMES if name in summary} if with_pops else None
    label = summary.get("label", "")
    gain, cost = summary.get("gain"), summary["cost"]  # summaries of earlier versions lack the gain
    return Progress(execution, entries, totals_of(summary), pops, times, gain, cost, label=label)


def _failed(url: str, entry: dict[str, Any], fetched: str, variants: int) -> UrlStatus:
    """Return a failed URL of a summary; summaries of earlier versions have neither its kinds nor an example."""
    kinds, example = entry.get("kinds"), example_from_json(entry.get("example"))
    everywhere = entry.get("everywhere", False)
    return UrlStatus(
        url, Verdict.FAILED, entry["reasons"], entry["coverage"], fetched, kinds, example, variants, everywhere
    )


def _judged(pop: dict[str, Any]) -> dict[str, Any]:
    """Return a POP's sums; in summaries of earlier versions it is judged by all of its targets."""
    return {"judged": pop["targets"], "judgedFailed": pop["failed"], "differs": False} | pop


def _from_ledger(
    execution: Execution, planned: PlannedRun, of: RunSums, *, with_pops: bool, ending: bool
) -> Progress:
    """Return the progress of a planned run from the sums of its finished batches."""
    plan, urls = planned.plan, planned.urls
    if len(urls) != plan.url_count:
        raise ValueError(f"the plan has {plan.url_count} URLs, its list {len(urls)}")
    results = UrlResults(of, None if ending else execution.unfinished_outcome)
    rolled = rolled_up(of, results)
    pops = times = gain = None
    if with_pops:
        measured = of.measured.measured(set_aside_of(plan, results))
        pops, times = measured.pops_as_json(), measured.times_as_json()
    if with_pops or not execution.running:
        gain = gain_of_locations(of.gains, plan.verify, lambda pop: price_region(pop, catalogue()))
    totals = totals_of(sums(plan, rolled, urls, execution.lasted_until, ended=not execution.running))
    entries = ResultUrls(results, urls, planned.fetched, plan)
    overview = Overview.of_results(results, urls, plan.percent_needed)
    return Progress(execution, entries, totals, pops, times, gain, ending=ending, label=plan.label, whole=overview)


def _from_request(execution: Execution, request: dict[str, Any] | None, *, with_pops: bool) -> Progress:
    """Return the progress of a run without a plan.

    Its URLs are in progress or, after its end, failed.
    """
    outcome = execution.unfinished_outcome
    verdict = Verdict.IN_PROGRESS if outcome is None else Verdict.FAILED
    reasons = None if outcome is None else {outcome.value: 1}
    urls = _direct_urls(execution) if request is None else request.get("url_list", [])
    entries = [UrlStatus(url, verdict, reasons) for url in urls]
    totals = no_totals() | {"duplicates": 0 if request is None else request.get(DUPLICATES, 0)}
    document = request or execution.direct_request() or {}
    phase, label = RESOLVING if execution.running else ENDED, document.get("label")
    pops: list[dict[str, Any]] | None = [] if with_pops else None
    return Progress(execution, entries, totals, pops, phase=phase, label=label if isinstance(label, str) else "")


def _direct_urls(execution: Execution) -> list[str]:
    """Return a directly started run's URLs from the execution's input."""
    request = execution.direct_request()
    try:
        return [url.given for url in check_request(request, direct=True).urls]
    except RefusedRequest:
        # A rejected direct start: return the URLs that its input contains.
        urls = (request or {}).get("url_list")
        return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _is_expired(execution: Execution, retention_days: int) -> bool:
    """Return whether the documents of an ended run may have been deleted by now."""
    if not execution.ended_at or not execution.started_at:
        return False
    kept_until = dt.datetime.fromisoformat(execution.started_at) + dt.timedelta(days=retention_days)
    return kept_until <= dt.datetime.now(dt.UTC)


def _expired(execution: Execution, retention_days: int) -> Progress:
    warning = f"the run's URLs have expired: they were kept for {retention_days} days (RetentionDays)"
    return Progress(execution, totals=no_totals() | {"warnings": [warning]}, expired=True)
