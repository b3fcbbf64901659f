"""`prewarm doctor`: check a deployment from end to end."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from prewarm import __version__
from prewarm.diagnosis import FAILURE, Row, worst
from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, command
from prewarm_cli.config import client_of
from prewarm_cli.doctor.examination import Examination, Options
from prewarm_cli.doctor.output import row_lines, summary_line
from prewarm_cli.doctor.report import anonymiser_for, report_text, write_report
from prewarm_cli.errors import Code, print_stderr
from prewarm_cli.output.files import check_writable
from prewarm_cli.output.terminal import echo

# The default of a request (docs/api.md), and the most that it accepts.
MAX_CONCURRENCY, HIGHEST_CONCURRENCY = 5, 1000
INVALIDATION_MINUTES, LONGEST_MINUTES = 20, 60


@command(client=client_of)
def doctor(
    *,
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL",
            help="The URL of a small cacheable object, on a site that the service may warm. Without it, no run is "
            "made.",
            show_default=False,
        ),
    ] = None,
    max_concurrency: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=HIGHEST_CONCURRENCY, help="The highest --max-concurrency of your runs."),
    ] = MAX_CONCURRENCY,
    invalidation: Annotated[
        bool,
        typer.Option(
            "--invalidation/--no-invalidation",
            help="Whether to invalidate one path; its query string is unique, so the URL's copies stay.",
            show_default="--invalidation",
        ),
    ] = True,
    invalidation_minutes: Annotated[
        int, typer.Option(metavar="N", min=1, max=LONGEST_MINUTES, help="How long to wait for the invalidation.")
    ] = INVALIDATION_MINUTES,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write an anonymised acceptance report (Markdown), for an issue."),
    ] = None,
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Check a deployment end to end: permissions, DNS, POPs, and runs that are warmed, cancelled and reported.

    Each line is ok, a warning or a failure, with what it means and what to do. It exits with 1 if there is a failure.
    Checks of the AWS account use your AWS credentials (extra aws) and are skipped without them. It takes less than
    two minutes, plus the time that CloudFront takes for one invalidation, and costs less than a cent.

    Examples:
      prewarm doctor https://www.example.com/favicon.ico
      prewarm doctor https://www.example.com/favicon.ico --report acceptance.md
      prewarm doctor --json
    """
    if report is not None:
        check_writable("--report", report)
    options = Options(url, max_concurrency, invalidation_minutes * 60.0, invalidation)
    examination = Examination(client, options)
    rows: list[Row] = []
    for row in examination.rows():
        rows.append(row)
        if not as_json:
            echo(row_lines(row))
    summary = _summary(examination, rows)
    if report is not None:
        # No row has the key, which is only sent; should a service repeat it, it is replaced.
        anonymiser = anonymiser_for(client.url, client.key, url, examination.state_machine_arn)
        write_report(report, report_text(rows, summary, anonymiser))
    if as_json:
        typer.echo(json.dumps(summary | {"checks": [row.as_json() for row in rows]}))
    else:
        echo(["", summary_line(rows)])
    if report is not None:
        print_stderr(f"wrote {report}; read it before you send it (docs/doctor.md)")
    raise typer.Exit(Code.NOT_WARM if summary["result"] == FAILURE else Code.WARM)


def _summary(examination: Examination, rows: list[Row]) -> dict[str, Any]:
    """Return the examination's result without its rows; dollars are None where no run was made."""
    return {
        "result": worst(rows),
        "version": __version__,
        "serviceVersion": examination.service_version or None,
        "seconds": round(examination.seconds, 1),
        "invalidationSeconds": round(examination.invalidation_seconds, 1),
        "estimatedDollars": _rounded(examination.estimated),
        "dollars": _rounded(examination.measured),
    }


def _rounded(dollars: float | None) -> float | None:
    return None if dollars is None else round(dollars, 6)
