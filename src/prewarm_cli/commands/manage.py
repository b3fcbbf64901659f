"""`prewarm status`, `cancel` and `retry`: manage existing runs."""

import json
from typing import Annotated

import typer

from prewarm.counted import count_of
from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.commands.start import Wait, check_wait_options, follow_or_print_id
from prewarm_cli.config import client_of
from prewarm_cli.errors import Code, print_stderr
from prewarm_cli.options.wait import WaitOptions, wait_options_of
from prewarm_cli.output.progress import progress_line
from prewarm_cli.output.terminal import echo
from prewarm_cli.output.text import exit_code_of, status_lines


@command(client=client_of)
def status(
    *,
    run: Run,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="Exit with the run's result: 0 warm, 1 not warm, 3 timed out or still running."
        ),
    ] = False,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Print a run's progress or result.

    Examples:
      prewarm status 20261124T013829Z-c0af4526
      prewarm status 20261124T013829Z-c0af4526 --json | jq -r '.failedUrl[]'
    """
    # The text output needs one page only, however large the run is.
    found = client.full_status(run) if as_json else client.status(run)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        echo(status_lines(found, page=client.page_of(run)))
    raise typer.Exit(exit_code_of(found) if exit_code else Code.WARM)


@command(client=client_of)
def cancel(*, run: Run, client: Client, as_json: AsJson = False) -> None:
    """Cancel a run: warmed URLs stay warm, the rest is not fetched.

    Examples:
      prewarm cancel 20261124T013829Z-c0af4526
    """
    found = client.cancel(run)
    if as_json:
        # The response to a cancel is the first page; the run has ended, so the other pages are stable.
        typer.echo(json.dumps(client.full_status(run) if "nextToken" in found else found))
        return
    echo([progress_line(found)])
    if page := client.page_of(found.get("run", run)):
        print_stderr(f"page: {page}")
    print_stderr(f"warm the others with: prewarm retry {found.get('run', run)}")


@command(wait_options=wait_options_of, client=client_of)
def retry(
    *,
    run: Run,
    wait: Wait = False,
    wait_options: WaitOptions,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Start a new run of the failed URLs, with the selection and options of the old run.

    Examples:
      prewarm retry 20261124T013829Z-c0af4526 --wait
    """
    check_wait_options(wait_options, wait=wait)
    document = client.retry(run)
    if not as_json:
        print_stderr(f"retrying {count_of(document['urls'], 'URL')}")
    follow_or_print_id(client, document, wait_options, wait=wait, as_json=as_json)
