"""A run as text: its result, failed URLs, what it left out, cause and cost; and its exit code."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.execution_status import CANCELLED, DEADLINE_PASSED, NOT_WARM, REJECTED
from prewarm.results.proof_texts import ELSEWHERE
from prewarm_cli.errors import Code
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output import times
from prewarm_cli.output.dry_run import (
    MEGABYTE,
    document_lines,
    dollars_text,
    dry_run_lines,
    duplicates_text,
    left_out_lines,
)
from prewarm_cli.output.failures import failure_lines, report_hint
from prewarm_cli.output.gain import gain_text
from prewarm_cli.output.progress import progress_line
from prewarm_cli.output.skipped import skipped_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

# Errors that the URLs and the status already express. Any other error is printed with its cause.
ERRORS_NOT_PRINTED = frozenset({NOT_WARM, DEADLINE_PASSED, CANCELLED})
PLAIN_SHOWN = 20


def exit_code_of(status: dict[str, Any]) -> Code:
    """Return the exit code for a status; a run in progress means that the wait has timed out."""
    if status["status"] == "COMPLETED":
        return Code.WARM
    if status["status"] in {"TIMEOUT", "IN_PROGRESS"}:
        return Code.TIMEOUT
    return Code.BAD_INPUT if status.get("error") == REJECTED else Code.NOT_WARM


def run_name(run: str) -> str:
    """Return a run's short name from its requestID."""
    return run.rpartition(":")[2]


def cause_of(status: dict[str, Any]) -> str:
    """Return why a run failed or was rejected, starting with the error's name; "" if its URLs explain it."""
    error = str(status.get("error") or "")
    if not error or error in ERRORS_NOT_PRINTED:
        return ""
    cause = _readable_cause(str(status.get("cause") or ""))
    if not cause or cause.startswith(f"{error}:"):
        return cause or error
    return f"{error}: {cause}"


def _readable_cause(text: str) -> str:
    """Return a cause without JSON: Lambda reports an exception as JSON with its stack trace."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not isinstance(document, dict) or "errorMessage" not in document:
        return text
    return ": ".join(str(document[name]) for name in ("errorType", "errorMessage") if document.get(name))


def status_lines(
    status: dict[str, Any],
    *,
    service_stays: bool = True,
    page: str | None = None,
) -> Iterator[str]:
    """Yield a status line by line, as `prewarm status` and the end of a wait print it.

    `service_stays`: whether the service still runs after this command, to serve reports and retries; `page`: the
    address of the run's page.
    """
    if first := status.get("mostlySkipped"):
        yield str(first)
    if "dryRun" not in status:
        yield progress_line(status)
    yield from failure_lines(status, service_stays=service_stays)
    yield from _notes(status, service_stays=service_stays)
    if gain := gain_text(status):
        yield f"gain     {gain}"
    if cause := cause_of(status):
        yield f"cause    {cause}"
    if facts := list(_facts(status)):
        yield "; ".join(facts)
    if remedy := _remedy(status, service_stays=service_stays):
        yield f"remedy   {remedy}"
    if page:
        yield f"page     {page}"
    if "dryRun" in status:
        yield from dry_run_lines(status["dryRun"])


def _notes(status: dict[str, Any], *, service_stays: bool) -> Iterator[str]:
    """Yield what the run left out, and its warnings."""
    if duplicates := status.get("duplicates"):
        yield f"note     {duplicates_text(duplicates)}"
    yield from skipped_lines(status, report_hint(status, "-o report.html", service_stays=service_stays))
    yield from document_lines(status.get("sources", []))
    yield from left_out_lines(status.get("sources", []))
    if proof := _proof(status.get("targets") or {}):
        yield f"proofs   {proof}"
    for entry in islice(status.get("uncompressed", []), PLAIN_SHOWN):
        yield f"plain    {entry['url']} was served uncompressed at {count_of(entry['pops'], 'POP')}"
    for warning in warnings_of(status):
        yield f"warning  {warning}"


def warnings_of(status: dict[str, Any]) -> list[str]:
    """Return a run's warnings, with the command's options for the fields that they name."""
    return [with_options(warning) for warning in status.get("warnings", [])]


def _proof(targets: dict[str, Any]) -> str:
    """Return what a run's proofs show; empty without proofs, and for services of an earlier release."""
    verified = targets.get("verified", 0)
    if not verified or "addresses" not in targets:
        return ""
    return (
        f"{count_of(verified, 'target')} verified by a second fetch, {targets['verifiedElsewhere']:,} {ELSEWHERE}; "
        f"{targets['addressesProven']:,} of {count_of(targets['addresses'], 'address', 'addresses')} have a proof"
    )


def _remedy(status: dict[str, Any], *, service_stays: bool) -> str:
    """Return the next action after a failed run: the command instead of the API call that the service names."""
    remedy = status.get("remedy") or {}
    if not service_stays:
        # Neither a retry nor a redrive is possible: the service has ended with the run.
        fix = "" if remedy.get("kind") == "retry" else "fix the cause above, then "
        return f"{fix}run the command again" if remedy else ""
    if status.get("error") == REJECTED:
        return ""  # the cause above names what to fix
    if remedy.get("kind") == "fix" and remedy.get("link"):
        # What to fix is among the next steps that are listed with the failures.
        return f"after the fix, `prewarm retry {status['run']}` tries the same URLs again"
    if remedy.get("kind") == "retry":
        return f"`prewarm retry {status['run']}` starts a new run of the URLs that are not warm"
    return str(remedy.get("how") or "")


def _facts(status: dict[str, Any]) -> Iterator[str]:
    """Yield times, bytes and cost, which older services do not return."""
    if started := status.get("startedAt"):
        yield times.started(started, times.now())
    if (count := status.get("bytes")) is not None:
        yield f"{count / MEGABYTE:,.1f} MB downloaded"
    cost = status.get("cost") or {}
    if (dollars := cost.get("dollars")) is not None:
        yield f"about {dollars_text(dollars)}" + _estimate(cost.get("estimate"))


def _estimate(estimate: object) -> str:
    """Return what was estimated before the run, next to what it then took; older services return no estimate."""
    if not isinstance(estimate, dict) or estimate.get("dollars") is None:
        return ""
    if estimate.get("withoutTransfer") and estimate.get("measuredDollars") is not None:
        measured = f"${estimate['measuredDollars']:,.4f}"
        return f" ({measured} apart from transfer, estimated at ${estimate['dollars']:,.4f} before it began)"
    return f" (${estimate['dollars']:,.4f} was estimated before it began)"
