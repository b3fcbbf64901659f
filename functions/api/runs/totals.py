"""The totals of a run in the form of the REST API. Pure."""

from typing import Any

# What the verified targets' proofs show.
PROOF_COUNTS = ("verifiedInPop", "verifiedElsewhere", "addresses", "addressesProven")


def totals_of(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the totals of a summary in the form of the REST API."""
    names = {"total": "targets", "done": "targetsDone", "outcomes": "outcomes", "verified": "verified"}
    more = {"layers": summary["layers"]}
    # Summaries of earlier versions lack these.
    more |= {name: summary.get(name, 0) for name in PROOF_COUNTS} | {"separatePops": summary.get("separatePops", [])}
    more |= {"popsPerUrl": summary.get("popsPerUrl"), "variants": summary.get("variants", 0)}
    return {
        "skippedPops": summary["skippedPops"],
        "targets": {name: summary[source] for name, source in names.items()} | more,
        "bytes": summary["bytes"],
        "duplicates": summary.get("duplicates", 0),
        "warnings": summary["warnings"],
        "uncompressedUrls": summary.get("uncompressedUrls", 0),
        "uncompressed": summary.get("uncompressed", []),
        # Summaries of earlier versions lack these.
        "skippedText": summary.get("skippedText", ""),
        "mostlySkipped": summary.get("mostlySkipped", ""),
        "sources": summary.get("sources", []),
    }


def no_totals() -> dict[str, Any]:
    """Return the totals of a run without a plan."""
    return {"skippedPops": [], "targets": {"total": 0, "done": 0, "outcomes": {}, "verified": 0}, "bytes": 0}
