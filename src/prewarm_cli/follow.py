"""Follow a run to its end: poll its status, display it, handle Ctrl-C, and write the files at the end."""

import json
import time
from typing import Any, NoReturn

import typer

from prewarm.execution_status import REJECTED
from prewarm_cli.api_client import Client
from prewarm_cli.ci.gitlab import annotations_json
from prewarm_cli.ci.outputs import log_section, report_to_ci
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.options.user_request import UserRequest, rejection_in_users_terms
from prewarm_cli.options.wait import WaitOptions
from prewarm_cli.output.files import output_file
from prewarm_cli.output.junit import junit_xml
from prewarm_cli.output.live import Display, choose_display
from prewarm_cli.output.progress import in_progress
from prewarm_cli.output.terminal import echo
from prewarm_cli.output.text import exit_code_of, run_name, status_lines
from prewarm_cli.report_download import save_report

# The pause between two polls grows with the run's age, since each poll reads the run's ledger. In seconds; the share
# is of the time waited so far.
MIN_PAUSE, MAX_PAUSE, PAUSE_SHARE = 0.5, 5.0, 0.05


def follow(
    client: Client,
    run: str,
    wait: WaitOptions,
    *,
    as_json: bool,
    lines: bool = False,
    outlives: bool = True,
    request: object = None,
) -> NoReturn:
    """Display a run until it ends, print its result, and exit with its exit code.

    `lines`: with `as_json`, print every status, not only the last; `outlives`: whether the run continues without this
    process; `request`: the user's request, if this command started the run.
    """
    name, page = run_name(run), client.page_of(run) if outlives else None
    resume = f"resume with: prewarm watch {name}" if outlives else "URLs warmed so far stay warm"
    try:
        with (
            log_section(f"Warming: {page or name}", as_json=as_json),
            choose_display(as_json=as_json, lines=lines) as display,
        ):
            status = poll_until_end(client, run, display, wait.seconds)
        if "nextToken" in status:
            status = client.full_status(run)
    except KeyboardInterrupt:
        print_stderr(f"\n{'detached; the run continues' if outlives else 'stopped the run'}; {resume}")
        if as_json and not lines:
            typer.echo(json.dumps({"requestID": run, "detached": outlives}))
        raise typer.Exit(Code.DETACHED) from None
    except CommandFailed as failed:
        if failed.code is not Code.SERVICE:
            raise
        consequence = "the run itself may continue" if outlives else "the run ends with this command"
        raise CommandFailed(f"{failed}\n{consequence}; {resume}", failed.code, failed.document) from failed
    if isinstance(request, UserRequest) and status.get("error") == REJECTED and not as_json:
        status["cause"] = rejection_in_users_terms(str(status.get("cause") or ""), request)
    _write_files(client, run, wait, status, page)
    report_to_ci(status, page)
    if not as_json:
        echo(status_lines(status, service_stays=outlives, page=page))
    elif not lines:
        typer.echo(json.dumps(status))
    if in_progress(status):
        print_stderr(
            f"stopped waiting after {wait.seconds:g} s; " + (f"the run continues; {resume}" if outlives else resume)
        )
    raise typer.Exit(exit_code_of(status))


def _write_files(client: Client, run: str, wait: WaitOptions, status: dict[str, Any], page: str | None) -> None:
    """Write the files that --junit, --report and --gitlab-links name.

    A missing report is printed as a message and leaves the run's own exit code unchanged.
    """
    if (path := wait.junit) is not None:
        try:
            with output_file(path) as file:
                file.write(junit_xml(status, page))
        except OSError as error:
            raise CommandFailed(f"--junit {path}: {file_reason(error)}") from error
    if (path := wait.report) is not None and not in_progress(status):
        try:
            save_report(client, client.report(run, path.suffix[1:]), path)
        except CommandFailed as failed:
            print_stderr(f"prewarm: --report {path}: {failed}")
    if (path := wait.gitlab_links) is not None and page:
        try:
            with output_file(path, "w", encoding="utf-8") as file:
                file.write(annotations_json(run_name(run), page))
        except OSError as error:
            raise CommandFailed(f"--gitlab-links {path}: {file_reason(error)}") from error


def poll_until_end(client: Client, run: str, display: Display, seconds: float | None = None) -> dict[str, Any]:
    """Poll a run until it has ended or `seconds` have passed, and return its last status."""
    started = time.monotonic()
    while True:
        # The counts are those of the whole run, whatever the page is; the lists are read once, at the end.
        status = client.full_status(run) if display.needs_full_lists else client.status(run, limit=1)
        display.show(status)
        waited = time.monotonic() - started
        left = float("inf") if seconds is None else seconds - waited
        if not in_progress(status) or left <= 0:
            return status
        time.sleep(min(left, MAX_PAUSE, max(MIN_PAUSE, waited * PAUSE_SHARE)))
