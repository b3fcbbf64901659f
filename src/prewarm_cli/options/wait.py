"""Options that limit how long a command waits for a run, and name the files it writes at the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.output.files import check_writable
from prewarm_cli.report_download import FORMATS


@dataclass(frozen=True)
class WaitOptions:
    """The longest wait in seconds, None for no limit, and the paths of the files that are written at the end."""

    seconds: float | None = None
    junit: Path | None = None
    report: Path | None = None
    gitlab_links: Path | None = None


def wait_options_of(
    *,
    wait_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Stop waiting after this time; the run continues, and the exit code is 3.",
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a JUnit report (XML) at the end: one test case per URL."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Download the run's report at the end, as .html, .json or .csv."),
    ] = None,
    gitlab_links: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write an annotations report at the end: GitLab then links the run's page on the job's page.",
        ),
    ] = None,
) -> WaitOptions:
    """Return the wait options, checked.

    Raises:
        CommandFailed: a file cannot be written, or its suffix is not a report format.

    """
    # Checked now, so that a wrong path fails before the wait.
    for option, path in (("junit", junit), ("report", report), ("gitlab-links", gitlab_links)):
        if path is not None:
            check_writable(f"--{option}", path)
    if report is not None and report.suffix[1:] not in FORMATS:
        raise CommandFailed(f"--report {report}: the name must end in .html, .json or .csv")
    return WaitOptions(wait_seconds, junit, report, gitlab_links)
