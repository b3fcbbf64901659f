"""GET /status: from what Step Functions and the ledger say to the contract's answer."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from api.http.pagination import ROOM_BYTES, Line, Page, cut, escaped
from api.runs.executions import Execution
from prewarm.errors import RefusedRequest
from prewarm.execution_status import DEADLINE_PASSED, REJECTED, RUNNING, console_url, remedy_of, speaks_for
from prewarm.request.model import check_request
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.rollup import Verdict, roll_up, sums
from prewarm.results.stats import measure
from prewarm.storage.run_store import Storage

WHOLE = Page()


def contract_status(execution: Execution) -> str:
    """Map an execution's status to the contract's: COMPLETED, IN_PROGRESS, TIMEOUT or FAILED."""
    if execution.status in RUNNING:
        return "IN_PROGRESS"
    if execution.status == "SUCCEEDED":
        return "COMPLETED"
    if execution.status == "TIMED_OUT" or execution.error == DEADLINE_PASSED:
        return "TIMEOUT"
    return "FAILED"


def end_of_the_rest(status: str, execution: Execution) -> Outcome | None:
    """Return what the unfinished targets of a run come to; None while it goes on."""
    if status == "IN_PROGRESS":
        return None
    if status == "TIMEOUT":
        return Outcome.DEADLINE
    if execution.error == REJECTED:
        return Outcome.REJECTED
    return Outcome.CANCELLED if execution.status == "ABORTED" else Outcome.LOST


def status_of(execution: Execution, store: Storage, page: Page = WHOLE, *, with_pops: bool = False) -> dict[str, Any]:
    """Return the contract's status of a run, computed from request, plan and ledger.

    Beyond the contract: what `about` says of the run, `failures` (each failed URL's reasons and coverage, in words
    by `words`), `skippedPops`, `targets`, `bytes`, `warnings`, for an ended run its `cost`, `with_pops` the POPs'
    sums. Where the lists are more than one answer holds, or than the page wants, `nextToken` leads to the rest;
    counts are always whole.
    """
    status = contract_status(execution)
    summary = None if status == "IN_PROGRESS" else current_summary(execution, store)
    more = about(execution)
    if summary is not None:
        try:
            lines = lines_of_summary(summary, store.get_urls(execution.run))
        except FileNotFoundError:
            return _expired(status, execution, store)
        more |= {"cost": summary["cost"]} | ({"pops": summary["pops"]} if with_pops else {})
        return _contract(status, lines, page, sums_of_summary(summary) | more)
    ended = end_of_the_rest(status, execution)
    plan = store.get_plan(execution.run)
    if plan is None and (told := store.get_dry_run(execution.run)) is not None:
        # A dry run warms nothing, so no URL is in progress, warm or failed.
        return _contract(status, [], page, {"dryRun": told} | more)
    if plan is None and (status == "COMPLETED" or is_expired(execution, store.retention_days)):
        return _expired(status, execution, store)
    if plan is None:
        verdict = Verdict.IN_PROGRESS if ended is None else Verdict.FAILED
        reasons = None if ended is None else {ended.value: 1}
        lines = [Line(url, verdict, reasons) for url in _requested_urls(execution, store)]
        return _contract(status, lines, page, _nothing() | more | ({"pops": []} if with_pops else {}))
    urls, results = store.get_urls(execution.run), store.ledger.results(execution.run)
    rolled = roll_up(plan, results, ended)
    lines = [
        Line(urls[url.index], url.verdict, url.failures if url.verdict is Verdict.FAILED else None, url.coverage)
        for url in rolled.urls
    ]
    more |= {"pops": measure(plan, results).pops_as_json()} if with_pops else {}
    return _contract(status, lines, page, sums_of_summary(sums(plan, rolled, urls)) | more)


def current_summary(execution: Execution, store: Storage) -> dict[str, Any] | None:
    """Return the run's summary, unless it is that of an attempt before a redrive."""
    summary = store.get_summary(execution.run)
    if summary is None or not speaks_for(summary, execution.redrives, execution.error):
        return None
    return summary


def is_expired(execution: Execution, days: int) -> bool:
    """Say whether all that was kept of an ended run for so many days may be gone by now."""
    if not execution.ended_at or not execution.started_at:
        return False
    kept_until = dt.datetime.fromisoformat(execution.started_at) + dt.timedelta(days=days)
    return kept_until <= dt.datetime.now(dt.UTC)


def _nothing() -> dict[str, Any]:
    """Return the sums of a run of which nothing is known but what its execution says."""
    return {"skippedPops": [], "targets": {"total": 0, "done": 0, "outcomes": {}, "verified": 0}, "bytes": 0}


def _expired(status: str, execution: Execution, store: Storage) -> dict[str, Any]:
    """Return the status of a run whose URLs are kept no more: what it came to, and no lists."""
    told = f"the run's URLs were kept for {store.retention_days} days, and are no more"
    return _contract(status, [], WHOLE, _nothing() | {"warnings": [told]} | about(execution))


def about(execution: Execution) -> dict[str, Any]:
    """Return what a status says of the run itself: names and times, and if it ended red why, and what helps."""
    told: dict[str, Any] = {
        "requestID": execution.arn,
        "run": execution.run,
        "startedAt": execution.started_at or None,
        "endedAt": execution.ended_at or None,
        "consoleUrl": console_url(execution.arn),
    }
    if execution.status == "ABORTED":
        told["reason"] = "cancelled"
    if execution.error:
        told |= {"error": execution.error, "cause": execution.cause}
    if remedy := remedy_of(execution.status, execution.error, execution.arn):
        told["remedy"] = remedy
    return told


def lines_of_summary(summary: dict[str, Any], urls: list[str]) -> list[Line]:
    """Return the URLs of a run that has ended, from its summary: the ledger need not be read any more."""
    failed = {entry["index"]: entry for entry in summary["failures"]}
    return [
        Line(url, Verdict.FAILED, failed[index]["reasons"], failed[index]["coverage"])
        if index in failed
        else Line(url, Verdict.SUCCESS)
        for index, url in enumerate(urls)
    ]


def sums_of_summary(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a run's sums, which are in the words of its summary, as a status shows them."""
    names = {"total": "targets", "done": "targetsDone", "outcomes": "outcomes", "verified": "verified"}
    return {
        "skippedPops": summary["skippedPops"],
        "targets": {name: summary[of] for name, of in names.items()} | {"layers": summary["layers"]},
        "bytes": summary["bytes"],
        "warnings": summary["warnings"],
    }


def words_of(reasons: Iterable[dict[str, int]]) -> dict[str, str]:
    """Return the outcomes that are reasons of failures, each in plain words."""
    names = {Outcome(name) for each in reasons for name in each}
    return {name.value: IN_WORDS[name] for name in sorted(names)}


def _contract(status: str, lines: Sequence[Line], page: Page, more: dict[str, Any]) -> dict[str, Any]:
    counts = Counter(line.verdict for line in lines)
    shown, token = cut(lines, page, ROOM_BYTES - escaped(more))
    lists = {verdict: [line.url for line in shown if line.verdict == verdict] for verdict in Verdict}
    answer = {
        "status": status,
        "total": len(lines),
        "completed": counts[Verdict.SUCCESS] + counts[Verdict.FAILED],
        "inProgress": counts[Verdict.IN_PROGRESS],
        "failedUrl": lists[Verdict.FAILED],
        "inProgressUrl": lists[Verdict.IN_PROGRESS],
        "successUrl": lists[Verdict.SUCCESS],
    }
    if "dryRun" not in more:
        answer["failures"] = [line.failure() for line in shown if line.verdict == Verdict.FAILED]
        answer["words"] = words_of(line.reasons or {} for line in lines)
    return answer | more | ({"nextToken": token} if token else {})


def _requested_urls(execution: Execution, store: Storage) -> list[str]:
    """Return a run's URLs before its plan exists: from the stored request, or from a direct start's input."""
    stored = store.get_request(execution.run)
    if stored is not None:
        # Absent where all URLs come from lists in S3, sitemaps or manifests: nobody knows them before the plan.
        urls: list[str] = stored.get("url_list", [])
        return urls
    try:
        return [url.given for url in check_request(execution.direct_request(), direct=True).urls]
    except RefusedRequest:
        # A rejected direct start: show what can be read of it.
        given = (execution.direct_request() or {}).get("url_list")
        return [url for url in given if isinstance(url, str)] if isinstance(given, list) else []
