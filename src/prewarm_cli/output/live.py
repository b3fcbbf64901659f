"""A run while it goes on: bars on a terminal, plain lines elsewhere, one JSON document a line for machines."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import typer

from prewarm_cli.output.text import failures_of, progress_line, targets_of, why

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURES_SHOWN_LIVE = 50
# On a narrower terminal rate and times would leave no room for the bars and the counts.
ROOM_FOR_TIMES = 50


class Display(Protocol):
    """Shows each status of a run as it comes."""

    whole: bool  # whether it needs the lists whole

    def show(self, status: dict[str, Any]) -> None:
        """Show a status."""


class Silence:
    """Shows nothing: whoever waits wants the end alone."""

    whole = False

    def show(self, status: dict[str, Any]) -> None:
        """Show nothing."""


class JsonLines:
    """Prints each status that differs from the one before, one a line."""

    whole = True

    def __init__(self) -> None:
        self._last = ""

    def show(self, status: dict[str, Any]) -> None:
        """Print it, if it is new."""
        line = json.dumps(status)
        if line != self._last:
            typer.echo(line)
            sys.stdout.flush()
        self._last = line


class Failures:
    """Remembers which failures were shown, and gives the new ones as lines."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def new(self, status: dict[str, Any]) -> Iterator[str]:
        """Yield each failure once, the first few of a run with many."""
        for url, failure in failures_of(status):
            if url in self._shown or len(self._shown) > FAILURES_SHOWN_LIVE:
                continue
            self._shown.add(url)
            if len(self._shown) > FAILURES_SHOWN_LIVE:
                yield "further failures are shown at the end"
            else:
                yield f"failed   {url}  {why(failure, status.get('words'))}"


class Lines:
    """Prints a line when something has changed."""

    whole = False

    def __init__(self) -> None:
        self._started, self._last, self._failures = time.monotonic(), "", Failures()

    def show(self, status: dict[str, Any]) -> None:
        """Print what is new."""
        if status["status"] == "IN_PROGRESS":
            for line in self._failures.new(status):
                typer.echo(line)
            line = progress_line(status)
            if line != self._last:
                typer.echo(f"{time.monotonic() - self._started:7.1f} s  {line}")
                sys.stdout.flush()
            self._last = line


class Bars:
    """Moves one bar of URLs and one of targets, with rate and time left; failures scroll by above them."""

    whole = False

    def __init__(self) -> None:
        # Imported here: where there is no terminal, none of it is needed.
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

        self._failed = functools.partial(Text, style="red")
        self._failures = Failures()
        console = Console(highlight=False)
        times = TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        self.progress = Progress(
            TextColumn("{task.description:8}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            *(times if console.width >= ROOM_FOR_TIMES else ()),
            console=console,
        )
        self._tasks = {name: self.progress.add_task(name, total=None, rate="") for name in ("URLs", "targets")}

    def show(self, status: dict[str, Any]) -> None:
        """Move the bars."""
        # As text: a URL may hold what rich would take for its markup, and a style of `print` would colour the bars.
        for line in self._failures.new(status):
            self.progress.console.print(self._failed(line), soft_wrap=True)
        done, total = targets_of(status)
        for name, now, of in (("URLs", status["completed"], status["total"]), ("targets", done, total)):
            task = self._tasks[name]
            self.progress.update(task, completed=now, total=of or None)
            speed = next(each.speed for each in self.progress.tasks if each.id == task)
            self.progress.update(task, rate=f"{speed:,.0f}/s" if speed else "")


def on_terminal() -> bool:
    """Say whether stdout is a terminal on which bars can be drawn."""
    # Asked of the file itself: FORCE_COLOR makes rich take a pipe for a terminal.
    return sys.stdout.isatty() and os.environ.get("TERM") not in {"dumb", "unknown", ""}


@contextlib.contextmanager
def display(*, as_json: bool, lines: bool = False) -> Iterator[Display]:
    """Choose how a wait is shown; `lines`: with `as_json`, each status and not only the last."""
    if as_json:
        yield JsonLines() if lines else Silence()
    elif on_terminal():
        bars = Bars()
        with bars.progress:
            yield bars
    else:
        yield Lines()
