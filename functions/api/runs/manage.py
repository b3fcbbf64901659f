"""List runs, cancel a run, and retry its failed URLs."""

from typing import Any

from api.http.pagination import limit_problems
from api.runs.dry_run import Resolver
from api.runs.executions import Execution, Executions
from api.runs.progress import find_progress
from api.runs.start import start_once, start_run
from api.runs.status import as_contract
from prewarm.errors import Conflict, InvalidRequest, Missing, Problem, truncate
from prewarm.request.model import SOURCES, check_request
from prewarm.storage.run_end import settle_run
from prewarm.storage.run_store import Storage

STATUSES = ("COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT")
DEFAULT_RUNS, MAX_RUNS = 20, 100
# Most pages of ListExecutions that one response reads to find runs with the requested status.
MAX_PAGES_READ = 10


def list_runs(
    executions: Executions, status: str | None = None, limit: str | None = None, token: str | None = None
) -> dict[str, Any]:
    """Return {"runs": […], "nextToken"?}, newest first.

    `status`: only runs with this status.

    A response may have fewer runs than `limit`, even none, and still have a `nextToken`.

    Raises:
        InvalidRequest: a parameter is invalid.

    """
    problems = []
    if status is not None and status not in STATUSES:
        problems.append(Problem("status", f"must be one of {', '.join(STATUSES)}, got {truncate(status)!r}"))
    problems += limit_problems(limit, MAX_RUNS)
    if problems:
        raise InvalidRequest(problems)
    most = DEFAULT_RUNS if limit is None else int(limit)
    # Only the error distinguishes FAILED from TIMEOUT.
    with_errors = status in {None, "FAILED", "TIMEOUT"}
    runs: list[dict[str, Any]] = []
    for _ in range(MAX_PAGES_READ):
        page, token = executions.page(most - len(runs), token, with_errors=with_errors)
        runs += [_as_json(each) for each in page if status is None or each.contract_status == status]
        if token is None or len(runs) >= most:
            break
    return {"runs": runs} | ({"nextToken": token} if token else {})


def _as_json(execution: Execution) -> dict[str, Any]:
    return {
        "requestID": execution.arn,
        "run": execution.run,
        "status": execution.contract_status,
        "startedAt": execution.started_at,
        "endedAt": execution.ended_at or None,
    }


def cancel(execution: Execution, executions: Executions, store: Storage) -> dict[str, Any]:
    """Stop a run; return its status, which contains the URLs that are warm by now.

    Workers outlive a stopped execution, so the ledger stops them: it takes seconds until they have written what they
    fetched. The status is that of the later summary.

    Raises:
        Conflict: the run has already ended.

    """
    if not execution.running:
        reason = f"the run has already ended ({execution.contract_status}) and cannot be cancelled"
        raise Conflict("RunAlreadyEnded", [Problem("requestID", reason)])
    executions.stop(execution.arn, "Prewarm.Cancelled", "cancelled by DELETE /prewarm")
    if (plan := store.get_plan(execution.run)) is not None:
        # A worker of a redrive that starts only now must not reopen the run.
        store.ledger.control_after(plan.run, execution.redrives, plan.deadline - plan.started_at)
        store.ledger.end_run(plan.run)
        settle_run(plan, store.ledger, execution.redrives)
    return as_contract(find_progress(executions.describe(execution.arn), store))


def retry(
    execution: Execution, store: Storage, executions: Executions, resolver: Resolver, key: str | None = None
) -> dict[str, Any]:
    """Start a run of the failed URLs; return {"requestID", "retryOf", "urls"}.

    The new request is the old one with the failed URLs as its only source. A run that failed before its plan existed
    is repeated as a whole. Path patterns of `invalidate` are repeated only if all URLs failed. `key` is the caller's
    Idempotency-Key.

    Raises:
        Conflict: the run is still in progress, or no URL failed.
        Missing: the run's documents have expired.
        InvalidRequest: the old request is invalid.

    """
    if execution.running:
        reason = "the run is still in progress; wait for it to finish or cancel it"
        raise Conflict("RunInProgress", [Problem("requestID", reason)])
    document = store.get_request(execution.run) or execution.direct_request()
    if document is None:
        raise Missing("RunExpired", [Problem("requestID", "the run's request has expired (RetentionDays)")])
    if document.get("dry_run"):
        raise Conflict("NothingToRetry", [Problem("requestID", "the run was a dry run, which warms nothing")])
    if (plan := store.get_plan(execution.run)) is not None:
        failed = _failed_urls(execution, store)
        document = _without_sources(document) | {"url_list": failed}
        if not isinstance(document.get("invalidate", False), bool) and len(failed) < plan.url_count:
            # Path patterns would remove what the run has warmed; the failed URLs' own paths are enough.
            document["invalidate"] = True
    request = check_request(document)
    if key is not None:
        started = start_once(key, request, store, executions)
    else:
        started = start_run(request, store, executions, resolver)
    return started | {"retryOf": execution.arn, "urls": len(request.urls)}


def _without_sources(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in SOURCES}


def _failed_urls(execution: Execution, store: Storage) -> list[str]:
    """Return the failed URLs of an ended run with a plan.

    Raises:
        Missing: the run's URLs have expired.
        Conflict: no URL failed.

    """
    progress = find_progress(execution, store)
    if progress.expired:
        raise Missing("RunExpired", [Problem("requestID", "the run's URLs have expired (RetentionDays)")])
    failed = progress.failed_urls()
    if not failed:
        raise Conflict("NothingToRetry", [Problem("requestID", "every URL of the run is warm")])
    return failed
