"""Statuses that no run here has the time to come to."""

from typing import Any

from tests.support.service import HOST

PAGE = f"https://{HOST}/page/0.html"


def going(**more: Any) -> dict[str, Any]:
    """Return a status of a run that never ends."""
    status = {"status": "IN_PROGRESS", "requestID": "r", "run": "going", "total": 1, "completed": 0, "inProgress": 1}
    lists = {"failedUrl": [], "inProgressUrl": [PAGE], "successUrl": [], "failures": []}
    return status | lists | {"targets": {"total": 4, "done": 1, "outcomes": {"warmed": 1}, "verified": 0}} | more
