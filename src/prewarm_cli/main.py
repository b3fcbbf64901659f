"""The command line `prewarm`: registers the commands, each of which has its own module."""

from __future__ import annotations

from typing import Annotated

import typer

from prewarm import __version__
from prewarm_cli.commands import configure, manage, pops, report, run_here, serve, start, watch
from prewarm_cli.demo import command as demo

app = typer.Typer(name="prewarm", no_args_is_help=True, pretty_exceptions_show_locals=False)

RUNS, HERE, SETUP = "Runs", "On this machine", "Setup and reference"
app.command("start", rich_help_panel=RUNS)(start.start)
app.command("status", rich_help_panel=RUNS)(manage.status)
app.command("watch", rich_help_panel=RUNS)(watch.watch)
app.command("report", rich_help_panel=RUNS)(report.report)
app.command("cancel", rich_help_panel=RUNS)(manage.cancel)
app.command("retry", rich_help_panel=RUNS)(manage.retry)
app.command("list", rich_help_panel=RUNS)(manage.list_runs)
app.command("run", rich_help_panel=HERE)(run_here.run)
app.command("local", rich_help_panel=HERE)(serve.local)
app.command("demo", rich_help_panel=HERE)(demo.demo)
app.command("configure", rich_help_panel=SETUP)(configure.configure)
app.add_typer(pops.app, name="pops", rich_help_panel=SETUP)


def _print_version(requested: bool) -> None:  # noqa: FBT001 - as typer calls it
    if requested:
        typer.echo(f"prewarm {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Warm CloudFront POPs: `start` uses a deployed service, `run` warms from here, `local` serves the API here.

    Exit codes: 0 warm, 1 not warm, 2 bad input, 3 timeout, 4 service error, 130 interrupted.
    """


if __name__ == "__main__":
    app()
