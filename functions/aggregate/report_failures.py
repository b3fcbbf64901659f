"""The failed URLs and the POPs that differ, as parts of the report's page. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Any

from aggregate.report_tables import table
from prewarm.results.failure_texts import everywhere_text, heading, label, what_happened_to
from prewarm.results.failures import Kind
from prewarm.results.next_steps import main_kind, step_of
from prewarm.results.outcome import IN_WORDS, Outcome

# Failed URLs shown per cause; the CSV and JSON contain all of them.
URLS_SHOWN = 20
DIFFERENT_SHOWN = 20


def failures(report: dict[str, Any]) -> str:
    """Return the failed URLs, grouped by what to do about them, those of most URLs first."""
    steps: dict[tuple[str, str], dict[str, str]] = {}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in report["failures"]:
        step = step_of(main_kind(entry["kinds"]) or Kind(Outcome.LOST))
        key = step["outcome"], step["how"]
        steps[key] = step
        groups.setdefault(key, []).append(entry)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return "".join(_group(report, steps[key], entries) for key, entries in ordered)


def _group(report: dict[str, Any], step: dict[str, str], entries: list[dict[str, Any]]) -> str:
    outcome = step["outcome"]
    kinds = {main_kind(entry["kinds"]) or Kind(Outcome.LOST) for entry in entries}
    more = f'<a href="{escape(step["link"])}">More about {escape(outcome)}</a>'
    html = (
        f"<h2>{heading(len(entries), kinds)}: {escape(_cause(outcome, kinds))}</h2>"
        f"<p><b>What to do:</b> {escape(step['how'])}. {more}</p>"
    )
    rows = [
        (_both_forms(entry), _what(report, entry), f"{entry['warm']:,} of {entry['reachable']:,}")
        for entry in entries[:URLS_SHOWN]
    ]
    html += table(f"Failed by {outcome}", ("URL", "What happened", "Warm at"), rows)
    if len(entries) > URLS_SHOWN:
        html += f'<p class="soft">{len(entries) - URLS_SHOWN:,} more are in the CSV and the JSON report.</p>'
    return html


def _cause(outcome: str, kinds: Iterable[Kind]) -> str:
    """Return why the URLs of a group failed: with the status, unless they differ in it."""
    labels = {label(kind) for kind in kinds}
    return labels.pop() if len(labels) == 1 else IN_WORDS[Outcome(outcome)]


def everywhere(report: dict[str, Any]) -> str:
    """Return how many URLs failed everywhere, to be read before the POPs."""
    count = report.get("failedEverywhere", 0)
    if not count:
        return ""
    number, judged = everywhere_text(count), "POPs are judged by the others"
    if not any(judged_of(pop) for pop in report["pops"]):
        judged = "there is no other URL to judge the POPs by"
    return f'<p><b class="bad">{number}</b>: {judged}.</p>'


def different(pops: Iterable[dict[str, Any]]) -> str:
    """Return the POPs that are less warm than the others, the coldest first."""
    found = [pop for pop in pops if pop["differs"]]
    found.sort(key=lambda pop: (pop["warm"] / judged_of(pop), pop["pop"]))
    if not found:
        return ""
    noun = "POP differs" if len(found) == 1 else "POPs differ"
    rows = [(pop["pop"], warm_of(pop), f"{pop['judgedFailed']:,}") for pop in found[:DIFFERENT_SHOWN]]
    html = f'<h2 class="bad">{len(found):,} {noun} from the others</h2>'
    html += table("POPs that differ from the others", ("POP", "Targets warm", "Failed"), rows)
    if len(found) > DIFFERENT_SHOWN:
        html += f'<p class="soft">{len(found) - DIFFERENT_SHOWN:,} more are in the JSON report.</p>'
    return html


def judged_of(entry: dict[str, Any]) -> int:
    """Return by how many targets a POP or region is judged."""
    judged: int = entry["judged"]
    return judged


def warm_of(entry: dict[str, Any]) -> str:
    """Return how many of a POP's or region's judged targets are warm, which is what its share counts."""
    return f"{entry['warm']:,} of {judged_of(entry):,}"


def share(entry: dict[str, Any]) -> str:
    """Return the percentage of a POP's or region's judged targets that are warm."""
    return f"{100 * entry['warm'] / judged_of(entry):.1f} %" if judged_of(entry) else "not judged"


def _what(report: dict[str, Any], entry: dict[str, Any]) -> str:
    return what_happened_to(entry, variants=report["variants"])


def _both_forms(entry: dict[str, Any]) -> str:
    return f"{entry['url']} (fetched as {entry['fetched']})" if "fetched" in entry else str(entry["url"])
