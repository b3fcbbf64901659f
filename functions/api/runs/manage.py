"""The runs of this service: listed, cancelled, and retried with what failed."""

from typing import Any

from api.http.pagination import limit_problems
from api.runs.dry_run import Resolver
from api.runs.executions import Execution, Executions
from api.runs.start import start_checked, start_once
from api.runs.status import contract_status, current_summary, end_of_the_rest, status_of
from prewarm.errors import Conflict, InvalidRequest, Missing, Problem, truncate
from prewarm.execution_status import RUNNING
from prewarm.planning.plan import Plan
from prewarm.request.model import SOURCES, check_request
from prewarm.results.rollup import Verdict, roll_up
from prewarm.storage.run_store import Storage

STATUSES = ("COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT")
RUNS_SHOWN, RUNS_AT_MOST = 20, 100
# How many pages of Step Functions' list one answer may look through for runs of the status that is asked for.
PAGES_LOOKED_THROUGH = 10


def list_runs(
    executions: Executions, status: str | None = None, limit: str | None = None, token: str | None = None
) -> dict[str, Any]:
    """Return runs, newest first: {"runs": […], "nextToken"?}; of one status where it is given.

    An answer may hold fewer runs than `limit`, even none, and still have a `nextToken`.

    Raises:
        InvalidRequest: names the field.

    """
    problems = []
    if status is not None and status not in STATUSES:
        problems.append(Problem("status", f"{truncate(status)!r} is none of {', '.join(STATUSES)}"))
    problems += limit_problems(limit, RUNS_AT_MOST)
    if problems:
        raise InvalidRequest(problems)
    wanted = RUNS_SHOWN if limit is None else int(limit)
    found: list[dict[str, Any]] = []
    for _ in range(PAGES_LOOKED_THROUGH):
        # Only an error tells FAILED from TIMEOUT.
        told = status in {None, "FAILED", "TIMEOUT"}
        page, token = executions.page(wanted - len(found), token, with_errors=told)
        found += [_as_json(each) for each in page if status is None or contract_status(each) == status]
        if token is None or len(found) >= wanted:
            break
    return {"runs": found} | ({"nextToken": token} if token else {})


def _as_json(execution: Execution) -> dict[str, Any]:
    return {
        "requestID": execution.arn,
        "run": execution.run,
        "status": contract_status(execution),
        "startedAt": execution.started_at,
        "endedAt": execution.ended_at or None,
    }


def cancel(execution: Execution, executions: Executions, store: Storage) -> dict[str, Any]:
    """Stop a run; returns its status, which says what was warmed until then.

    Raises:
        Conflict: it has ended already.

    """
    if execution.status not in RUNNING:
        why = f"the run has ended already ({contract_status(execution)}), so there is nothing to cancel"
        raise Conflict("RunAlreadyEnded", [Problem("requestID", why)])
    executions.stop(execution.arn, "Prewarm.Cancelled", "cancelled by DELETE /prewarm")
    if store.get_plan(execution.run) is not None:
        # Workers outlive a stopped execution: they look at the ledger.
        store.ledger.end_run(execution.run)
    return status_of(executions.describe(execution.arn), store)


def retry(
    execution: Execution, store: Storage, executions: Executions, resolver: Resolver, key: str | None = None
) -> dict[str, Any]:
    """Start a new run of the URLs that failed; returns {"requestID": …, "retryOf": …, "urls": n}.

    `key`: the caller's Idempotency-Key.

    Its request is that of the old run, with the failed URLs for its sources. A run that never came to a plan is
    asked for as a whole.

    Raises:
        Conflict: the run goes on, or nothing failed.
        Missing: the run is older than what is kept.
        InvalidRequest: the old request is refused now as it was then.

    """
    if execution.status in RUNNING:
        why = "the run goes on; wait for its end, or cancel it"
        raise Conflict("RunInProgress", [Problem("requestID", why)])
    document = store.get_request(execution.run) or execution.direct_request()
    if document is None:
        raise Missing("RunExpired", [Problem("requestID", "nothing is kept of the run's request any more")])
    if document.get("dry_run"):
        raise Conflict("NothingToRetry", [Problem("requestID", "the run was a dry run: it warmed nothing")])
    plan = store.get_plan(execution.run)
    if plan is not None:
        try:
            urls = store.get_urls(execution.run)
        except FileNotFoundError as error:
            raise Missing("RunExpired", [Problem("requestID", "the run's URLs are kept no more")]) from error
        failed = [urls[index] for index in _failed(execution, plan, store)]
        if not failed:
            raise Conflict("NothingToRetry", [Problem("requestID", "every URL of the run is warm")])
        document = {name: value for name, value in document.items() if name not in SOURCES} | {"url_list": failed}
    request = check_request(document)
    if key is not None:
        started = start_once(key, request, store, executions)
    else:
        started = start_checked(request, store, executions, resolver)
    return started | {"retryOf": execution.arn, "urls": len(request.urls)}


def _failed(execution: Execution, plan: Plan, store: Storage) -> list[int]:
    """Return the indices of an ended run's failed URLs."""
    summary = current_summary(execution, store)
    if summary is not None:
        return [entry["index"] for entry in summary["failures"]]
    rolled = roll_up(
        plan, store.ledger.results(execution.run), end_of_the_rest(contract_status(execution), execution)
    )
    return rolled.indices(Verdict.FAILED)
