"""A run's failed URLs as text: each with what happened to it, and below those of one cause what to do."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.results.failure_texts import UNFINISHED, everywhere_text
from prewarm.results.next_steps import step_text
from prewarm.results.outcome import IN_WORDS
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output.progress import in_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTCOME_TEXTS = {outcome.value: text for outcome, text in IN_WORDS.items()}
FAILURES_SHOWN = 20
# As wide as the word in front of each line, so that a text below a URL begins where the URL does.
INDENT = " " * 9
Step = tuple[str, str]


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


def with_fetched(url: str, status: dict[str, Any]) -> str:
    """Return a URL, with the form in which it is fetched where that differs."""
    fetched = (status.get("fetched") or {}).get(url)
    return f"{url} (fetched as {fetched})" if fetched else url


def failures_of(status: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each failed URL with its entry in `failures`, or {}."""
    failures = {failure["url"]: failure for failure in status.get("failures", [])}
    for url in status.get("failedUrl", []):
        yield url, failures.get(url, {})


def failure_lines(status: dict[str, Any], *, service_stays: bool = True) -> Iterator[str]:
    """Yield the failed URLs, each with what happened to it, those of most URLs first, and what to do about them.

    `service_stays`: whether the service still runs after this command, to serve reports.
    """
    groups = _by_step(status)
    steps = {_key(step): step for step in status.get("nextSteps", [])}
    most = max(1, FAILURES_SHOWN // max(1, len(groups)))
    report = report_hint(status, "--format csv", service_stays=service_stays)
    for key, entries in groups.items():
        word = _word(key)
        for url, failure in islice(entries, most):
            yield f"{word:9}{with_fetched(url, status)}"
            yield f"{INDENT}{failure_reasons(failure, status.get('words'))}"
        # A page of a status has a part of the run's URLs only, its steps are those of all.
        number = max(len(entries), steps.pop(key, {}).get("urls", 0)) if key else len(entries)
        if number > most:
            yield f"{word:9}and {number - most:,} more: {report}"
        if key and (step := entries[0][1].get("nextStep")):
            yield f"next     {'' if number == 1 else f'for these {number:,} URLs: '}{with_options(step_text(step))}"
    # Those of URLs that are on another page, or of a service that does not say to which URL a step belongs.
    yield from (f"next     {with_options(step_text(step))}" for step in steps.values())
    if "nextToken" in status:
        yield f"failed   for the complete list: {report}"
    if everywhere := status.get("failedEverywhere"):
        yield f"note     {everywhere_text(everywhere)}, so no single POP is the cause"


def report_hint(status: dict[str, Any], options: str, *, service_stays: bool) -> str:
    """Return how to get the report, which has all that a text leaves out; `options`: those of `prewarm report`.

    A run in progress has no report, so its status as JSON takes its place.
    """
    if not service_stays:
        return "use --report FILE"
    run = status.get("run", "ID")
    return f"prewarm status {run} --json" if in_progress(status) else f"prewarm report {run} {options}"


def _word(key: Step | None) -> str:
    """Return the word in front of a URL: it has not failed where the run ended before it was decided."""
    return "not warm" if key and key[0] in UNFINISHED else "failed"


def _key(step: dict[str, Any]) -> Step:
    return str(step["outcome"]), str(step["how"])


def _by_step(status: dict[str, Any]) -> dict[Step | None, list[tuple[str, dict[str, Any]]]]:
    """Return the failed URLs by next step, that of most URLs first; those without one are last."""
    groups: dict[Step | None, list[tuple[str, dict[str, Any]]]] = {}
    for url, failure in failures_of(status):
        step = failure.get("nextStep")
        groups.setdefault(_key(step) if step else None, []).append((url, failure))
    return dict(sorted(groups.items(), key=lambda item: (item[0] is None, -len(item[1]))))
