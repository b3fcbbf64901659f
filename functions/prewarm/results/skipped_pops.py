"""Why POPs were skipped, in words and counted. Pure; the only source of these texts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from prewarm.counted import count_of
from prewarm.results.outcome import IN_WORDS, Outcome

# Reasons that a probe does not return, and those whose text as an outcome says too little about a POP.
SKIP_TEXTS = {
    "outside_price_class": "outside the distribution's price class, so CloudFront sends no viewers there",
    "dns_silent": "no nameserver responded for the POP's name",
    "outside_edge_networks": "the POP's name leads outside CloudFront's networks",
    Outcome.UNRESOLVED_POP.value: "the POP's name does not resolve, so the POP may be retired",
    Outcome.TIMEOUT.value: "the POP stopped responding",
}


def skip_text(reason: str) -> str:
    """Return in words why a POP was skipped; reasons of a newer service as they are named."""
    known = {outcome.value: text for outcome, text in IN_WORDS.items()} | SKIP_TEXTS
    return known.get(reason) or reason.replace("_", " ")


def skip_counts(skipped: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return how many POPs were skipped for each reason, such as "12 POPs: …", the most first.

    `skipped`: entries of a status's or a summary's `skippedPops`.
    """
    counts = Counter(str(entry["reason"]) for entry in skipped)
    return [f"{count_of(count, 'POP')}: {skip_text(reason)}" for reason, count in counts.most_common()]
