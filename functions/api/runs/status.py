"""GET /status: render a run's progress in the form of the REST API. Pure."""

from collections.abc import Iterable
from typing import Any

from api.http.pagination import MAX_RESPONSE_BYTES, Page, escaped_bytes, paginate
from api.runs.damaged import stored_documents
from api.runs.executions import Execution
from api.runs.overview import Overview
from api.runs.progress import Progress
from prewarm.execution_status import console_url, recommended_action
from prewarm.results.next_steps import remedy_for
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.rollup import Verdict
from prewarm.results.warm_counts import run_lengths

ALL_URLS = Page()


@stored_documents()
def as_contract(progress: Progress, page: Page = ALL_URLS, *, has_console: bool = True) -> dict[str, Any]:
    """Return a run's status in the form of the REST API; `has_console`: whether the run is an execution on AWS.

    Additions to the contract: names, times and errors of the run (see execution_details), `failures` (reasons,
    coverage, statuses, example and next step of each failed URL, outcomes explained in `words`), `successTargets`
    (for `successUrl`, how many targets are warm of how many that are reachable), `failing` (see
    judging.cannot_succeed), `fetched` (by given URL of the page:
    the form in which it is fetched, where that differs), `duplicates`, `skippedPops`, `targets`, `bytes`, `warnings`,
    an ended run's `cost` and `gain`, `phase`, `label`, `partial`, and `pops` with the times to first byte on request.
    If the URLs exceed the page or one response, `nextToken` leads to the next page; the counts always cover the whole
    run.
    """
    overview = progress.overview()
    details = _details(progress, overview, has_console=has_console)
    counts = overview.verdicts
    urls, token = paginate(progress.urls, page, MAX_RESPONSE_BYTES - escaped_bytes(details))
    lists = {verdict: [entry.url for entry in urls if entry.verdict == verdict] for verdict in Verdict}
    document: dict[str, Any] = {
        "status": "IN_PROGRESS" if progress.ending else progress.execution.contract_status,
        "total": len(progress.urls),
        "completed": counts.get(Verdict.SUCCESS, 0) + counts.get(Verdict.FAILED, 0),
        "inProgress": counts.get(Verdict.IN_PROGRESS, 0),
        "failedUrl": lists[Verdict.FAILED],
        "inProgressUrl": lists[Verdict.IN_PROGRESS],
        "successUrl": lists[Verdict.SUCCESS],
    }
    if progress.dry_run is None:
        document["fetched"] = {entry.url: entry.fetched for entry in urls if entry.fetched}
        warm = [entry.counts for entry in urls if entry.verdict == Verdict.SUCCESS]
        known = [each for each in warm if each is not None]
        document["successTargets"] = run_lengths(known) if len(known) == len(warm) else []
        document["failures"] = [entry.failure() for entry in urls if entry.verdict == Verdict.FAILED]
        document["words"] = explanations(overview.outcomes)
        document["failedEverywhere"] = overview.everywhere
        document["failed"] = counts.get(Verdict.FAILED, 0)
        document["failing"] = overview.failing
    return document | details | ({"nextToken": token} if token else {})


def _details(progress: Progress, overview: Overview, *, has_console: bool) -> dict[str, Any]:
    """Return the fields of a status that do not depend on the page."""
    optional = {"dryRun": progress.dry_run, "pops": progress.pops, "gain": progress.gain, "cost": progress.cost}
    present = {name: value for name, value in optional.items() if value is not None}
    present |= progress.times or {}
    run = {"phase": progress.phase, "label": progress.label or None} | ({"partial": True} if progress.partial else {})
    details = execution_details(progress.execution, has_console=has_console)
    if progress.dry_run is None:
        present["nextSteps"] = overview.steps
    if remedy := remedy_for(details.get("remedy"), overview.steps):
        details["remedy"] = remedy
    return progress.totals | present | run | details


def execution_details(execution: Execution, *, has_console: bool) -> dict[str, Any]:
    """Return the run's names and times and, after a failure, the error and the remedy."""
    details: dict[str, Any] = {
        "requestID": execution.arn,
        "run": execution.run,
        "startedAt": execution.started_at or None,
        "endedAt": execution.ended_at or None,
    }
    if has_console:
        details["consoleUrl"] = console_url(execution.arn)
    if execution.status == "ABORTED":
        details["reason"] = "cancelled"
    if execution.error:
        details |= {"error": execution.error, "cause": execution.cause}
    if action := recommended_action(execution.status, execution.error, execution.arn):
        details["remedy"] = action
    return details


def explanations(names: Iterable[str]) -> dict[str, str]:
    """Return a plain-English explanation of each of these outcomes."""
    outcomes = {Outcome(name) for name in names}
    return {outcome.value: IN_WORDS[outcome] for outcome in sorted(outcomes)}
