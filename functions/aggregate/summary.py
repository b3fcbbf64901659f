"""The summary of a run: totals, explained failures, and whether the run passes. Pure."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from prewarm.execution_status import DEADLINE_PASSED, NOT_WARM, SOURCES_SKIPPED, run_state
from prewarm.planning.plan import Plan
from prewarm.results.failure_texts import failure_fields, what_happened_to
from prewarm.results.judging import failed_everywhere
from prewarm.results.next_steps import next_steps, step_text
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.rollup import RollUp, UrlResult, Verdict, sums
from prewarm.results.run_texts import not_warm_word
from prewarm.results.warm_counts import run_lengths
from prewarm.urls import redacted

# Step Functions' limits for a Fail state, in characters (ASL reference): 256 for Error, 32,768 for Cause. The Cause
# is read in a small box of the console, so it stays far below.
FAILURES_SHOWN = 10
URL_CHARACTERS = 200
CAUSE_LIMIT = 8_000
NONE_RESPELLED: Mapping[int, str] = MappingProxyType({})


def summarise(
    plan: Plan,
    rolled_up: RollUp,
    urls: list[str],
    ended_at: float,
    unfinished: Outcome,
    fetched: Mapping[int, str] = NONE_RESPELLED,
) -> dict[str, Any]:
    """Return the run's summary.

    `ended_at` is in epoch seconds; `unfinished` is the outcome of unfinished targets; `fetched` has by index the form
    in which a URL is fetched, where it differs from the given one.
    """
    failed = [url for url in rolled_up.urls if url.verdict is Verdict.FAILED]
    return {
        "run": plan.run,
        "label": plan.label,
        "warm": not failed and not plan.sources_fail,
        "startedAt": plan.started_at,
        "endedAt": ended_at,
        "total": plan.url_count,
        "success": plan.url_count - len(failed),
        "failed": len(failed),
        "failedEverywhere": sum(map(failed_everywhere, failed)),
        "nextSteps": next_steps((redacted(urls[url.index]), url.kinds) for url in failed),
        "failures": [failure(url, urls, fetched) for url in failed],
        "successTargets": run_lengths(
            (url.warm, url.reachable) for url in rolled_up.urls if url.verdict is not Verdict.FAILED
        ),
        "unfinishedAs": unfinished.value,
    } | sums(plan, rolled_up, urls, ended_at)


def failure(url: UrlResult, urls: list[str], fetched: Mapping[int, str] = NONE_RESPELLED) -> dict[str, Any]:
    """Return one failed URL with reasons and coverage, and its fetched form where that differs."""
    return (
        {
            "index": url.index,
            "url": redacted(urls[url.index]),
            "reasons": url.failures,
            "warm": url.warm,
            "reachable": url.reachable,
            "coverage": round(url.coverage, 2),
            "everywhere": failed_everywhere(url),
        }
        | failure_fields(url.kinds, url.example)
        | fetched_form(url.index, fetched)
    )


def fetched_form(index: int, fetched: Mapping[int, str]) -> dict[str, str]:
    """Return {"fetched": …} for a URL that is fetched in another form than it was given in, else {}."""
    return {"fetched": redacted(fetched[index])} if index in fetched else {}


def run_verdict(plan: Plan, summary: dict[str, Any], location: str) -> dict[str, Any]:
    """Return the state's output: whether the run passes, with Error and Cause if not.

    `location` is the summary's s3:// address.
    """
    reasons: Counter[str] = Counter()
    for entry in summary["failures"]:
        reasons.update(entry["reasons"])
    error = _error(summary, reasons)
    return {
        "passed": summary["warm"] or (plan.fail_on == "none" and not plan.sources_fail),
        "warm": summary["warm"],
        "error": error,
        "cause": _cause(summary, error, location),
        "total": summary["total"],
        "success": summary["success"],
        "failed": summary["failed"],
        "summary": location,
    }


def _error(summary: dict[str, Any], reasons: Counter[str]) -> str:
    """Return the error's name: it decides which action is recommended."""
    if not summary["failed"] and summary.get("mostlySkipped"):
        return SOURCES_SKIPPED
    return DEADLINE_PASSED if reasons[Outcome.DEADLINE] else NOT_WARM


def _cause(summary: dict[str, Any], error: str, location: str) -> str:
    """Return the Cause: counts, the first failures, and the summary's location."""
    word = not_warm_word(run_state("FAILED", error))
    counts = f"{summary['success']} of {summary['total']} URLs are warm, {summary['failed']} {word}."
    failures = first_failures(summary)
    ending = [*failures[FAILURES_SHOWN:], f"Summary: {location}"]
    first = [summary["mostlySkipped"]] if summary.get("mostlySkipped") else []
    text = "\n".join([*first, counts, *failures[:FAILURES_SHOWN]])
    available = CAUSE_LIMIT - len("\n".join(["", *ending]))
    return "\n".join([text if len(text) <= available else text[: available - 1] + "…", *ending])


def first_failures(summary: dict[str, Any]) -> list[str]:
    """Return a line with explained reasons for each of the first failed URLs.

    If there are more, the last line contains their number.
    """
    lines = []
    for entry in summary["failures"][:FAILURES_SHOWN]:
        url = entry["url"]
        what = _what_happened(entry, summary.get("variants", 0))
        lines.append(f"{url if len(url) <= URL_CHARACTERS else url[:URL_CHARACTERS] + '…'}: {what}")
    more = summary["failed"] - FAILURES_SHOWN
    return [*lines, f"and {more} more URLs"] if more > 0 else lines


def _what_happened(entry: dict[str, Any], variants: int) -> str:
    """Return what happened to a failed URL; summaries of earlier versions have only its reasons."""
    if "kinds" in entry:
        return what_happened_to(entry, variants=variants)
    return "; ".join(
        f"{IN_WORDS[Outcome(name)]} ({name}, {count} of {max(entry['reachable'], count)} targets)"
        for name, count in sorted(entry["reasons"].items(), key=lambda item: -item[1])
    )


def step_lines(summary: dict[str, Any]) -> list[str]:
    """Return a line for each next step; summaries of earlier versions have none."""
    return [step_text(step) for step in summary.get("nextSteps", [])]
