"""A run's report as JSON and as CSV. Pure; report_html.py renders it as a page."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aggregate.summary import NONE_RESPELLED, fetched_form
from prewarm.results.rollup import RollUp
from prewarm.urls import redacted

# The report's format version; it is incremented when the meaning of a field changes (docs/report.schema.json).
VERSION = 1
COLUMNS = ("url", "verdict", "warm", "reachable", "coverage", "reasons", "fetched", "uncompressed")


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
    """Return one CSV line per URL (RFC 4180), with reasons as `outcome: count; …`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for line in report["urls"]:
        reasons = "; ".join(f"{name}: {count}" for name, count in sorted(line["reasons"].items()))
        writer.writerow(line | {"reasons": reasons})
    return text.getvalue().encode()
