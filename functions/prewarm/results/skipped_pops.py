"""The texts for which POPs a run skipped, how many of the selected ones, and why. Pure.

The only source of these texts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.results.outcome import IN_WORDS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from prewarm.planning.plan import Group, Skipped

# Reasons that a probe does not return, and those whose text as an outcome says too little about a POP.
SKIP_TEXTS = {
    "outside_price_class": "outside the distribution's price class, so CloudFront sends no viewers there",
    "dns_silent": "no nameserver responded for the POP's name",
    "outside_edge_networks": "the POP's name leads outside CloudFront's networks",
    Outcome.UNRESOLVED_POP.value: "the POP's name does not resolve, so the POP may be retired",
    Outcome.TIMEOUT.value: "the POP stopped responding",
}
# POPs that a line names; the report has all of them.
NAMES_SHOWN = 5


def skip_text(reason: str) -> str:
    """Return the text for why a POP was skipped; for a newer service's reasons, their names."""
    known = {outcome.value: text for outcome, text in IN_WORDS.items()} | SKIP_TEXTS
    return known.get(reason) or reason.replace("_", " ")


def skip_lines(skipped: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the skipped POPs by reason, such as "12 POPs: … (FRA2-C1, … and 7 more)", the most first.

    `skipped`: entries of a status's or a summary's `skippedPops`.
    """
    pops: dict[str, list[str]] = {}
    for entry in skipped:
        pops.setdefault(str(entry["reason"]), []).append(str(entry["pop"]))
    ordered = sorted(pops.items(), key=lambda item: -len(item[1]))
    return [f"{count_of(len(names), 'POP')}: {skip_text(reason)} ({_listed(names)})" for reason, names in ordered]


def names_are_cut(skipped: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether `skip_lines` leaves names out."""
    return max(Counter(str(entry["reason"]) for entry in skipped).values(), default=0) > NAMES_SHOWN


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def skipped_of_run(groups: Iterable[Group], skipped: Iterable[Skipped]) -> str:
    """Return how many of a run's selected POPs it skipped; "" if none.

    `skipped`: all of the run's, also those that stopped responding during the run, which are among `groups`' POPs.
    """
    chosen = list(groups)
    planned = {entry.pop for group in chosen for entry in group.skipped}
    known = {(entry.pop, entry.reason) for group in chosen for entry in group.skipped}
    used = {pop for group in chosen for pop in group.pops}
    late = {entry.pop for entry in skipped if (entry.pop, entry.reason) not in known}
    if any(group.areas for group in chosen):
        # One POP stands for each area, so it is not known how many were selected.
        return skipped_text(len(planned | late), None)
    return skipped_text(len(planned - used), len(used), late=len(late), partly=len(planned & used))


def skipped_text(skipped: int, used: int | None, *, late: int = 0, partly: int = 0) -> str:
    """Return the text for how many POPs were skipped and how many the run uses; "" without any.

    `used`: POPs that the run uses, of which `late` stopped responding and `partly` are skipped for some URLs only;
    None where their number is unknown.
    """
    if used is None:
        count = f"{count_of(skipped, 'selected POP')} {_was(skipped)} skipped"
        return f"{count}, which does not count as a failure" if skipped else ""
    parts = []
    if skipped:
        count = f"{skipped:,} of the {count_of(skipped + used, 'selected POP')} {_was(skipped)} skipped"
        parts.append(f"{count}, which does not count as a failure; the run uses the other {used:,}")
    if late:
        of_used = f"{late:,} of the {count_of(used, 'used POP')}"
        parts.append(f"{of_used} stopped responding during the run; targets that are not warm there do not count")
    if partly:
        of_used = f"{partly:,} of the {count_of(used, 'used POP')}"
        parts.append(f"{of_used} {_was(partly)} skipped for some of the URLs only")
    return "; ".join(parts)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
