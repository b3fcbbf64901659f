"""Display a run in progress: bars on a terminal, plain lines elsewhere, JSON lines with --json."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import typer

from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.terminal import echo, wrap
from prewarm_cli.output.text import failure_line, failures_of, in_progress, progress_line, targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

MAX_LIVE_FAILURES = 50
# On a narrower terminal, rate and times would leave no space for the bars and the counts.
MIN_COLUMNS_FOR_TIMES = 50


class Display(Protocol):
    """Shows each status of a run."""

    needs_full_lists: bool  # whether `show` needs a status with complete lists
    shown: AbstractSet[str]  # the failed URLs that were printed

    def show(self, status: dict[str, Any]) -> None:
        """Show a status."""


class NoDisplay:
    """Shows nothing, for commands that print only the last status."""

    needs_full_lists = False
    shown: AbstractSet[str] = frozenset()

    def show(self, status: dict[str, Any]) -> None:
        """Do nothing."""


class JsonLines:
    """Prints each status that differs from the previous one, as one line of JSON."""

    needs_full_lists = True
    shown: AbstractSet[str] = frozenset()

    def __init__(self) -> None:
        self._last = ""

    def show(self, status: dict[str, Any]) -> None:
        """Print the status if it has changed."""
        line = json.dumps(status)
        if line != self._last:
            typer.echo(line)
            sys.stdout.flush()
        self._last = line


class NewFailures:
    """Formats the failures of each status that no earlier status had."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self.printed: set[str] = set()

    def lines(self, status: dict[str, Any]) -> Iterator[str]:
        """Yield a line for each new failure, up to MAX_LIVE_FAILURES per run."""
        for url, failure in failures_of(status):
            if url in self._seen or len(self._seen) > MAX_LIVE_FAILURES:
                continue
            self._seen.add(url)
            if len(self._seen) > MAX_LIVE_FAILURES:
                yield "further failures are shown at the end"
            else:
                self.printed.add(url)
                yield failure_line(url, failure, status)


class PlainLines:
    """Prints a line whenever the progress has changed."""

    needs_full_lists = False

    def __init__(self) -> None:
        self._started, self._last, self._failures = time.monotonic(), "", NewFailures()
        self.shown: AbstractSet[str] = self._failures.printed

    def show(self, status: dict[str, Any]) -> None:
        """Print new failures and, if it has changed, the progress."""
        if in_progress(status):
            echo(self._failures.lines(status))
            # The estimate of the time left changes with each poll, also where nothing else does.
            progress = progress_line(status | {"phase": (status.get("phase") or {}) | {"secondsLeft": None}})
            if progress != self._last:
                echo([f"{time.monotonic() - self._started:7.1f} s  {progress_line(status)}"])
            self._last = progress


class ProgressBars:
    """Draws a bar of URLs and a bar of targets, with rate and time left; failures scroll above them."""

    needs_full_lists = False

    def __init__(self) -> None:
        # Imported here, since only a terminal needs it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text  # noqa: PLC0415

        self._red_text = functools.partial(Text, style="red")
        self._failures = NewFailures()
        self.shown: AbstractSet[str] = self._failures.printed
        console = Console(highlight=False)
        times = TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        self.progress = Progress(
            TextColumn("{task.description:8}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            *(times if console.width >= MIN_COLUMNS_FOR_TIMES else ()),
            console=console,
            # The bars vanish at the end, also after Ctrl-C: the result is printed in their place.
            transient=True,
        )
        self._tasks = {name: self.progress.add_task(name, total=None, rate="") for name in ("URLs", "targets")}

    def show(self, status: dict[str, Any]) -> None:
        """Update the bars and print new failures."""
        # As Text: a URL may contain rich's markup, and a style passed to `print` would colour the bars too.
        console = self.progress.console
        for line in self._failures.lines(status):
            for part in wrap(redact_urls(line), console.width):
                console.print(self._red_text(part), soft_wrap=True)
        done, total = targets_of(status)
        for name, current, maximum in (("URLs", status["completed"], status["total"]), ("targets", done, total)):
            task = self._tasks[name]
            self.progress.update(task, completed=current, total=maximum or None)
            speed = next(each.speed for each in self.progress.tasks if each.id == task)
            self.progress.update(task, rate=f"{speed:,.0f}/s" if speed else "")


def on_terminal() -> bool:
    """Return whether stdout is a terminal that can draw bars."""
    # Read from the file itself, since FORCE_COLOR makes rich treat a pipe as a terminal.
    return sys.stdout.isatty() and os.environ.get("TERM") not in {"dumb", "unknown", ""}


@contextlib.contextmanager
def choose_display(*, as_json: bool = False, lines: bool = False) -> Iterator[Display]:
    """Yield the display for this stdout; `lines`: with `as_json`, print every status, not only the last."""
    if as_json:
        yield JsonLines() if lines else NoDisplay()
    elif on_terminal():
        bars = ProgressBars()
        with bars.progress:
            yield bars
    else:
        yield PlainLines()
