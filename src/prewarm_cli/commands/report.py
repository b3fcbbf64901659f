"""`prewarm report`: download a run's report."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.config import client_of
from prewarm_cli.report_download import copy_report, save_report


@command(client=client_of)
def report(
    *,
    run: Run,
    file_format: Annotated[Literal["html", "json", "csv"], typer.Option("--format", help="Report format.")] = "html",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Download the report of a run that has ended.

    With --json, print the API's response about the report: its URL and how long that is valid.

    Examples:
      prewarm report 20261124T013829Z-c0af4526 --output report.html
      prewarm report 20261124T013829Z-c0af4526 --format csv | grep failed
      prewarm report 20261124T013829Z-c0af4526 --json
    """
    link = client.report(run, file_format)
    size = None
    if output is not None:
        size = save_report(client, link, output)
    elif not as_json:
        copy_report(client, link, sys.stdout.buffer)
    if as_json:
        typer.echo(json.dumps(link if output is None else link | {"output": str(output), "bytes": size}))
