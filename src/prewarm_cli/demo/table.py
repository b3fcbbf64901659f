"""A run on the screen: a table of URLs and a live progress line; plain lines where there is no terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from prewarm_cli.output.text import progress_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

POLL_SECONDS = 0.5
STYLES = {"warm": "green", "failed": "red", "…": "dim"}


def follow(ask: Callable[[], dict[str, Any]], console: Console) -> dict[str, Any]:
    """Show a run's status until it has ended; returns the last status. `ask` fetches one."""
    started = time.monotonic()
    status = ask()
    if not console.is_terminal:
        return _follow_plainly(ask, status, console, started)
    with Live(_screen(status, started), console=console, refresh_per_second=8) as live:
        while status["status"] == "IN_PROGRESS":
            time.sleep(POLL_SECONDS)
            status = ask()
            live.update(_screen(status, started))
    return status


def _follow_plainly(
    ask: Callable[[], dict[str, Any]], status: dict[str, Any], console: Console, started: float
) -> dict[str, Any]:
    last = ""
    while True:
        line = progress_line(status)
        if line != last or status["status"] != "IN_PROGRESS":
            console.print(f"  {time.monotonic() - started:5.1f} s  {line}", highlight=False, soft_wrap=True)
            last = line
        if status["status"] != "IN_PROGRESS":
            console.print(url_table(status))
            return status
        time.sleep(POLL_SECONDS)
        status = ask()


def url_table(status: dict[str, Any]) -> Table:
    """Return the table of a run's URLs, each with its state and, for a failed one, the reasons."""
    table = Table(box=None, pad_edge=False)
    for name in ("URL", "state", "why"):
        table.add_column(name, overflow="fold")
    reasons = {entry["url"]: entry for entry in status["failures"]}
    rows = [(url, "warm") for url in status["successUrl"]]
    rows += [(url, "…") for url in status["inProgressUrl"]] + [(url, "failed") for url in status["failedUrl"]]
    for url, state in rows:
        why = ", ".join(f"{name} at {count} POPs" for name, count in reasons.get(url, {}).get("reasons", {}).items())
        table.add_row(Text(url), Text(state, STYLES[state]), Text(why))
    return table


def _screen(status: dict[str, Any], started: float) -> Group:
    line = Text(f"{time.monotonic() - started:5.1f} s  {progress_line(status)}", "bold")
    return Group(url_table(status), line)
