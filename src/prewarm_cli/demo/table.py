"""The demo's table of a run's URLs, each with its state and reasons."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

STYLES = {"warm": "green", "failed": "red", "in progress": "dim"}


def url_table(status: dict[str, Any]) -> Table:
    """Return a table of a status's URLs with their states and, for failed URLs, the outcomes."""
    table = Table(box=None, pad_edge=False)
    for name in ("URL", "state", "reasons"):
        table.add_column(name, overflow="fold")
    failures = {entry["url"]: entry for entry in status["failures"]}
    rows = [(url, "warm") for url in status["successUrl"]]
    rows += [(url, "in progress") for url in status["inProgressUrl"]]
    rows += [(url, "failed") for url in status["failedUrl"]]
    for url, state in rows:
        counts = failures.get(url, {}).get("reasons", {})
        reasons = ", ".join(f"{name} at {count} POPs" for name, count in counts.items())
        table.add_row(Text(url), Text(state, STYLES[state]), Text(reasons))
    return table
