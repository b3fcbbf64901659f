"""`prewarm list`: the runs of a service."""

import json
from typing import Annotated, Any, Literal

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, command
from prewarm_cli.config import client_of
from prewarm_cli.errors import CommandFailed, print_stderr

RUNS_PER_PAGE, DEFAULT_LIMIT = 100, 20


@command(client=client_of)
def list_runs(
    *,
    only: Annotated[
        Literal["COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT", "CANCELLED"] | None,
        typer.Option("--status", help="List only runs with this status."),
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="TEXT", help="List only runs with exactly this label.")] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="List only runs with URLs of this host.")] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Print when this URL was last warmed, and whether it was warm, instead."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="List only runs since this date or time, such as 2026-11-24 or 7d."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, show_default="20", help="Maximum number of runs.")] = None,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first.

    On a terminal, times are UTC, with how long ago they were. In a pipe, each run is one line with its whole times.

    Examples:
      prewarm list --status FAILED --limit 5
      prewarm list --host www.example.com --since 7d
      prewarm list --url https://www.example.com/app.js
    """
    from prewarm_cli.output import runs  # noqa: PLC0415 - so that other commands start without it
    from prewarm_cli.output.terminal import echo  # noqa: PLC0415

    start = None if since is None else runs.since_time(since)
    if url is not None:
        others = {"--status": only, "--label": label, "--host": host, "--limit": limit}
        if ignored := [name for name, value in others.items() if value is not None]:
            raise CommandFailed(f"--url: prints the history of one URL; leave out {' and '.join(ignored)}")
        document = client.url_history(url, None if since is None else runs.days_since(since))
        if as_json:
            typer.echo(json.dumps(document))
        else:
            echo(runs.history_lines(document))
        return
    # DNS names may end with a dot, which the hosts of runs do not have.
    host = None if host is None else host.strip().removesuffix(".")
    listed = _read(client, {"status": only, "label": label, "host": host, "since": start}, limit or DEFAULT_LIMIT)
    if as_json:
        typer.echo(json.dumps({"runs": listed}))
        return
    echo(runs.lines(listed))
    echo(runs.hint_lines(listed))
    if not listed:
        named = {"status": only, "label": label, "host": host, "since": start}
        chosen = ", ".join(f"{name} {value}" for name, value in named.items() if value)
        print_stderr("no runs" + (f" with {chosen}" if chosen else ""))


def _read(client: Client, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return the first `limit` runs, reading as many pages as needed."""
    found: list[dict[str, Any]] = []
    token = None
    while True:
        page = client.runs(query, min(limit - len(found), RUNS_PER_PAGE), token)
        found += page["runs"]
        token = page.get("nextToken")
        # An empty page is not necessarily the last one.
        if token is None or len(found) >= limit:
            return found
