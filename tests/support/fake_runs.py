"""Statuses of runs that would take too long in a test, for the dashboard."""

from typing import Any

from tests.support.service import HOST

PAGE = f"https://{HOST}/page/0.html"


def endless_run(**more: Any) -> dict[str, Any]:
    """Return the status of a run that never ends, updated with `more`."""
    status = {
        "status": "IN_PROGRESS",
        "requestID": "r",
        "run": "endless",
        "total": 1,
        "completed": 0,
        "inProgress": 1,
    }
    lists = {"failedUrl": [], "inProgressUrl": [PAGE], "successUrl": [], "failures": []}
    return status | lists | {"targets": {"total": 4, "done": 1, "outcomes": {"warmed": 1}, "verified": 0}} | more


def ended_run(run: str = "ended", **more: Any) -> dict[str, Any]:
    """Return the status of a run that ended with one warm URL, updated with `more`."""
    targets = {"total": 4, "done": 4, "outcomes": {"warmed": 4}, "verified": 4}
    lists = {
        "failedUrl": [],
        "inProgressUrl": [],
        "successUrl": [PAGE],
        "failures": [],
        "successTargets": [[4, 4, 1]],
    }
    counts = {"total": 1, "completed": 1, "inProgress": 0}
    return {"status": "COMPLETED", "requestID": "r", "run": run, "targets": targets} | counts | lists | more
