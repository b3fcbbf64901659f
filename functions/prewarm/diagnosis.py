"""Checks of a deployment as rows of data, for the service (GET /diagnose) and for `prewarm doctor`.

A check never raises: what goes wrong is its row. Checks run in threads until a deadline, since a call that hangs, in
a VPC without a route for example, is what they are to find.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from prewarm.errors import PrewarmError

OK, WARNING, FAILURE = "ok", "warning", "failure"
# The worst first.
RESULTS = (FAILURE, WARNING, OK)


@dataclass(frozen=True, slots=True)
class Texts:
    """The fixed texts of a check: what it shows where it is ok, what a failure means, and what to do then."""

    shows: str
    means: str
    action: str


@dataclass(frozen=True, slots=True)
class Row:
    """The result of a check.

    `result` is ok, warning or failure; `detail`: what was observed; `meaning`: what follows from it; `action`: what
    to do, empty if nothing; `seconds`: how long it took.
    """

    check: str
    result: str
    detail: str
    meaning: str
    action: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return asdict(self) | {"seconds": round(self.seconds, 2)}


@dataclass(frozen=True, slots=True)
class Check:
    """Makes the rows of one check from its texts."""

    name: str
    texts: Texts

    def ok(self, detail: str) -> Row:
        """Return a row without anything to do."""
        return Row(self.name, OK, detail, self.texts.shows)

    def warning(self, detail: str, means: str = "", action: str = "") -> Row:
        """Return a row about what works less well; `means` and `action` replace the check's own texts."""
        return Row(self.name, WARNING, detail, means or self.texts.means, action or self.texts.action)

    def failure(self, detail: str, means: str = "", action: str = "") -> Row:
        """Return a row about what does not work."""
        return Row(self.name, FAILURE, detail, means or self.texts.means, action or self.texts.action)

    def skipped(self, reason: str, action: str) -> Row:
        """Return a row about a check that could not be made, which is a warning."""
        return Row(self.name, WARNING, f"not checked: {reason}", "nothing is known about this", action)


@dataclass(frozen=True)
class Group:
    """Checks that depend on each other: `run` yields their rows in the order of `checks`, or ends early."""

    checks: Sequence[Check]
    run: Callable[[], Iterator[Row]]


def run_checks(groups: Sequence[Group], seconds: float) -> list[Row]:
    """Run the groups at the same time, for at most `seconds`; return one row for each check, in order."""
    ends = time.monotonic() + seconds
    found: dict[str, Row] = {}
    threads = [threading.Thread(target=_fill, args=(group, found), daemon=True) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    done = dict(found)
    rows: list[Row] = []
    for group, thread in zip(groups, threads, strict=True):
        late = [check for check in group.checks if check.name not in done]
        rows += [done[check.name] for check in group.checks if check.name in done]
        rows += _unfinished(late, f"no response within {seconds:g} s" if thread.is_alive() else "")
    return rows


def _fill(group: Group, found: dict[str, Row]) -> None:
    """Store a group's rows; an exception is the failure of the check that was next."""
    began = time.monotonic()
    try:
        for row in group.run():
            now = time.monotonic()
            found[row.check] = replace(row, seconds=row.seconds or now - began)
            began = now
    except Exception as error:  # noqa: BLE001 - whatever a check meets is its result
        check = next((each for each in group.checks if each.name not in found), None)
        if check is not None:
            found[check.name] = replace(check.failure(in_one_line(error)), seconds=time.monotonic() - began)


def _unfinished(checks: Sequence[Check], why: str) -> list[Row]:
    """Return the rows of checks without one: the first failed if the time was up; the others depend on it."""
    rows: list[Row] = []
    for check in checks:
        if why and not rows:
            rows.append(check.failure(why))
        else:
            rows.append(check.skipped("a check that it depends on did not succeed", "fix that one first"))
    return rows


def in_one_line(error: BaseException) -> str:
    """Return an exception as one line: the project's own and AWS's as they are, others with their class."""
    text = " ".join(str(error).split())
    readable = isinstance(error, PrewarmError) or text.startswith("An error occurred")
    return text if text and readable else f"{type(error).__name__}: {text}".removesuffix(": ")


def worst(rows: Sequence[Row]) -> str:
    """Return the worst result of the rows; ok without any."""
    results = {row.result for row in rows}
    return next((result for result in RESULTS if result in results), OK)


def row_of(document: Mapping[str, Any]) -> Row:
    """Return a row from its JSON, with texts for what an older or newer service leaves out."""
    seconds = document.get("seconds")
    return Row(
        check=str(document.get("check") or "unknown"),
        result=str(document.get("result")) if document.get("result") in RESULTS else FAILURE,
        detail=str(document.get("detail") or ""),
        meaning=str(document.get("meaning") or ""),
        action=str(document.get("action") or ""),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
    )
