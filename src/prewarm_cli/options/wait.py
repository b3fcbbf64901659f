"""The options that say how long a command waits for a run, and which files it writes at the end."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.report_download import FORMATS


@dataclass(frozen=True)
class Waiting:
    """How a command waits: for how many seconds at the most, and where JUnit and the run's own report go."""

    seconds: float | None = None
    junit: Path | None = None
    report: Path | None = None


def waiting_of(
    *,
    wait_seconds: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Wait no longer than this; the run goes on, the exit code is 3."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a JUnit report (XML) at the end: a test case per URL."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fetch the run's report at the end: a name in .html, .json or .csv."),
    ] = None,
) -> Waiting:
    """Return how to wait.

    Raises:
        CommandFailed: a file could not be written, or its name does not say what it is to hold.

    """
    # Found out now, and not after an hour of waiting.
    for option, path in (("junit", junit), ("report", report)):
        if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
            raise CommandFailed(f"--{option} {path}: no file can be written there")
    if report is not None and report.suffix[1:] not in FORMATS:
        raise CommandFailed(f"--report {report}: give it a name in .html, .json or .csv")
    return Waiting(wait_seconds, junit, report)
