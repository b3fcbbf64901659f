"""GitHub Actions: annotations of a run's failures, and its summary on the page of the workflow run."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from prewarm.results.failure_texts import everywhere_text
from prewarm.results.next_steps import step_text, urls_text
from prewarm.results.skipped_pops import skip_lines
from prewarm_cli.ci.workflow_commands import command
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output.failures import failure_reasons, failures_of
from prewarm_cli.output.gain import gain_text
from prewarm_cli.output.progress import progress_line, state_of
from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.text import cause_of, warnings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# GitHub shows the first ten annotations of a kind per step, and a summary of at most 1 MiB per step (GitHub Docs,
# "Workflow commands for GitHub Actions", and the runner's limits of annotations).
MAX_ANNOTATIONS = 10
MAX_SUMMARY_URLS = 100
MAX_SUMMARY_BYTES = 1_000_000


def annotation_lines(status: dict[str, Any], page: str | None) -> Iterator[str]:
    """Yield workflow commands: an error for each failed URL, or for the run, and a warning for each of its warnings.

    Failures of a run that is COMPLETED anyway are warnings, as its exit code is 0.
    """
    kind = "warning" if status["status"] == "COMPLETED" else "error"
    link = f"\n{page}" if page else ""
    failures = list(failures_of(status))
    room = MAX_ANNOTATIONS if len(failures) <= MAX_ANNOTATIONS else MAX_ANNOTATIONS - 1
    for url, failure in failures[:room]:
        step = f"\n{with_options(step_text(failure['nextStep']))}" if failure.get("nextStep") else ""
        text = f"{url}: {failure_reasons(failure, status.get('words'))}{step}{link}"
        yield command(kind, "Not warm", text)
    if len(failures) > room:
        yield command(kind, "Not warm", f"{len(failures) - room:,}more URLs are not warm{link}")
    if not failures and status["status"] != "COMPLETED":
        yield command(kind, "Not warm", f"{cause_of(status) or progress_line(status)}{link}")
    for warning in warnings_of(status)[:MAX_ANNOTATIONS]:
        yield command("warning", "prewarm", warning)


def step_summary(status: dict[str, Any], page: str | None) -> str:
    """Return the run as HTML in Markdown: its result, its page, and its failed URLs with their reasons."""
    name = html.escape(str(status.get("run") or "the run"))
    title = f'<a href="{html.escape(page)}">{name}</a>' if page else name
    lines = [
        f"<h3>Prewarm: {html.escape(state_of(status))}</h3>",
        f"<p>Run {title}: {_text(progress_line(status))}</p>",
    ]
    if gain := gain_text(status):
        lines.append(f"<p>{_text(gain)}</p>")
    if cause := cause_of(status):
        lines.append(f"<p>{_text(cause)}</p>")
    failures = list(failures_of(status))
    if failures:
        lines += ["<table>", "<tr><th>URL</th><th>why it is not warm</th></tr>"]
        for url, failure in failures[:MAX_SUMMARY_URLS]:
            reasons = _text(failure_reasons(failure, status.get("words")))
            lines.append(f"<tr><td><code>{_text(url)}</code></td><td>{reasons}</td></tr>")
        lines.append("</table>")
    if everywhere := status.get("failedEverywhere"):
        lines.append(f"<p>{everywhere_text(everywhere)}.</p>")
    if len(failures) > MAX_SUMMARY_URLS:
        lines.append(f"<p>{len(failures) - MAX_SUMMARY_URLS:,}more URLs are not warm.</p>")
    if steps := status.get("nextSteps"):
        lines += ["<h4>What to do</h4>", "<ul>"]
        for step in steps:
            where = f'<a href="{html.escape(step["link"])}">{_text(step["outcome"])}</a>'
            lines.append(f"<li>{_text(urls_text(step))}: {_text(with_options(step['how']))} ({where})</li>")
        lines.append("</ul>")
    lines += [f"<p>{_text(text)}.</p>" for text in [status.get("skippedText")] if text]
    lines += [f"<p>Skipped: {_text(text)}.</p>" for text in skip_lines(status.get("skippedPops", []))]
    lines += [f"<p>Warning: {_text(warning)}</p>" for warning in warnings_of(status)]
    return _limited(lines)


def _limited(lines: list[str]) -> str:
    """Return as many lines as a summary may have; GitHub refuses a longer one as a whole."""
    size, kept = 0, []
    for line in lines:
        size += len(line.encode("utf-8", "replace")) + 1
        if size > MAX_SUMMARY_BYTES:
            kept += ["</table>"] if "<table>" in kept and "</table>" not in kept else []
            kept.append("<p>The rest is in the run's report.</p>")
            break
        kept.append(line)
    return "\n".join(kept) + "\n\n"


def _text(text: str) -> str:
    """Return text in HTML, without secrets of URLs.

    It is on one line: an empty line would end the HTML, and what follows would be Markdown.
    """
    return html.escape(redact_urls(" ".join(text.split())))
