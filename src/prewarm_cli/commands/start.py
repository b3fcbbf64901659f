"""`prewarm start`: start a run."""

import json
from typing import Annotated, Any

import typer

from prewarm_cli.api_client import Client, new_idempotency_key
from prewarm_cli.ci.labelled_start import start_labelled, with_ci_label
from prewarm_cli.command import AsJson, command
from prewarm_cli.config import client_of
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.follow import follow
from prewarm_cli.options.request import request_of
from prewarm_cli.options.wait import WaitOptions, check_outputs, wait_options_of
from prewarm_cli.output.dry_run import dry_run_lines
from prewarm_cli.output.terminal import echo
from prewarm_cli.output.text import run_name
from prewarm_cli.price import confirm_price
from prewarm_cli.upload import with_uploaded_list

Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Start a run through every POP without printing its price or asking.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the run ends; the exit code is the run's result.")]


@command(request=request_of, wait_options=wait_options_of, client=client_of)
def start(
    *,
    request: dict[str, Any],
    wait: Wait = False,
    wait_options: WaitOptions,
    idempotency_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Repeating a request with the same key returns the same run."),
    ] = None,
    yes: Yes = False,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Start a run on a deployed service, and print its requestID.

    In CI, the run's label consists of repository, commit and pipeline. Before a run through every POP (`--region
    all`), the command prints its price and, on a terminal, asks you.

    Examples:
      prewarm start https://www.example.com/ --region apac,eu --wait
      prewarm start --file urls.txt --country india --staged --invalidate
      prewarm start --request request.json --dry-run
      git diff -z --name-only --diff-filter=d HEAD~ -- site | sed -z s,^site,https://www.example.com, |
      prewarm start --file - --region all
    """
    check_dry_run_files(request, wait_options)
    check_wait_options(wait_options, wait=wait)
    if idempotency_key == "":
        # A variable that is not set: with a new key, the repeated command would start a second run.
        raise CommandFailed(
            "--idempotency-key: is empty; set the variable that it is read from, or remove the option"
        )
    check_outputs(wait_options, request)
    request = with_uploaded_list(client, with_ci_label(request, repeatable=idempotency_key is not None))
    if not yes:
        confirm_price(client, request)
    document = start_run(client, request, idempotency_key)
    if "dryRun" in document:
        print_dry_run(document, as_json=as_json)
        return
    follow_or_print_id(client, document, wait_options, wait=wait, as_json=as_json, request=request)


def check_wait_options(wait_options: WaitOptions, *, wait: bool) -> None:
    """Reject wait options without --wait.

    Raises:
        CommandFailed: an option needs --wait.

    """
    if not wait and wait_options != WaitOptions():
        raise CommandFailed("--wait-seconds, --junit, --report and --gitlab-links need --wait")


def check_dry_run_files(request: dict[str, Any], wait_options: WaitOptions) -> None:
    """Reject --junit and --report with --dry-run: a dry run produces neither.

    Raises:
        CommandFailed: a file was requested for a dry run.

    """
    if request.get("dry_run") and (wait_options.junit or wait_options.report):
        raise CommandFailed("--junit and --report cannot be combined with --dry-run: a dry run warms nothing")


def start_run(client: Client, request: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Start a run with the Idempotency-Key `key`, or a new one, so that a repeated request starts one run.

    Raises:
        CommandFailed: the run did not start, or the response was lost; then the message contains the key.

    """
    request = with_uploaded_list(client, request)
    if not request.get("dry_run"):
        key = new_idempotency_key() if key is None else key
    repeat = f"to repeat safely, run the same command with --idempotency-key {key}: it starts no second run"
    try:
        return start_labelled(client, request, key)
    except CommandFailed as failed:
        if failed.code is not Code.SERVICE or key is None:
            raise
        raise CommandFailed(f"{failed}\n{repeat}", failed.code, failed.document) from failed
    except KeyboardInterrupt:
        print_stderr("\ninterrupted: the run may have started" + (f"; {repeat}" if key else ""))
        raise typer.Exit(Code.DETACHED) from None


def follow_or_print_id(
    client: Client,
    document: dict[str, Any],
    wait_options: WaitOptions,
    *,
    wait: bool,
    as_json: bool,
    request: object = None,
) -> None:
    """Follow a started run to its end, or print its requestID or the API's response."""
    run = document["requestID"]
    page = client.page_of(run)
    if announced := [*([f"started {run}"] if wait else []), *([f"page: {page}"] if page else [])]:
        print_stderr("\n".join(announced))
    if wait:
        follow(client, run, wait_options, as_json=as_json, request=request)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        typer.echo(run)
        print_stderr(f"follow it with: prewarm watch {run_name(run)}")


def print_dry_run(document: dict[str, Any], *, as_json: bool) -> None:
    """Print what a run would do."""
    if as_json:
        typer.echo(json.dumps(document))
    else:
        echo(dry_run_lines(document["dryRun"]))
