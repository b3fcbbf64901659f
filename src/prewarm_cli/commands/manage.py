"""`prewarm status`, `list`, `cancel` and `retry`: the runs that there are."""

import json
from typing import Annotated, Any, Literal

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.commands.start import Wait, check_waiting, follow_or_leave
from prewarm_cli.config import client_of
from prewarm_cli.errors import Code, tell
from prewarm_cli.options.wait import Waiting, waiting_of
from prewarm_cli.output.text import code_of, end_lines

RUNS_A_PAGE = 100


@command(client=client_of)
def status(
    *,
    run: Run,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="Leave with what the run came to: 0 warm, 1 not warm, 3 timeout or not ended."
        ),
    ] = False,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Tell how far a run is, or what it came to.

    Examples:
      prewarm status 20261124T013829Z-c0af4526
      prewarm status 20261124T013829Z-c0af4526 --json | jq -r '.failedUrl[]'
    """
    # For the eye one response is enough, however large the run is.
    found = client.whole_status(run) if as_json else client.status(run)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for line in end_lines(found):
            typer.echo(line)
    raise typer.Exit(code_of(found) if exit_code else Code.WARM)


@command(client=client_of)
def list_runs(
    *,
    only: Annotated[
        Literal["COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT"] | None,
        typer.Option("--status", help="Only runs of this status."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many runs, the newest first.")] = 20,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first.

    Examples:
      prewarm list --status FAILED --limit 5
    """
    runs: list[dict[str, Any]] = []
    token = None
    while True:
        page = client.runs(only, min(limit - len(runs), RUNS_A_PAGE), token)
        runs += page["runs"]
        token = page.get("nextToken")
        # A response may be empty and still not the last one.
        if token is None or len(runs) >= limit:
            break
    if as_json:
        typer.echo(json.dumps({"runs": runs}))
        return
    for each in runs:
        typer.echo(f"{each['run']}  {each['status']:11}  {each['startedAt']}  {each.get('endedAt') or ''}".rstrip())
    if not runs:
        tell("no runs" + (f" that are {only}" if only else ""))


@command(client=client_of)
def cancel(*, run: Run, client: Client, as_json: AsJson = False) -> None:
    """Cancel a run: what was warmed stays warm, the rest is not fetched.

    Examples:
      prewarm cancel 20261124T013829Z-c0af4526
    """
    found = client.cancel(run)
    if as_json:
        # The response to a cancel is its first page: the run has ended, so the rest can be read.
        typer.echo(json.dumps(client.whole_status(run) if "nextToken" in found else found))
        return
    typer.echo(f"cancelled: {len(found['successUrl'])} of {found['total']} URLs were warm already")
    tell(f"warm the rest by: prewarm retry {found.get('run', run)}")


@command(waiting=waiting_of, client=client_of)
def retry(
    *,
    run: Run,
    wait: Wait = False,
    waiting: Waiting,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Start a new run of the URLs that failed, with the old run's selection and options.

    Examples:
      prewarm retry 20261124T013829Z-c0af4526 --wait
    """
    check_waiting(waiting, wait=wait)
    document = client.retry(run)
    if not as_json:
        tell(f"{document['urls']:,} URLs are asked for again")
    follow_or_leave(client, document, waiting, wait=wait, as_json=as_json)
