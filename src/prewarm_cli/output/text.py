"""A run as text: its progress, failed URLs with reasons, cause and cost; and its exit code."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.execution_status import DEADLINE_PASSED, NOT_WARM, REJECTED
from prewarm.results.next_steps import step_text
from prewarm.results.outcome import IN_WORDS
from prewarm.results.proof_texts import ELSEWHERE
from prewarm_cli.errors import Code
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output import times
from prewarm_cli.output.dry_run import (
    MEGABYTE,
    document_lines,
    dry_run_lines,
    duplicates_text,
    left_out_lines,
)
from prewarm_cli.output.gain import gain_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Errors that the URLs and the status already express. Any other error is printed with its cause.
ERRORS_NOT_PRINTED = frozenset({NOT_WARM, DEADLINE_PASSED})
OUTCOME_TEXTS = {outcome.value: text for outcome, text in IN_WORDS.items()}
FAILURES_SHOWN = 20


def in_progress(status: dict[str, Any]) -> bool:
    """Return whether a run has not ended."""
    return bool(status["status"] == "IN_PROGRESS")


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


def targets_of(status: dict[str, Any]) -> tuple[int, int]:
    """Return how many targets are done and how many there are; both 0 before the run has a plan."""
    targets = status.get("targets") or {}
    return int(targets.get("done", 0)), int(targets.get("total", 0))


def progress_line(status: dict[str, Any]) -> str:
    """Return a status as one line."""
    done, total = targets_of(status)
    # A page has the counts of the whole run but only a part of its lists.
    split = (
        f" ({len(status['successUrl'])} warm, {len(status['failedUrl'])} failed, {status['inProgress']} in progress)"
        if "nextToken" not in status
        else ""
    )
    doing = f", {phase}" if in_progress(status) and (phase := phase_text(status)) else ""
    urls = f"{status['completed']} of {status['total']} URLs{split}"
    return f"{status['status']}{doing}: {urls} · {done:,} of {total:,} targets"


def phase_text(status: dict[str, Any]) -> str:
    """Return what a run is doing, with counts and the time left where the service returns them; else ""."""
    phase = status.get("phase") or {}
    name = str(phase.get("name") or "").replace("_", " ")
    if name == "warming" and (phase.get("stages") or 1) > 1:
        name += f" stage {phase.get('stage')} of {phase['stages']}"
    elif name == "invalidating" and phase.get("total"):
        name += f" {phase.get('done') or 0:,} of {phase['total']:,}"
    left = phase.get("secondsLeft")
    return f"{name}, about {times.duration(left)} left" if name and left else name


def failure_reasons(failure: dict[str, Any], service_texts: dict[str, str] | None = None) -> str:
    """Return what happened to a failed URL: the service's own text, or the reasons where an older one has none.

    `service_texts`: the service's own texts for outcomes, if any.
    """
    if what := failure.get("what"):
        return with_options(str(what))
    texts = OUTCOME_TEXTS | (service_texts or {})
    parts = (
        f"{name} at {count_of(count, 'target')}" + (f" ({with_options(texts[name])})" if name in texts else "")
        for name, count in failure.get("reasons", {}).items()
    )
    return ", ".join(parts) or "not warm"


def failure_line(url: str, failure: dict[str, Any], status: dict[str, Any]) -> str:
    """Return a failed URL as one line, with its reasons."""
    return f"failed   {with_fetched(url, status)}  {failure_reasons(failure, status.get('words'))}"


def with_fetched(url: str, status: dict[str, Any]) -> str:
    """Return a URL, with the form in which it is fetched where that differs."""
    fetched = (status.get("fetched") or {}).get(url)
    return f"{url} (fetched as {fetched})" if fetched else url


def failures_of(status: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each failed URL with its entry in `failures`, or {}."""
    failures = {failure["url"]: failure for failure in status.get("failures", [])}
    for url in status.get("failedUrl", []):
        yield url, failures.get(url, {})


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
    shown: Collection[str] = (),
    page: str | None = None,
) -> Iterator[str]:
    """Yield a status line by line, as `prewarm status` and the end of a wait print it.

    `service_stays`: whether the service still runs after this command, to serve reports and retries; `shown`: failed
    URLs that were printed before; `page`: the address of the run's page.
    """
    if first := status.get("mostlySkipped"):
        yield str(first)
    yield progress_line(status)
    left = ((url, failure) for url, failure in failures_of(status) if url not in shown)
    for url, failure in islice(left, FAILURES_SHOWN):
        yield failure_line(url, failure, status)
    if next(left, None) or "nextToken" in status:
        report = f"prewarm report {status.get('run', 'ID')} --format csv" if service_stays else "use --report FILE"
        yield f"failed   for the complete list: {report}"
    yield from next_step_lines(status)
    yield from _notes(status)
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


def next_step_lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield what to do about a run's failures: each step with the number of its URLs and where it is explained."""
    if everywhere := status.get("failedEverywhere"):
        yield f"note     {count_of(everywhere, 'URL')} failed everywhere"
    for step in status.get("nextSteps", []):
        yield f"next     {with_options(step_text(step))}"


def _notes(status: dict[str, Any]) -> Iterator[str]:
    """Yield what the run left out, and its warnings."""
    if duplicates := status.get("duplicates"):
        yield f"note     {duplicates_text(duplicates)}"
    if skipped := Counter(entry["reason"] for entry in status.get("skippedPops", [])):
        yield "skipped  POPs: " + ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())
    yield from document_lines(status.get("sources", []))
    yield from left_out_lines(status.get("sources", []))
    if proof := _proof(status.get("targets") or {}):
        yield f"proofs   {proof}"
    for entry in islice(status.get("uncompressed", []), FAILURES_SHOWN):
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
    if remedy.get("kind") == "fix" and remedy.get("link"):
        # The next steps that are listed with the failures.
        return ""
    if remedy.get("kind") == "retry":
        return f"`prewarm retry {status['run']}` starts a new run of the failed URLs"
    return str(remedy.get("how") or "")


def _facts(status: dict[str, Any]) -> Iterator[str]:
    """Yield times, bytes and cost, which older services do not return."""
    if started := status.get("startedAt"):
        yield times.started_and_ended(started, status.get("endedAt"), times.now())
    if (count := status.get("bytes")) is not None:
        yield f"{count / MEGABYTE:,.1f} MB downloaded"
    cost = status.get("cost") or {}
    if (dollars := cost.get("dollars")) is not None:
        yield f"about ${dollars:,.4f}" + _estimate(cost.get("estimate"))


def _estimate(estimate: object) -> str:
    """Return what was estimated before the run, next to what it then took; older services return no estimate."""
    if not isinstance(estimate, dict) or estimate.get("dollars") is None:
        return ""
    if estimate.get("withoutTransfer") and estimate.get("measuredDollars") is not None:
        measured = f"${estimate['measuredDollars']:,.4f}"
        return f" ({measured} apart from transfer, estimated at ${estimate['dollars']:,.4f} before it began)"
    return f" (${estimate['dollars']:,.4f} was estimated before it began)"
