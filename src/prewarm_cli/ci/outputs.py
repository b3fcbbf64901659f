"""Write what the CI server shows about a run: before, around and after a wait."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prewarm_cli.ci import github, gitlab, workflow_commands
from prewarm_cli.errors import print_stderr
from prewarm_cli.failure_reasons import file_reason

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def log_section(title: str, *, as_json: bool) -> Iterator[None]:
    """Put the block's output into a section of GitLab's job log; elsewhere, and with JSON on stdout, do nothing."""
    if as_json or not gitlab.is_gitlab(os.environ):
        yield
        return
    print(gitlab.section_start(title, time.time()), flush=True)
    try:
        yield
    finally:
        print(gitlab.section_end(time.time()), flush=True)


def report_to_ci(status: dict[str, Any], page: str | None) -> None:
    """In GitHub Actions, print annotations on stderr and append the summary; a failure to do so fails no run."""
    if not workflow_commands.is_github(os.environ):
        return
    for line in github.annotation_lines(status, page):
        # Not print_stderr, which may wrap: a workflow command is one line.
        print(line, file=sys.stderr, flush=True)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(github.step_summary(status, page))
    except OSError as error:
        print_stderr(f"prewarm: GITHUB_STEP_SUMMARY {path}: {file_reason(error)}")
