"""`prewarm start`: a new run."""

import json
from typing import Annotated, Any

import typer

from prewarm_cli.api_client import Client, new_key
from prewarm_cli.command import AsJson, command
from prewarm_cli.config import client_of
from prewarm_cli.errors import Code, CommandFailed, tell
from prewarm_cli.follow import follow
from prewarm_cli.options.request import request_of
from prewarm_cli.options.wait import Waiting, waiting_of
from prewarm_cli.output.text import dry_run_lines, name_of

Wait = Annotated[bool, typer.Option("--wait", help="Wait for the run's end; the exit code says what it came to.")]


@command(request=request_of, waiting=waiting_of, client=client_of)
def start(
    *,
    request: dict[str, Any],
    wait: Wait = False,
    waiting: Waiting,
    idempotency_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The same key and request are the same run, however often they are sent."),
    ] = None,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Start a run, and print its requestID.

    Examples:
      prewarm start https://www.example.com/ --region apac,eu --wait
      prewarm start --file urls.txt --country india --staged --invalidate
      prewarm start --request request.json --dry-run
      git diff --name-only HEAD~ -- site | sed s,^site,https://www.example.com, | prewarm start --file - --region all
    """
    check_files(request, waiting)
    check_waiting(waiting, wait=wait)
    document = begin(client, request, idempotency_key)
    if "dryRun" in document:
        tell_dry_run(document, as_json=as_json)
        return
    follow_or_leave(client, document, waiting, wait=wait, as_json=as_json)


def check_waiting(waiting: Waiting, *, wait: bool) -> None:
    """Refuse what makes sense with --wait alone.

    Raises:
        CommandFailed: it was given without.

    """
    if not wait and waiting != Waiting():
        raise CommandFailed("--wait-seconds, --junit and --report need --wait")


def check_files(request: dict[str, Any], waiting: Waiting) -> None:
    """Refuse files that a dry run will not write: whoever asked for them would look for them in vain.

    Raises:
        CommandFailed: they were asked for.

    """
    if request.get("dry_run") and (waiting.junit or waiting.report):
        raise CommandFailed("a dry run warms nothing, so there is nothing for --junit and --report to tell of")


def begin(client: Client, request: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Start a run, under a key made for it where none was given, so that it can be asked for twice and starts once.

    Raises:
        CommandFailed: it did not start, or nobody knows whether it did; then the key is told.

    """
    if not request.get("dry_run"):
        key = key or new_key()
    safe = f"the same command with --idempotency-key {key} starts no second run"
    try:
        return client.start(request, key)
    except CommandFailed as failed:
        if failed.code is not Code.SERVICE or key is None:
            raise
        raise CommandFailed(f"{failed}\n{safe}", failed.code, failed.document) from failed
    except KeyboardInterrupt:
        tell("\ninterrupted: the run may have been started" + (f"; {safe}" if key else ""))
        raise typer.Exit(Code.DETACHED) from None


def follow_or_leave(client: Client, document: dict[str, Any], waiting: Waiting, *, wait: bool, as_json: bool) -> None:
    """Wait for a started run's end, or print what the API answered."""
    run = document["requestID"]
    if wait:
        tell(f"started {run}")
        follow(client, run, waiting, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        typer.echo(run)
        tell(f"follow it by: prewarm watch {name_of(run)}")


def tell_dry_run(document: dict[str, Any], *, as_json: bool) -> None:
    """Print what a run would do."""
    if as_json:
        typer.echo(json.dumps(document))
    else:
        for line in dry_run_lines(document["dryRun"]):
            typer.echo(line)
