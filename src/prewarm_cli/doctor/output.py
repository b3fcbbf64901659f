"""The rows of `prewarm doctor` as lines for people. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prewarm.diagnosis import OK, RESULTS
from prewarm_cli.options.user_request import with_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prewarm.diagnosis import Row

# The widest result and two spaces.
COLUMN = max(map(len, RESULTS)) + 2
PLURALS = {"ok": "ok", "warning": "warnings", "failure": "failures"}


def row_lines(row: Row) -> Iterator[str]:
    """Yield a row's lines: result, check and what was observed; what it means, and what to do."""
    name = row.check.replace("_", " ")
    detail, meaning, action = map(with_options, (row.detail, row.meaning, row.action))
    yield f"{row.result:<{COLUMN}}{name}: {detail} ({row.seconds:.1f} s)"
    yield f"{'':{COLUMN}}{meaning}" if row.result == OK else f"{'':{COLUMN}}meaning: {meaning}"
    if action:
        yield f"{'':{COLUMN}}do: {action}"


def summary_line(rows: Sequence[Row]) -> str:
    """Return the numbers of rows by result, the worst first."""
    counts = Counter(row.result for row in rows)
    return ", ".join(
        f"{counts[result]} {result if counts[result] == 1 else PLURALS[result]}"
        for result in RESULTS
        if counts[result]
    )
