"""The summary of a run: its sums, its failures in words, and whether it passes. Pure."""

from collections import Counter
from typing import Any

from prewarm.execution_status import DEADLINE_PASSED, NOT_WARM
from prewarm.planning.plan import Plan
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.rollup import RollUp, UrlResult, Verdict, sums
from prewarm.urls import redacted

# Step Functions' limits for a Fail state, in characters (ASL reference): 256 for Error, 32,768 for Cause. A person
# reads the Cause in a console's box, so it stays far below.
FAILURES_TOLD = 10
URL_SHOWN = 200
CAUSE_LIMIT = 8_000


def summarise(plan: Plan, rolled: RollUp, urls: list[str], ended_at: float, rest: Outcome) -> dict[str, Any]:
    """Return the run's summary; `ended_at` in epoch seconds, `rest`: what unfinished targets came to."""
    failed = [url for url in rolled.urls if url.verdict is Verdict.FAILED]
    return {
        "run": plan.run,
        "warm": not failed,
        "startedAt": plan.started_at,
        "endedAt": ended_at,
        "total": plan.url_count,
        "success": plan.url_count - len(failed),
        "failed": len(failed),
        "failures": [failure(url, urls) for url in failed],
        "unfinishedAs": rest.value,
    } | sums(plan, rolled, urls)


def failure(url: UrlResult, urls: list[str]) -> dict[str, Any]:
    """Return one failed URL with its evidence."""
    return {
        "index": url.index,
        "url": redacted(urls[url.index]),
        "reasons": url.failures,
        "warm": url.warm,
        "reachable": url.reachable,
        "coverage": round(url.coverage, 2),
    }


def verdict_of_run(plan: Plan, summary: dict[str, Any], location: str) -> dict[str, Any]:
    """Return the state's output: whether the run passes, and the Error and Cause of one that does not."""
    reasons: Counter[str] = Counter()
    for entry in summary["failures"]:
        reasons.update(entry["reasons"])
    return {
        "passed": summary["warm"] or plan.fail_on == "none",
        "warm": summary["warm"],
        "error": DEADLINE_PASSED if reasons[Outcome.DEADLINE] else NOT_WARM,
        "cause": _cause(summary, location),
        "total": summary["total"],
        "success": summary["success"],
        "failed": summary["failed"],
        "summary": location,
    }


def _cause(summary: dict[str, Any], location: str) -> str:
    """Say in plain words what is not warm, and where to read more."""
    counts = f"{summary['success']} of {summary['total']} URLs are warm, {summary['failed']} failed."
    failures = first_failures(summary)
    ending = [*failures[FAILURES_TOLD:], f"Summary: {location}"]
    told = "\n".join([counts, *failures[:FAILURES_TOLD]])
    room = CAUSE_LIMIT - len("\n".join(["", *ending]))
    return "\n".join([told if len(told) <= room else told[: room - 1] + "…", *ending])


def first_failures(summary: dict[str, Any]) -> list[str]:
    """Return a line for each of the first failed URLs with its reasons in words, and one that counts the rest."""
    lines = []
    for entry in summary["failures"][:FAILURES_TOLD]:
        reasons = "; ".join(
            f"{IN_WORDS[Outcome(name)]} ({name}, {count} of {max(entry['reachable'], count)} targets)"
            for name, count in sorted(entry["reasons"].items(), key=lambda item: -item[1])
        )
        url = entry["url"]
        lines.append(f"{url if len(url) <= URL_SHOWN else url[:URL_SHOWN] + '…'}: {reasons}")
    rest = summary["failed"] - FAILURES_TOLD
    return [*lines, f"and {rest} more URLs"] if rest > 0 else lines
