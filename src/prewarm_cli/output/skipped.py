"""The skipped POPs of a run or a dry run as text: how many of the selected ones, and their names by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm.results.skipped_pops import names_are_cut, skip_lines
from prewarm_cli.output.failures import INDENT

if TYPE_CHECKING:
    from collections.abc import Iterator


def skipped_lines(document: dict[str, Any], all_names: str) -> Iterator[str]:
    """Yield the lines about the skipped POPs of a status, or of a distribution of a dry run.

    `all_names`: where the names are that a line leaves out. A service of an earlier release returns no text.
    """
    skipped = document.get("skippedPops", [])
    text = str(document.get("skippedText") or "")
    lines = [*([text] if text else []), *skip_lines(skipped)]
    if names_are_cut(skipped):
        lines.append(f"all names: {all_names}")
    yield from (f"{INDENT if number and text else 'skipped  '}{line}" for number, line in enumerate(lines))
