"""`prewarm report`: a run's report as a file."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.config import client_of
from prewarm_cli.report_download import copy_report, save


@command(client=client_of)
def report(
    *,
    run: Run,
    form: Annotated[
        Literal["html", "json", "csv"], typer.Option("--format", help="For people, machines or sheets.")
    ] = ("html"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes; stdout without it.")
    ] = None,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Fetch the report of a run that has ended.

    With --json, stdout gets what the API says of the report: its address, and for how long that can be used.

    Examples:
      prewarm report 20261124T013829Z-c0af4526 --output report.html
      prewarm report 20261124T013829Z-c0af4526 --format csv | grep failed
      prewarm report 20261124T013829Z-c0af4526 --json
    """
    told = client.report(run, form)
    size = None
    if output is not None:
        size = save(client, told, output)
    elif not as_json:
        copy_report(client, told, sys.stdout.buffer)
    if as_json:
        typer.echo(json.dumps(told if output is None else told | {"output": str(output), "bytes": size}))
