"""Lines for a terminal, wrapped between words; a pipe receives them whole."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, TextIO

from prewarm_cli.output.redaction import redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A shell's word: quoted text stays in one piece.
SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\S)+""")
GAP = "  "


def columns(stream: TextIO | None = None) -> int | None:
    """Return the width of a stream's terminal (by default stdout's), None for a pipe or a file.

    Read from the stream itself, since FORCE_COLOR and COLUMNS say nothing about a pipe.
    """
    stream = stream or sys.stdout  # None if it is closed
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None


def wrap(line: str, width: int | None, indent: int | None = None) -> list[str]:
    """Return a line as lines of at most `width` characters, divided between words; a longer word has its own line.

    `indent`: spaces before the second and later lines; by default those of a text after the line's first gap.
    """
    if width is None or len(line) <= width:
        return [line]
    if indent is None:
        gap = re.match(r"\s*\S+(?: \S+)? {2,}", line)
        indent = gap.end() if gap and gap.end() <= width // 3 else len(line) - len(line.lstrip())
    return textwrap.wrap(
        line.lstrip(),
        width,
        initial_indent=line[: len(line) - len(line.lstrip())],
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [line]


def wrap_command(line: str, width: int, indent: str = "  ") -> list[str]:
    """Return a shell command as lines that can be copied: each but the last ends in a backslash or a pipe.

    An option stays with its value, and a command of a pipeline in one line if it fits.
    """
    lines = [indent]
    for segment in re.split(r"(?<= \|) ", line):
        # Two columns are left for the space and the backslash.
        whole = len(indent) + len(segment) + 2 + 2 <= width
        for part in [segment] if whole else _command_parts(segment, width - len(indent) - 2 - 2):
            if lines[-1].isspace():
                lines[-1] += part
            elif len(lines[-1]) + 1 + len(part) <= width - 2:
                lines[-1] += f" {part}"
            else:
                # After a pipe the shell continues by itself.
                lines[-1] += "" if lines[-1].endswith(("|", "\\")) else " \\"
                lines.append(f"{indent}  {part}")
    return lines


def _command_parts(line: str, longest: int) -> list[str]:
    """Return a command's words, each option with its value unless that makes it longer than `longest`."""
    parts: list[str] = []
    for word in SHELL_WORD.findall(line):
        after_option = bool(parts) and parts[-1].startswith("-") and " " not in parts[-1]
        value = after_option and not word.startswith("-") and len(parts[-1]) + 1 + len(word) <= longest
        if parts and (value or word in {"|", "\\"}):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table without lines, whose columns are as wide as their widest cell."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return [GAP.join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def fits(lines: Iterable[str], width: int | None) -> bool:
    """Return whether all lines fit into the width."""
    return width is None or max(map(len, lines), default=0) <= width


def echo(lines: Iterable[str]) -> None:
    """Print lines on stdout, without the secrets of URLs, wrapped if it is a terminal."""
    width = columns()
    for line in lines:
        print("\n".join(wrap(redact_urls(line), width)))
    sys.stdout.flush()
