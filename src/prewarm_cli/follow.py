"""Waiting for a run's end: how often to look, when to give up, what Ctrl-C means, and what is told in the end."""

import json
import time
from typing import Any, NoReturn

import typer

from prewarm_cli.api_client import GLANCE, Client
from prewarm_cli.errors import Code, CommandFailed, tell
from prewarm_cli.options.wait import Waiting
from prewarm_cli.output.junit import junit
from prewarm_cli.output.live import Display, display
from prewarm_cli.output.text import code_of, end_lines, goes_on, name_of
from prewarm_cli.report_download import save

# A short run is looked at often, a long one as seldom as nobody minds: each look reads the run's ledger.
SHORTEST_PAUSE, LONGEST_PAUSE, PAUSE_SHARE = 0.5, 5.0, 0.05


def follow(
    client: Client, run: str, waiting: Waiting, *, as_json: bool, lines: bool = False, goes_on_alone: bool = True
) -> NoReturn:
    """Show a run until it ends, tell its end, and leave with its exit code.

    `lines`: with `as_json`, print each status, not only the last; `goes_on_alone`: the run outlives this process.
    """
    name = name_of(run)
    back = f"come back by: prewarm watch {name}" if goes_on_alone else "what was warmed until now stays warm"
    try:
        with display(as_json=as_json, lines=lines) as shown:
            status = _until_the_end(client, run, waiting.seconds, shown)
        if "nextToken" in status:
            status = client.whole_status(run)
    except KeyboardInterrupt:
        tell(f"\n{'detached: the run goes on' if goes_on_alone else 'stopped, and the run with it'}; {back}")
        if as_json and not lines:
            typer.echo(json.dumps({"requestID": run, "detached": goes_on_alone}))
        raise typer.Exit(Code.DETACHED) from None
    except CommandFailed as failed:
        if failed.code is not Code.SERVICE:
            raise
        fate = "the run itself may go on" if goes_on_alone else "the run ends with this command"
        raise CommandFailed(f"{failed}\n{fate}; {back}", failed.code, failed.document) from failed
    _write_files(client, run, waiting, status)
    if not as_json:
        for line in end_lines(status, stays=goes_on_alone):
            typer.echo(line)
    elif not lines:
        typer.echo(json.dumps(status))
    if goes_on(status):
        tell(f"waited for {waiting.seconds:g} s: " + (f"the run goes on; {back}" if goes_on_alone else back))
    raise typer.Exit(code_of(status))


def _write_files(client: Client, run: str, waiting: Waiting, status: dict[str, Any]) -> None:
    """Write the files that were asked for.

    Where the service has no report, the run's own exit code stands all the same.
    """
    if (path := waiting.junit) is not None:
        try:
            path.write_bytes(junit(status))
        except OSError as error:
            raise CommandFailed(f"--junit {path}: {error.strerror}") from error
    if (path := waiting.report) is not None and not goes_on(status):
        try:
            save(client, client.report(run, path.suffix[1:]), path)
        except CommandFailed as failed:
            tell(f"prewarm: --report {path}: {failed}")


def _until_the_end(client: Client, run: str, seconds: float | None, shown: Display) -> dict[str, Any]:
    """Look at a run until it has ended or the time is up; returns the last status."""
    started = time.monotonic()
    while True:
        status = client.whole_status(run) if shown.whole else client.status(run, GLANCE)
        shown.show(status)
        waited = time.monotonic() - started
        left = float("inf") if seconds is None else seconds - waited
        if not goes_on(status) or left <= 0:
            return status
        time.sleep(min(left, LONGEST_PAUSE, max(SHORTEST_PAUSE, waited * PAUSE_SHARE)))
