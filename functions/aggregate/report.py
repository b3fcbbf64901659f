"""A run's report: as JSON for machines, as CSV for spreadsheets. Pure; report_page.py has it for people."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from prewarm.results.rollup import RollUp
from prewarm.urls import redacted

# The report's own version: a field that changes its meaning raises it (docs/report.schema.json).
VERSION = 1
COLUMNS = ("url", "verdict", "warm", "reachable", "coverage", "reasons")


def report_of(summary: dict[str, Any], rolled: RollUp, urls: Sequence[str]) -> dict[str, Any]:
    """Return the whole report: the summary, and every URL with its evidence."""
    lines = [
        {
            "url": redacted(urls[url.index]),
            "verdict": url.verdict.value,
            "warm": url.warm,
            "reachable": url.reachable,
            "coverage": round(url.coverage, 2),
            "reasons": url.failures,
        }
        for url in rolled.urls
    ]
    return {"version": VERSION} | summary | {"urls": lines}


def as_json(report: dict[str, Any]) -> bytes:
    """Return the report as JSON."""
    return json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()


def as_csv(report: dict[str, Any]) -> bytes:
    """Return the report's URLs as CSV, a line each (RFC 4180), reasons as `outcome: count; …`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for line in report["urls"]:
        reasons = "; ".join(f"{name}: {count}" for name, count in sorted(line["reasons"].items()))
        writer.writerow(line | {"reasons": reasons})
    return text.getvalue().encode()
