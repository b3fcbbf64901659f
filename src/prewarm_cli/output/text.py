"""A run in words: what became of its URLs and why, and what that means as an exit code."""

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

# The URLs and the status say these already; any other error is to be named, and why it came.
SAID_OTHERWISE = frozenset({NOT_WARM, DEADLINE_PASSED})
WORDS = {outcome.value: words for outcome, words in IN_WORDS.items()}
FAILURES_SHOWN = 20
MEGABYTE = 1_000_000


def goes_on(status: dict[str, Any]) -> bool:
    """Say whether a run has not ended."""
    return bool(status["status"] == "IN_PROGRESS")


def code_of(status: dict[str, Any]) -> Code:
    """Return a status as an exit code: one that goes on is a wait that ran out."""
    if status["status"] == "COMPLETED":
        return Code.WARM
    if status["status"] in {"TIMEOUT", "IN_PROGRESS"}:
        return Code.TIMEOUT
    return Code.BAD_INPUT if status.get("error") == REJECTED else Code.NOT_WARM


def name_of(run: str) -> str:
    """Return a run's name, which is short, from its requestID."""
    return run.rpartition(":")[2]


def targets_of(status: dict[str, Any]) -> tuple[int, int]:
    """Return how many targets are done, and how many there are; 0 before the plan is made."""
    targets = status.get("targets") or {}
    return int(targets.get("done", 0)), int(targets.get("total", 0))


def progress_line(status: dict[str, Any]) -> str:
    """Return a status as one line."""
    done, total = targets_of(status)
    # A page has the counts of the whole run, but not its lists.
    split = (
        f" ({len(status['successUrl'])} warm, {len(status['failedUrl'])} failed, {status['inProgress']} in progress)"
        if "nextToken" not in status
        else ""
    )
    return (
        f"{status['status']}: {status['completed']} of {status['total']} URLs{split} · {done:,} of {total:,} targets"
    )


def why(failure: dict[str, Any], words: dict[str, str] | None = None) -> str:
    """Return a failed URL's reasons in words; `words`: the service's own for outcomes, if it gave any."""
    told = WORDS | (words or {})
    parts = (
        f"{name} at {_count(count, 'target')}" + (f" ({told[name]})" if name in told else "")
        for name, count in failure.get("reasons", {}).items()
    )
    return ", ".join(parts) or "not warm"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def failures_of(status: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each failed URL with what is known of its failure."""
    known = {failure["url"]: failure for failure in status.get("failures", [])}
    for url in status.get("failedUrl", []):
        yield url, known.get(url, {})


def cause_of(status: dict[str, Any]) -> str:
    """Return what broke or refused a run, the error's name first; nothing where its URLs say all there is."""
    error = str(status.get("error") or "")
    if not error or error in SAID_OTHERWISE:
        return ""
    cause = _cause(str(status.get("cause") or ""))
    if not cause or cause.startswith(f"{error}:"):
        return cause or error
    return f"{error}: {cause}"


def _cause(text: str) -> str:
    """Return a cause as people read it: Lambda tells of an exception in JSON, stack trace and all."""
    try:
        told = json.loads(text)
    except ValueError:
        return text
    if not isinstance(told, dict) or "errorMessage" not in told:
        return text
    return ": ".join(str(told[name]) for name in ("errorType", "errorMessage") if told.get(name))


def end_lines(status: dict[str, Any], *, stays: bool = True) -> Iterator[str]:
    """Yield a status line by line, as `status` and the end of a wait show it.

    `stays`: the service is there after this command, so that it can be asked for reports and retries.
    """
    yield progress_line(status)
    for url, failure in islice(failures_of(status), FAILURES_SHOWN):
        yield f"failed   {url}  {why(failure, status.get('words'))}"
    if len(status.get("failedUrl", [])) > FAILURES_SHOWN or "nextToken" in status:
        report = f"prewarm report {status.get('run', 'ID')} --format csv" if stays else "use --report FILE"
        yield f"failed   for all of them: {report}"
    if skipped := Counter(entry["reason"] for entry in status.get("skippedPops", [])):
        yield "skipped  POPs: " + ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())
    for warning in status.get("warnings", []):
        yield f"warning  {warning}"
    if cause := cause_of(status):
        yield f"cause    {cause}"
    if facts := list(_facts(status)):
        yield "; ".join(facts)
    if remedy := _remedy(status, stays=stays):
        yield f"remedy   {remedy}"
    if "dryRun" in status:
        yield from dry_run_lines(status["dryRun"])


def _remedy(status: dict[str, Any], *, stays: bool) -> str:
    """Return what helps a run that ended red: the service names its calls, here it is the commands."""
    remedy = status.get("remedy") or {}
    if not stays:
        # No retry and no redrive: the service has ended with the run.
        mend = "" if remedy.get("kind") == "retry" else "fix what the cause names, then "
        return f"{mend}run the command again" if remedy else ""
    if remedy.get("kind") == "retry":
        return f"prewarm retry {status['run']} starts a new run of what failed"
    return str(remedy.get("how") or "")


def _facts(status: dict[str, Any]) -> Iterator[str]:
    """Yield what newer services tell of a run besides; an older one tells none of it."""
    if started := status.get("startedAt"):
        yield f"started {started}" + (f", ended {ended}" if (ended := status.get("endedAt")) else "")
    if (count := status.get("bytes")) is not None:
        yield f"{count / MEGABYTE:,.1f} MB fetched"
    if (dollars := (status.get("cost") or {}).get("dollars")) is not None:
        yield f"about ${dollars:,.4f}"


def dry_run_lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield what a run would do and cost."""
    yield "A dry run: nothing was warmed. A run would be:"
    yield f"{_count(told['urls'], 'URL')} of {_count(told['hosts'], 'host')}"
    yield (
        f"{_count(told['targets'], 'target')} in {_count(told['batches'], 'batch', 'batches')} and "
        f"{_count(told['stages'], 'stage')}; {_count(told['fetches'], 'fetch', 'fetches')} with the proofs"
    )
    for each in told["distributions"]:
        yield (
            f"{each['domain']}: {_count(each['urls'], 'URL')} through {_count(len(each['pops']), 'POP')}"
            f" ({len(each['skippedPops']):,} skipped)"
        )
    if (nobodys := told["noDistribution"])["urls"]:
        yield f"no distribution serves {_count(nobodys['urls'], 'URL')} of {', '.join(nobodys['hosts'])}"
    if paths := told["invalidation"]["paths"]:
        yield f"invalidation: {_count(paths, 'path')} in {_count(told['invalidation']['rounds'], 'round')}"
    if (size := told.get("estimatedBytes")) is not None:
        yield f"about {size / MEGABYTE:,.1f} MB"
    yield f"about ${told['cost']['dollars']:,.4f}"
    for warning in told["warnings"]:
        yield f"warning  {warning}"
