"""Display a run in progress: bars on a terminal, plain lines elsewhere, JSON lines with --json."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import typer

from prewarm_cli.output.progress import in_progress, not_warm_so_far, progress_line, targets_of
from prewarm_cli.output.terminal import echo

if TYPE_CHECKING:
    from collections.abc import Iterator

# On a narrower terminal, times and rate would leave no space for the bars and the counts.
MIN_COLUMNS_FOR_TIMES, MIN_COLUMNS_FOR_RATE = 60, 80
# Of the bars' columns: the name, both times with their gaps (hours of two digits), and the shortest useful bar.
NAME_COLUMNS, TIMES_COLUMNS, MIN_BAR = 8, len(" 10:00:00 left 10:00:00"), 4


class Display(Protocol):
    """Shows each status of a run."""

    needs_full_lists: bool  # whether `show` needs a status with complete lists

    def show(self, status: dict[str, Any]) -> None:
        """Show a status."""


class NoDisplay:
    """Shows nothing, for commands that print only the last status."""

    needs_full_lists = False

    def show(self, status: dict[str, Any]) -> None:
        """Do nothing."""


class JsonLines:
    """Prints each status that differs from the previous one, as one line of JSON."""

    needs_full_lists = True

    def __init__(self) -> None:
        self._last = ""

    def show(self, status: dict[str, Any]) -> None:
        """Print the status if it has changed."""
        line = json.dumps(status)
        if line != self._last:
            typer.echo(line)
            sys.stdout.flush()
        self._last = line


class PlainLines:
    """Prints a line whenever the progress has changed; words are explained in the first line that has them."""

    needs_full_lists = False

    def __init__(self) -> None:
        self._started, self._last, self._defined, self._explained = time.monotonic(), "", False, False

    def show(self, status: dict[str, Any]) -> None:
        """Print the progress, if it has changed."""
        if not in_progress(status):
            return
        # The estimate of the time left changes with each poll, also where nothing else does.
        progress = progress_line(status | {"phase": (status.get("phase") or {}) | {"secondsLeft": None}})
        if progress != self._last:
            line = progress_line(status, define=not self._defined, explain=not self._explained)
            echo([f"{time.monotonic() - self._started:7.1f} s  {line}"])
            self._defined = self._defined or targets_of(status)[1] > 0
            self._explained = self._explained or status.get("failing", 0) > 0
        self._last = progress


class ProgressBars:
    """Draws a bar of URLs and a bar of targets, with what is not warm, rate and time left."""

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

        console = Console(highlight=False)
        self._bar = BarColumn()
        self._always = TextColumn("{task.description:8}"), self._bar, MofNCompleteColumn()
        self._not_warm = TextColumn("{task.fields[failed]}", style="red")
        self._rate = TextColumn("{task.fields[rate]}")
        self._times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        # The bars vanish at the end, also after Ctrl-C: the result is printed in their place.
        self.progress = Progress(*self._always, console=console, transient=True)
        self._tasks = {
            name: self.progress.add_task(name, total=None, rate="", failed="") for name in ("URLs", "targets")
        }

    def show(self, status: dict[str, Any]) -> None:
        """Update the bars."""
        done, total = targets_of(status)
        counts = (("URLs", status["completed"], status["total"]), ("targets", done, total))
        for (name, current, maximum), failed in zip(counts, not_warm_so_far(status), strict=True):
            task = self._tasks[name]
            self.progress.update(task, completed=current, total=maximum or None)
            speed = next(each.speed for each in self.progress.tasks if each.id == task)
            rate, not_warm = f"{speed:,.0f}/s" if speed else "", f"{failed:,} not warm" if failed else ""
            self.progress.update(task, rate=rate, failed=not_warm)
        self._fit()

    def _fit(self) -> None:
        """Choose the columns that fit, and give the bar what is left, so that no number is cut."""
        tasks, width = self.progress.tasks, self.progress.console.width
        counts = max(2 * len(f"{task.total or 0:.0f}") + 1 for task in tasks)
        left = width - NAME_COLUMNS - 1 - counts - 1
        columns = list(self._always)
        not_warm, rate = (1 + max(len(task.fields[name]) for task in tasks) for name in ("failed", "rate"))
        for added, needed, least_width in (
            ([self._not_warm], not_warm, 0),
            (self._times, TIMES_COLUMNS, MIN_COLUMNS_FOR_TIMES),
            ([self._rate], rate, MIN_COLUMNS_FOR_RATE),
        ):
            if width >= least_width and left - needed >= MIN_BAR:
                columns += added
                left -= needed
        self._bar.bar_width = max(1, left)
        self.progress.columns = tuple(columns)


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
