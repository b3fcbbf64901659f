"""Runs as a table, and when a URL was last warmed. Older services return a run's name, status and times only."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.results.run_texts import shown_state
from prewarm_cli.errors import CommandFailed
from prewarm_cli.output import terminal, times

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = ("RUN", "STATUS", "STARTED (UTC)", "WARM URLS")
PIPE_HEADER = ("RUN", "STATUS", "STARTED", "ENDED", "WARM", "URLS", "DOLLARS", "LABEL", "HOSTS", "LOCATIONS")
HOSTS_SHOWN, LOCATIONS_SHOWN = 3, 8
STARTERS = {"direct": "started directly", "iam": "started with IAM permissions"}
PERIOD = re.compile(r"(?P<number>[0-9]{1,4})(?P<unit>[hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}


def since_time(text: str) -> str:
    """Return the start of a period in the API's form: a date or time is left unchanged, `7d` is counted from now.

    Raises:
        CommandFailed: the text is neither.

    """
    if match := PERIOD.fullmatch(text.strip()):
        start = times.now() - dt.timedelta(hours=int(match["number"]) * HOURS[match["unit"]])
        return f"{start:%Y-%m-%dT%H:%M:%SZ}"
    if times.parse(text.strip()) is None:
        raise CommandFailed(
            f"--since {text}: is not a time; use a date such as 2026-11-24, a time such as 2026-11-24T08:00Z, or a "
            "period such as 12h, 7d or 2w"
        )
    return text.strip()


def days_since(text: str) -> int:
    """Return how many days a period has, at least one.

    Raises:
        CommandFailed: see `since_time`.

    """
    start = times.parse(since_time(text))
    return 1 if start is None else max(1, -(-int((times.now() - start).total_seconds()) // times.DAY))


def lines(runs: list[dict[str, Any]]) -> list[str]:
    """Return the runs as a table: for a terminal with how long ago, for a pipe one whole line per run."""
    if not runs:
        return []
    width = terminal.columns()
    return terminal.table(PIPE_HEADER, map(_pipe_row, runs)) if width is None else list(_for_terminal(runs, width))


def hint_lines(runs: list[dict[str, Any]]) -> list[str]:
    """Return how to see what failed, for the newest failed run; nothing without one, or in a pipe."""
    width = terminal.columns()
    failed = next((run["run"] for run in runs if run["status"] in {"FAILED", "TIMEOUT"}), None)
    if width is None or failed is None:
        return []
    hint = f"prewarm status {failed}"
    whole = f"What failed, and what to do: {hint}"
    # The command is never divided, so that it can be copied.
    return [whole] if len(whole) <= width else ["What failed, and what to do:", f"  {hint}"]


def _for_terminal(runs: list[dict[str, Any]], width: int) -> Iterator[str]:
    """Yield a table that fits the width: what a run is about is below its row, and a long name above the row."""
    now = times.now()
    rows = [
        (run["run"], shown_state(run["status"], run.get("failed")), times.short(run["startedAt"], now), _urls(run))
        for run in runs
    ]
    whole = terminal.table(HEADER, rows)
    name_above = not terminal.fits(whole, width)
    if name_above:
        whole = terminal.table(("  " + HEADER[1], *HEADER[2:]), [("  " + row[1], *row[2:]) for row in rows])
        yield HEADER[0]
    yield whole[0]
    for run, line in zip(runs, whole[1:], strict=True):
        if name_above:
            yield run["run"]
        yield line
        if about := " · ".join(_about(run)):
            yield from terminal.wrap(f"  {about}", width, 4)


def _urls(run: dict[str, Any]) -> str:
    total, warm = run.get("total"), run.get("warm")
    if total is None:
        return ""
    return f"{warm:,} of {total:,}" if warm is not None else f"- of {total:,}"


def _about(run: dict[str, Any]) -> Iterator[str]:
    """Yield by what a run is recognised: label, hosts, locations, cost, who started it."""
    if run.get("damaged"):
        yield "its details cannot be read"
    if label := run.get("label"):
        yield str(label)
    if hosts := _hosts(run):
        yield hosts
    if locations := _locations(run):
        yield locations
    if (dollars := run.get("dollars")) is not None:
        yield f"${dollars:,.4f}"
    if run.get("dryRun"):
        yield "dry run"
    if started_by := run.get("startedBy"):
        yield STARTERS.get(started_by, f"by key {started_by}")


def _hosts(run: dict[str, Any]) -> str:
    hosts = run.get("hosts") or []
    rest = max(run.get("hostCount") or 0, len(hosts)) - HOSTS_SHOWN
    return " ".join(hosts[:HOSTS_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def _locations(run: dict[str, Any]) -> str:
    named = run.get("region") or []
    listed = [named] if isinstance(named, str) else named
    if listed:
        kind = run.get("regionType") or "region"
        return f"{kind} {','.join(map(str, listed))}"
    places = run.get("locations") or []
    more = len(places) - LOCATIONS_SHOWN
    return " ".join(places[:LOCATIONS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _pipe_row(run: dict[str, Any]) -> list[str]:
    values = (
        *(run.get(name) for name in ("run", "status", "startedAt", "endedAt", "warm", "total", "dollars", "label")),
        ",".join(run.get("hosts") or []),
        _locations(run),
    )
    return ["-" if value in (None, "") else str(value) for value in values]


def history_lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield when a URL was last warmed, whether it was warm, and how far the search went."""
    now = times.now()
    last, warm, looked = document.get("last"), document.get("lastWarm"), document.get("looked") or {}
    yield str(document.get("url", "")) + (
        f" (fetched as {fetched})" if (fetched := document.get("fetched")) not in (None, document.get("url")) else ""
    )
    yield f"last run   {_history(last, now)}" if last else "last run   none"
    if warm and warm.get("run") != (last or {}).get("run"):
        yield f"last warm  {_history(warm, now)}"
    elif not warm:
        yield "last warm  in none of these runs"
    complete = "" if looked.get("complete", True) else "; the host has more runs in this time"
    yield f"searched   {count_of(looked.get('runs', 0), 'run')} in the last {looked.get('days', '?')} days{complete}"


def _history(run: dict[str, Any], now: dt.datetime) -> str:
    state = "warm" if run.get("warm") else "not warm"
    at = f" at {run['warmTargets']:,} of {run['reachableTargets']:,} targets" if "warmTargets" in run else ""
    label = f" ({run['label']})" if run.get("label") else ""
    time, _, ago = times.short(run.get("startedAt"), now).partition(", ")
    when = f"{time} UTC, {ago}" if ago else time
    return f"{state}{at}, started {when}, {run.get('run', '')}{label}"
