"""Options that limit how long a command waits for a run, and name the files it writes at the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.bad_values import check_finite
from prewarm_cli.options.user_request import UserRequest
from prewarm_cli.output.files import check_writable, is_same_file
from prewarm_cli.report_download import FORMATS


@dataclass(frozen=True)
class WaitOptions:
    """The longest wait in seconds, None for no limit, and the paths of the files that are written at the end."""

    seconds: float | None = None
    junit: Path | None = None
    report: Path | None = None
    gitlab_links: Path | None = None

    @property
    def outputs(self) -> list[tuple[str, Path]]:
        """Return the files by their options."""
        named = (("--junit", self.junit), ("--report", self.report), ("--gitlab-links", self.gitlab_links))
        return [(option, path) for option, path in named if path is not None]


def check_outputs(wait: WaitOptions, request: object = None) -> None:
    """Check that no file is written in place of another one of them, or of one that the request was read from.

    Raises:
        CommandFailed: one is.

    """
    files = list(request.read) if isinstance(request, UserRequest) else []
    for option, path in wait.outputs:
        for other, used in files:
            if is_same_file(path, used):
                raise CommandFailed(f"{option} {path}: is the file of {other}; name another file")
        files.append((option, path))


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
        CommandFailed: a file cannot be written, its suffix is not a report format, or the time is not finite.

    """
    check_finite({"wait_seconds": wait_seconds})
    # Checked now, so that a wrong path fails before the wait.
    options = WaitOptions(wait_seconds, junit, report, gitlab_links)
    for option, path in options.outputs:
        check_writable(option, path)
    check_outputs(options)
    if report is not None and report.suffix[1:] not in FORMATS:
        raise CommandFailed(f"--report {report}: the name must end in .html, .json or .csv")
    return options
