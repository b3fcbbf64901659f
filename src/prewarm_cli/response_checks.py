"""Check that a response has the fields a command reads: another service at the address may return 200 too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm_cli.errors import Code, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Shape = dict[str, type]
Document = dict[str, Any]
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
# Additional fields of newer services; an older service returns none of them.
STATUS_OPTIONAL: Shape = {
    "failures": list,
    "targets": dict,
    "skippedPops": list,
    "warnings": list,
    "remedy": dict,
    "fetched": dict,
    "sources": list,
}
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
START: Shape = {"requestID": str}
RETRY: Shape = START | {"urls": int}
RUNS_ENTRY: Shape = {"run": str, "status": str, "startedAt": str}
REPORT: Shape = {"url": str}
HISTORY: Shape = {"url": str, "looked": dict}
DIAGNOSIS: Shape = {"version": str, "time": str, "stateMachineArn": str, "pops": list, "checks": list}
UPLOAD: Shape = {"url": str, "fields": dict, "address": str}


def missing_in_status(response: Document) -> str:
    """Return the first required field that a status lacks, or "" (so do the functions below)."""
    optional = {name: kind for name, kind in STATUS_OPTIONAL.items() if response.get(name) is not None}
    missing = _first_missing(response, STATUS | optional)
    return missing or ("" if response["status"] in STATUSES else "status")


def missing_in_start(response: Document) -> str:
    """Return the first field that the response to a start lacks: it holds a run or a dry run."""
    dry_run = response.get("dryRun")
    if isinstance(dry_run, dict):
        return _first_missing(dry_run, DRY_RUN, "dryRun.")
    return _first_missing(response, START)


def missing_in_retry(response: Document) -> str:
    """Return the first field that the response to a retry lacks."""
    return _first_missing(response, RETRY)


def missing_in_runs(response: Document) -> str:
    """Return the first field that a list of runs lacks."""
    if missing := _first_missing(response, {"runs": list}):
        return missing
    entries = (
        "runs[]" if not isinstance(entry, dict) else _first_missing(entry, RUNS_ENTRY, "runs[].")
        for entry in response["runs"]
    )
    return next(filter(None, entries), "")


def missing_in_history(response: Document) -> str:
    """Return the first field that the history of a URL lacks."""
    return _first_missing(response, HISTORY)


def missing_in_diagnosis(response: Document) -> str:
    """Return the first field that the service's checks of itself lack."""
    if missing := _first_missing(response, DIAGNOSIS):
        return missing
    return "" if all(isinstance(each, dict) for each in response["checks"]) else "checks[]"


def missing_in_upload(response: Document) -> str:
    """Return the first field that the response to a request for an upload lacks."""
    return _first_missing(response, UPLOAD)


def missing_in_report(response: Document) -> str:
    """Return the first field that the response about a report lacks."""
    return _first_missing(response, REPORT)


def check_response(response: Document, missing_field: Callable[[Document], str], route: str, url: str) -> Document:
    """Return a response that has all fields `missing_field` looks for.

    Raises:
        CommandFailed: a field is missing or has the wrong type.

    """
    if name := missing_field(response):
        raise CommandFailed(
            f"unexpected response from {url} to {route}: field '{name}' is missing or has the wrong type; "
            "check the API address",
            Code.SERVICE,
        )
    return response


def _first_missing(response: Mapping[str, Any], shape: Shape, prefix: str = "") -> str:
    """Return the first name of `shape` that is missing or of another type, after `prefix`; else ""."""
    for name, kind in shape.items():
        if not isinstance(response.get(name), kind):
            return prefix + name
    return ""
