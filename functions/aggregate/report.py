"""A run's report as JSON and as CSV. Pure; report_html.py renders it as a page."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aggregate.summary import NONE_RESPELLED, fetched_form
from prewarm.results.failure_texts import example_as_json, what_happened_to
from prewarm.results.failures import Kind, by_status
from prewarm.results.next_steps import main_kind, step_of
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import RollUp
from prewarm.urls import redacted

# The report's format version; it is incremented when the meaning of a field changes (docs/report.schema.json).
VERSION = 1
COLUMNS = (
    "url", "verdict", "warm", "reachable", "coverage", "reasons", "fetched", "uncompressed", "statuses",
    "example_pop", "example_status", "example_request_id", "what", "next_step", "next_step_link",
)  # fmt: skip
EXAMPLE_COLUMNS = {"pop": "pop", "status": "status", "request_id": "requestId"}


def build_report(
    summary: dict[str, Any],
    rolled_up: RollUp,
    urls: Sequence[str],
    fetched: Mapping[int, str] = NONE_RESPELLED,
) -> dict[str, Any]:
    """Return the summary with the result of every URL, and the form in which it is fetched where that differs."""
    lines = [
        {
            "url": redacted(urls[url.index]),
            "verdict": url.verdict.value,
            "warm": url.warm,
            "reachable": url.reachable,
            "coverage": round(url.coverage, 2),
            "reasons": url.failures,
            "statuses": by_status(url.kinds),
            "example": example_as_json(url.example),
        }
        | fetched_form(url.index, fetched)
        | uncompressed_at(url.index, rolled_up)
        for url in rolled_up.urls
    ]
    return {"version": VERSION} | summary | {"urls": lines}


def uncompressed_at(index: int, rolled_up: RollUp) -> dict[str, int]:
    """Return {"uncompressed": number of POPs} for a URL that POPs served uncompressed, else {}."""
    return {"uncompressed": len(rolled_up.uncompressed[index])} if index in rolled_up.uncompressed else {}


def as_json(report: dict[str, Any]) -> bytes:
    """Return the report as JSON."""
    return json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()


def as_csv(report: dict[str, Any]) -> bytes:
    """Return one CSV line per URL (RFC 4180), with reasons as `outcome: count; …`, statuses as `404: count; …`.

    A failed URL's last columns say what happened, what to do and where that is explained.
    """
    failures = {entry["index"]: entry for entry in report.get("failures", [])}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for index, line in enumerate(report["urls"]):
        example = line.get("example") or {}
        seen = {f"example_{name}": example.get(field) for name, field in EXAMPLE_COLUMNS.items()}
        counts = {name: _counts(line.get(name, {})) for name in ("reasons", "statuses")}
        writer.writerow(line | counts | seen | _explained(failures.get(index), report.get("variants", 0)))
    return text.getvalue().encode()


def _explained(entry: Mapping[str, Any] | None, variants: int) -> dict[str, str]:
    """Return the last columns of a failed URL's line; {} for a warm URL."""
    if entry is None:
        return {}
    kinds = entry["kinds"]
    step = step_of(main_kind(kinds) or Kind(Outcome.LOST))
    what = what_happened_to(entry, variants=variants)
    return {"what": what, "next_step": step["how"], "next_step_link": step["link"]}


def _counts(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
