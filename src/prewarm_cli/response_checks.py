"""Check that a response has the fields a command reads: another service at the address may return 200 too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm_cli.errors import Code, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Shape = dict[str, type]
Answer = dict[str, Any]
STATUSES = frozenset({"IN_PROGRESS", "COMPLETED", "FAILED", "TIMEOUT"})
STATUS: Shape = {
    "status": str,
    "total": int,
    "completed": int,
    "inProgress": int,
    "failedUrl": list,
    "inProgressUrl": list,
    "successUrl": list,
}
# What newer services tell besides; an older one tells none of it.
STATUS_BESIDES: Shape = {"failures": list, "targets": dict, "skippedPops": list, "warnings": list, "remedy": dict}
DRY_RUN: Shape = {
    "urls": int,
    "hosts": int,
    "targets": int,
    "batches": int,
    "stages": int,
    "fetches": int,
    "distributions": list,
    "noDistribution": dict,
    "invalidation": dict,
    "cost": dict,
    "warnings": list,
}
RUN: Shape = {"requestID": str}
RETRY: Shape = RUN | {"urls": int}
LINE_OF_RUN: Shape = {"run": str, "status": str, "startedAt": str}
REPORT: Shape = {"url": str}


def status_of(response: Answer) -> str:
    """Return what a status lacks; nothing when it has all that it needs, as do the functions below."""
    besides = {name: kind for name, kind in STATUS_BESIDES.items() if response.get(name) is not None}
    lacking = _lacking(response, STATUS | besides)
    return lacking or ("" if response["status"] in STATUSES else "status")


def started(response: Answer) -> str:
    """Return what the response to a start lacks: it has a run, or tells of a dry one."""
    told = response.get("dryRun")
    return _lacking(told, DRY_RUN, "dryRun.") if isinstance(told, dict) else _lacking(response, RUN)


def retried(response: Answer) -> str:
    """Return what the response to a retry lacks."""
    return _lacking(response, RETRY)


def listed(response: Answer) -> str:
    """Return what a list of runs lacks."""
    if lacking := _lacking(response, {"runs": list}):
        return lacking
    lines = (
        "runs[]" if not isinstance(line, dict) else _lacking(line, LINE_OF_RUN, "runs[].")
        for line in response["runs"]
    )
    return next(filter(None, lines), "")


def reported(response: Answer) -> str:
    """Return what the response about a report lacks."""
    return _lacking(response, REPORT)


def checked(response: Answer, lacking: Callable[[Answer], str], route: str, url: str) -> Answer:
    """Return a response that is as it must be.

    Raises:
        CommandFailed: it is something else.

    """
    if name := lacking(response):
        message = (
            f"{url} answered {route} as no API of this service does: {name} is missing, or not what it should be"
        )
        raise CommandFailed(f"{message}; is the address right?", Code.SERVICE)
    return response


def _lacking(response: Mapping[str, Any], shape: Shape, within: str = "") -> str:
    """Return the first of the names that is missing or of another type, and where it should be."""
    for name, kind in shape.items():
        if not isinstance(response.get(name), kind):
            return within + name
    return ""
