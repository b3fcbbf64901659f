"""A run as text: its progress, failed URLs with reasons, cause and cost; and its exit code."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from prewarm.execution_status import DEADLINE_PASSED, NOT_WARM, REJECTED
from prewarm.results.outcome import IN_WORDS
from prewarm_cli.errors import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

# Errors that the URLs and the status already express. Any other error is printed with its cause.
ERRORS_NOT_PRINTED = frozenset({NOT_WARM, DEADLINE_PASSED})
OUTCOME_TEXTS = {outcome.value: text for outcome, text in IN_WORDS.items()}
FAILURES_SHOWN = 20
# Documents of each source shown; the status has more.
DOCUMENTS_SHOWN = 20
MEGABYTE = 1_000_000


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
    return (
        f"{status['status']}: {status['completed']} of {status['total']} URLs{split} · {done:,} of {total:,} targets"
    )


def failure_reasons(failure: dict[str, Any], service_texts: dict[str, str] | None = None) -> str:
    """Return a failed URL's reasons as text; `service_texts`: the service's own texts for outcomes, if any."""
    texts = OUTCOME_TEXTS | (service_texts or {})
    parts = (
        f"{name} at {_count(count, 'target')}" + (f" ({texts[name]})" if name in texts else "")
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


def _count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


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


def status_lines(status: dict[str, Any], *, service_stays: bool = True) -> Iterator[str]:
    """Yield a status line by line, as `prewarm status` and the end of a wait print it.

    `service_stays`: whether the service still runs after this command, to serve reports and retries.
    """
    if first := status.get("mostlySkipped"):
        yield str(first)
    yield progress_line(status)
    for url, failure in islice(failures_of(status), FAILURES_SHOWN):
        yield failure_line(url, failure, status)
    if len(status.get("failedUrl", [])) > FAILURES_SHOWN or "nextToken" in status:
        report = f"prewarm report {status.get('run', 'ID')} --format csv" if service_stays else "use --report FILE"
        yield f"failed   for the complete list: {report}"
    yield from _notes(status)
    if cause := cause_of(status):
        yield f"cause    {cause}"
    if facts := list(_facts(status)):
        yield "; ".join(facts)
    if remedy := _remedy(status, service_stays=service_stays):
        yield f"remedy   {remedy}"
    if "dryRun" in status:
        yield from dry_run_lines(status["dryRun"])


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
        yield f"plain    {entry['url']} was served uncompressed at {_count(entry['pops'], 'POP')}"
    for warning in status.get("warnings", []):
        yield f"warning  {warning}"


def _proof(targets: dict[str, Any]) -> str:
    """Return what a run's proofs show; empty without proofs, and for services of an earlier release."""
    verified = targets.get("verified", 0)
    if not verified or "addresses" not in targets:
        return ""
    return (
        f"{_count(verified, 'target')} verified, {targets['verifiedElsewhere']:,} at another address of the POP; "
        f"{targets['addressesProven']:,} of {_count(targets['addresses'], 'address', 'addresses')} have a proof"
    )


def left_out_lines(sources: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a run left out of its sources by choice; what it skipped is among its warnings."""
    for source in sources:
        for each in source["leftOut"]:
            if not each["skipped"]:
                examples = f" (such as {', '.join(each['examples'])})" if each["examples"] else ""
                count = _count(each["count"], "entry", "entries")
                yield f"left out {source['source']}: {count}: {each['reason']}{examples}"


def document_lines(sources: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the documents that a run read, with X-Cache and Age; a service of an earlier release returns none."""
    for source in sources:
        documents = source.get("documents", [])
        for each in documents[:DOCUMENTS_SHOWN]:
            age = "" if each["age"] is None else f", Age: {each['age']} s"
            x_cache = f"X-Cache: {each['xCache'] or 'absent'}" if each["origin"] != "s3" else "from S3"
            again = ", invalidated before" if each["origin"] == "invalidated" else ""
            yield f"read     {source['source']}: {each['url']} ({x_cache}{age}{again})"
        if (more := source.get("documentsRead", 0) - len(documents[:DOCUMENTS_SHOWN])) > 0:
            cached = _count(source["documentsFromCache"], "document")
            yield f"read     {source['source']}: {more:,} more; {cached} in all came from a cache"


def _remedy(status: dict[str, Any], *, service_stays: bool) -> str:
    """Return the next action after a failed run: the command instead of the API call that the service names."""
    remedy = status.get("remedy") or {}
    if not service_stays:
        # Neither a retry nor a redrive is possible: the service has ended with the run.
        fix = "" if remedy.get("kind") == "retry" else "fix the cause above, then "
        return f"{fix}run the command again" if remedy else ""
    if remedy.get("kind") == "retry":
        return f"`prewarm retry {status['run']}` starts a new run of the failed URLs"
    return str(remedy.get("how") or "")


def _facts(status: dict[str, Any]) -> Iterator[str]:
    """Yield times, bytes and cost, which older services do not return."""
    if started := status.get("startedAt"):
        yield f"started {started}" + (f", ended {ended}" if (ended := status.get("endedAt")) else "")
    if (count := status.get("bytes")) is not None:
        yield f"{count / MEGABYTE:,.1f} MB downloaded"
    if (dollars := (status.get("cost") or {}).get("dollars")) is not None:
        yield f"about ${dollars:,.4f}"


def duplicates_text(count: int) -> str:
    """Return how many entries were left out."""
    return f"{_count(count, 'duplicate')} left out: another spelling of a URL of the run"


def _invalidation(figures: dict[str, Any]) -> str:
    """Return what a run would invalidate; a service of an earlier release returns paths and rounds only."""
    what = ", ".join(figures.get("patterns", [])) or _count(figures["paths"], "path")
    line = f"invalidation: {what} in {_count(figures['rounds'], 'round')}"
    if "minutes" in figures:
        line += f", {_count(figures['minutes'], 'minute')} or more, ${figures['dollars']:,.3f}"
    return line


def _origin_fetches(estimate: dict[str, Any]) -> str:
    """Return how often the origins would be asked, and how often of these past the regional edge caches."""
    line = f"about {_count(estimate['fetches'], 'fetch', 'fetches')} at an origin"
    return f"{line}, {estimate['direct']:,} of them past the regional edge caches" if estimate["direct"] else line


def dry_run_lines(dry_run: dict[str, Any]) -> Iterator[str]:
    """Yield what a run would do and cost."""
    if first := dry_run.get("mostlySkipped"):
        yield str(first)
    yield "Dry run: nothing was warmed. A run would warm:"
    yield f"{_count(dry_run['urls'], 'URL')} of {_count(dry_run['hosts'], 'host')}"
    if duplicates := dry_run.get("duplicates"):
        yield duplicates_text(duplicates)
    yield (
        f"{_count(dry_run['targets'], 'target')} in {_count(dry_run['batches'], 'batch', 'batches')} and "
        f"{_count(dry_run['stages'], 'stage')}; {_count(dry_run['fetches'], 'fetch', 'fetches')} "
        "including verification"
    )
    if origin := dry_run.get("originFetches"):
        yield _origin_fetches(origin)
    for each in dry_run["distributions"]:
        yield (
            f"{each['domain']}: {_count(each['urls'], 'URL')} through {_count(len(each['pops']), 'POP')}"
            f" ({len(each['skippedPops']):,} skipped)"
        )
    if (unserved := dry_run["noDistribution"])["urls"]:
        yield f"no distribution serves {_count(unserved['urls'], 'URL')} of {', '.join(unserved['hosts'])}"
    if dry_run["invalidation"]["paths"]:
        yield _invalidation(dry_run["invalidation"])
    if (size := dry_run.get("estimatedBytes")) is not None:
        yield f"about {size / MEGABYTE:,.1f} MB"
    yield f"about ${dry_run['cost']['dollars']:,.4f}"
    yield from document_lines(dry_run.get("sources", []))
    yield from left_out_lines(dry_run.get("sources", []))
    for warning in dry_run["warnings"]:
        yield f"warning  {warning}"
