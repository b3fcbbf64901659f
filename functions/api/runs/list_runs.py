"""List runs, newest first."""

from typing import Any

from api.http.pagination import MAX_LIST_TOKEN, invalid_token, limit_problems
from api.runs.executions import Execution, Executions
from prewarm.errors import InvalidRequest, Problem, truncate

STATUSES = ("COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT")
DEFAULT_RUNS, MAX_RUNS = 20, 100
# Most pages of ListExecutions that one response reads to find runs with the requested status.
MAX_PAGES_READ = 10
# Most executions that one response looks up for their error: a few seconds at Step Functions' usual rate of 15
# DescribeExecution calls a second (Step Functions Developer Guide, "Quotas"), after a burst of 300.
MAX_LOOKUPS = 100


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
    if token is not None and not 0 < len(token) <= MAX_LIST_TOKEN:
        problems.append(invalid_token())
    if problems:
        raise InvalidRequest(problems)
    most = DEFAULT_RUNS if limit is None else int(limit)
    # Only the error distinguishes FAILED from TIMEOUT.
    with_errors = status in {None, "FAILED", "TIMEOUT"}
    runs: list[dict[str, Any]] = []
    lookups = MAX_LOOKUPS
    for _ in range(MAX_PAGES_READ):
        # Failed runs are looked up one by one, so a page has at most as many runs as lookups are left.
        wanted = min(most - len(runs), lookups) if with_errors else most - len(runs)
        page, token = executions.page(wanted, token, with_errors=with_errors)
        lookups -= sum(each.status == "FAILED" for each in page)
        runs += [_as_json(each) for each in page if status is None or each.contract_status == status]
        if token is None or len(runs) >= most or lookups <= 0:
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
