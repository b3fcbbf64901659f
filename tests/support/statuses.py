"""Statuses as GET /status returns them, for tests of the command."""

from typing import Any

GOOD, BAD = "https://www.example.com/good.html", "https://www.example.com/bad.html?token=secret"

LAMBDA_CAUSE = '{"errorMessage": "no such key", "errorType": "StorageError", "stackTrace": ["File x"]}'
# Error, cause, and how the command prints both.
CAUSES = [
    ("Prewarm.InvalidRequest", "url_list: is missing", "Prewarm.InvalidRequest: url_list: is missing"),
    ("StorageError", LAMBDA_CAUSE, "StorageError: no such key"),
    ("States.TaskFailed", LAMBDA_CAUSE, "States.TaskFailed: StorageError: no such key"),
    ("States.TaskFailed", '{"errorMessage": "it broke"}', "States.TaskFailed: it broke"),
    ("States.Runtime", "[1]", "States.Runtime: [1]"),
    ("States.Timeout", "", "States.Timeout"),
]


def status(**more: Any) -> dict[str, Any]:
    """Return the status of a FAILED run with one warm and one failed URL, updated with `more`."""
    return {
        "status": "FAILED",
        "total": 2,
        "completed": 2,
        "inProgress": 0,
        "failedUrl": [BAD],
        "inProgressUrl": [],
        "successUrl": [GOOD],
        "requestID": "arn:aws:states:eu-west-1:123456789012:execution:prewarm:the-run",
        "run": "the-run",
        "failures": [{"url": BAD, "reasons": {"server_error": 3, "timeout": 1}, "coverage": 50.0}],
        "targets": {"done": 8, "total": 1_008, "outcomes": {}},
    } | more


def running_status(**more: Any) -> dict[str, Any]:
    """Return the status of a run in progress, without any URL decided, updated with `more`."""
    lists = {"failedUrl": [], "successUrl": [], "inProgressUrl": [GOOD, BAD], "failures": []}
    return status(status="IN_PROGRESS", completed=0, inProgress=2, **lists) | more


def warm_status() -> dict[str, Any]:
    """Return the status of a COMPLETED run whose URLs are all warm."""
    return status(status="COMPLETED", failedUrl=[], successUrl=[GOOD, BAD], failures=[])
