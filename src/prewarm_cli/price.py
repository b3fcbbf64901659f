"""The price of a run through every POP, before it starts: from a dry run, with a question on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from prewarm.counted import count_of
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.output.dry_run import dry_run_price
from prewarm_cli.output.progress import in_progress

if TYPE_CHECKING:
    from prewarm_cli.api_client import Client

ALL = "all"
# A dry run that takes longer than one response becomes a run of its own; how long to wait for it, in seconds.
LONGEST_WAIT, PAUSE = 120.0, 2.0


def through_every_pop(request: dict[str, Any]) -> bool:
    """Return whether a request selects every POP and is not a dry run itself."""
    named = request.get("region")
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return any(str(name).strip().lower() == ALL for name in names) and request.get("dry_run") is not True


def confirm_price(client: Client, request: dict[str, Any]) -> None:
    """Print what a run through every POP would cost, and ask whether to start it if this is a terminal.

    The price is an aid: a service that fails to estimate it does not keep the run from starting.

    Raises:
        CommandFailed: the service refuses the request.
        typer.Exit: you declined; nothing was started.

    """
    if not through_every_pop(request):
        return
    try:
        dry_run = _dry_run(client, request)
    except CommandFailed as failed:
        if failed.code is not Code.SERVICE:
            raise
        dry_run = None
    if dry_run is None:
        print_stderr("every POP: the price cannot be estimated now")
    else:
        pops = len({pop for each in dry_run["distributions"] for pop in each["pops"]})
        print_stderr(
            f"every POP: {count_of(dry_run['urls'], 'URL')} through {count_of(pops, 'POP')}, "
            f"{count_of(dry_run['fetches'], 'fetch', 'fetches')}: about {dry_run_price(dry_run)}"
        )
    if sys.stdin and sys.stdin.isatty() and sys.stderr.isatty() and not typer.confirm("Start it?", err=True):
        print_stderr("nothing was started")
        raise typer.Exit(Code.DETACHED)


def _dry_run(client: Client, request: dict[str, Any]) -> dict[str, Any] | None:
    """Return the figures of a dry run of the request, None if they take too long."""
    document = client.start(
        {name: value for name, value in request.items() if name != "label"} | {"dry_run": True}, None
    )
    if "dryRun" in document:
        found: dict[str, Any] = document["dryRun"]
        return found
    deadline = time.monotonic() + LONGEST_WAIT
    while in_progress(status := client.status(document["requestID"])):
        if time.monotonic() > deadline:
            return None
        time.sleep(PAUSE)
    return status.get("dryRun")
