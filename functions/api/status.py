"""GET /status: from what Step Functions and the ledger say to the contract's answer."""

from typing import Any

from api.executions import Execution
from prewarm.errors import RefusedRequest
from prewarm.outcome import Outcome
from prewarm.plan import Plan
from prewarm.request import check_request
from prewarm.storage import Storage
from prewarm.verdict import RollUp, Verdict, roll_up

DEADLINE_PASSED = "Prewarm.DeadlinePassed"
RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})


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
    return Outcome.CANCELLED if execution.status == "ABORTED" else Outcome.LOST


def status_of(execution: Execution, store: Storage) -> dict[str, Any]:
    """Return the contract's status of a run, computed from request, plan and ledger.

    Beyond the contract: `requestID`, `run`, `failures` (each failed URL's reasons and coverage), `skippedPops`,
    `targets`; for a run that ended red `error` and `cause`; for a cancelled one `reason`.
    """
    status = contract_status(execution)
    ended = end_of_the_rest(status, execution)
    plan = store.get_plan(execution.run)
    if plan is None and (told := store.get_dry_run(execution.run)) is not None:
        # A dry run warms nothing, so no URL is in progress, warm or failed.
        answer = _contract(status, [], [], []) | {"dryRun": told}
    elif plan is None:
        answer = _before_the_plan(status, ended, _requested_urls(execution, store))
    else:
        urls = store.get_urls(execution.run)
        answer = _planned(status, plan, urls, roll_up(plan, store.results(execution.run), ended))
    answer |= {"requestID": execution.arn, "run": execution.run}
    if execution.status == "ABORTED":
        answer["reason"] = "cancelled"
    if execution.error:
        answer |= {"error": execution.error, "cause": execution.cause}
    return answer


def _contract(status: str, success: list[str], failed: list[str], in_progress: list[str]) -> dict[str, Any]:
    return {
        "status": status,
        "total": len(success) + len(failed) + len(in_progress),
        "completed": len(success) + len(failed),
        "inProgress": len(in_progress),
        "failedUrl": failed,
        "inProgressUrl": in_progress,
        "successUrl": success,
    }


def _before_the_plan(status: str, ended: Outcome | None, urls: list[str]) -> dict[str, Any]:
    """Without a plan nothing was fetched: all URLs are in progress, or failed with the run."""
    answer = _contract(status, [], [] if ended is None else urls, urls if ended is None else [])
    reasons = {} if ended is None else {ended.value: 1}
    answer["failures"] = [{"url": url, "reasons": reasons, "coverage": 0.0} for url in answer["failedUrl"]]
    return answer | {"skippedPops": [], "targets": {"total": 0, "done": 0, "outcomes": {}, "verified": 0}}


def _planned(status: str, plan: Plan, urls: list[str], rolled: RollUp) -> dict[str, Any]:
    lists = {verdict: [urls[index] for index in rolled.indices(verdict)] for verdict in Verdict}
    failed = [url for url in rolled.urls if url.verdict is Verdict.FAILED]
    return _contract(status, lists[Verdict.SUCCESS], lists[Verdict.FAILED], lists[Verdict.IN_PROGRESS]) | {
        "failures": [
            {"url": urls[url.index], "reasons": url.failures, "coverage": round(url.coverage, 2)} for url in failed
        ],
        "skippedPops": [
            {"pop": entry.pop, "reason": entry.reason, "detail": entry.detail} for entry in rolled.skipped
        ],
        "targets": {
            "total": plan.targets,
            "done": rolled.targets_done,
            "outcomes": dict(sorted(rolled.outcomes.items())),
            "verified": rolled.verified,
        },
        "warnings": list(plan.warnings),
    }


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
