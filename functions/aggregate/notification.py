"""The notification about an ended run: counts, first failures, next action and links. Pure."""

from dataclasses import dataclass
from typing import Any

from aggregate.summary import first_failures, step_lines
from prewarm.execution_status import console_url, recommended_action, run_state
from prewarm.results.failure_texts import everywhere_text
from prewarm.results.next_steps import remedy_for
from prewarm.results.run_texts import NOT_WARM, not_warm_word, shown_state
from prewarm.results.skipped_pops import skip_lines

# SNS accepts subjects of up to 100 ASCII characters without line breaks (SNS API Reference, Publish).
SUBJECT_LIMIT = 100
CAUSE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification's subject and text."""

    subject: str
    message: str


def compose(
    detail: dict[str, Any],
    summary: dict[str, Any] | None,
    api_url: str,
    *,
    planned: bool = False,
    has_console: bool = True,
) -> Notification:
    """Return the notification about an ended run.

    `detail` is the event's, `summary` the run's if it has one. `planned`: whether the run had a plan, so some URLs
    may be warm even without a summary; `has_console`: whether the run is an execution on AWS. The event of a run that
    timed out has neither Error nor Cause (Step Functions Developer Guide, "Execution status change"), so the
    error is read from the summary.
    """
    run, arn, status = detail["name"], detail["executionArn"], detail["status"]
    passed = status == "SUCCEEDED"
    counts = "it failed before its results were summarized" if planned else "nothing was warmed"
    if summary is not None:
        counts = f"{summary['success']:,} of {summary['total']:,} URLs are warm"
    state = run_state(status, detail.get("error") or "")
    word = {"COMPLETED": "done", "TIMEOUT": "timed out", "CANCELLED": "cancelled"}.get(
        shown_state(state, (summary or {}).get("failed")), NOT_WARM
    )
    subject = f"Prewarm {word}: {counts} ({run})"
    first = (summary or {}).get("mostlySkipped", "")
    lines = [*([f"{first}."] if first else []), f"Run {run}: {word}.", f"{counts[0].upper()}{counts[1:]}."]
    if summary is not None:
        lines[-1] = f"{counts[0].upper()}{counts[1:]}, {summary['failed']:,} {not_warm_word(state)}."
        lines.append(f"Estimated cost: ${summary['cost']['dollars']:.4f}.")
        # Summaries of earlier versions have no gain.
        lines += [summary["gain"]["text"]] if "gain" in summary else []
        if everywhere := summary.get("failedEverywhere"):
            lines.append(f"{everywhere_text(everywhere)}.")
        # Summaries of earlier versions lack the text.
        if skipped := summary.get("skippedText"):
            lines += [f"{skipped}:", *(f"- {text}" for text in skip_lines(summary["skippedPops"]))]
        first_title = "First failures:" if not_warm_word(state) == "failed" else "The first of them:"
        lines += ["", first_title, *first_failures(summary)] if summary["failures"] else []
        lines += ["", "What to do:", *steps] if (steps := step_lines(summary)) else []
        lines += ["", *(f"Warning: {warning}" for warning in summary["warnings"])] if summary["warnings"] else []
    elif detail.get("cause"):
        lines += ["", detail["cause"][:CAUSE_CHARACTERS]]
    error = detail.get("error") or (summary or {}).get("error", "")
    action = remedy_for(recommended_action(status, error, arn), (summary or {}).get("nextSteps", []))
    # A fix with a link is among the next steps above.
    if not passed and action and not (action["kind"] == "fix" and "link" in action):
        lines += ["", f"What to do: {action['how']}"]
    lines += ["", f"Report and progress: {api_url}/#/run/{run}"] if api_url else [""]
    if has_console:
        lines.append(f"Step Functions console: {console_url(arn)}")
    ascii_subject = subject.encode("ascii", "replace").decode()
    return Notification(ascii_subject[:SUBJECT_LIMIT], "\n".join(lines))
