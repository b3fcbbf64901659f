"""`prewarm report`: a run's report as a file."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import typer

from cli.client import Client
from cli.compose import AsJson, Run, command
from cli.config import client_of
from cli.failures import Code, CommandFailed, tell

CHUNK = 1 << 16
FORMATS = ("html", "json", "csv")


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
        _copy(client, told, sys.stdout.buffer)
    if as_json:
        typer.echo(json.dumps(told if output is None else told | {"output": str(output), "bytes": size}))


def save(client: Client, told: dict[str, Any], output: Path) -> int:
    """Write what GET /report told of to a file, whole or not at all; returns its length.

    Raises:
        CommandFailed: the report cannot be fetched, or the file cannot be written.

    """
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            size = _copy(client, told, file)
        beside.replace(output)
    except OSError as error:
        raise CommandFailed(f"{output}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
    tell(f"written: {output} ({size:,} bytes)")
    return size


def _copy(client: Client, told: dict[str, Any], file: BinaryIO) -> int:
    """Copy a report from its store; returns its length."""
    import requests  # noqa: PLC0415 - `prewarm --help` need not wait for it

    size = 0
    with client.download(str(told.get("url"))) as answer:
        try:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                size += len(chunk)
        except requests.RequestException as error:
            raise CommandFailed(f"the report broke off: {error}", Code.SERVICE) from error
    file.flush()
    return size
