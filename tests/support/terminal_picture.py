"""The picture of the command in the documentation: a terminal's screen, drawn as it stands while a run is watched."""

import re
import sys
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.support.terminal import Terminal

COLUMNS, LINES = 110, 30
# Terminals' names of colours, as rich has them.
COLOURS = {"brown": "yellow", "brightblack": "bright_black", "default": None}


def screen_of(shown: str) -> pyte.Screen:
    """Play what a command wrote on a screen."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    stream.feed(shown)
    return screen


def coloured(screen: pyte.Screen) -> Text:
    """Read the screen's lines with their colours, empty ones at the end left out."""
    whole = Text(no_wrap=True)
    last = max((number for number, line in enumerate(screen.display) if line.strip()), default=0)
    for row in range(last + 1):
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            colour = COLOURS.get(cell.fg, cell.fg)
            if colour and re.fullmatch("[0-9a-f]{6}", colour):
                colour = f"#{colour}"
            elif colour and colour.startswith("bright") and "_" not in colour:
                colour = colour.replace("bright", "bright_")
            whole.append(cell.data, Style(color=colour, bold=cell.bold or None))
        whole.rstrip()
        whole.append("\n")
    return whole


def draw(terminal: Terminal, command: str, path: Path) -> Path:
    """Draw what a terminal shows now, with the command before it, as SVG."""
    # 38;5 and 38;2 with colons are rich's to write and pyte's not to read; it writes semicolons.
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text(f"$ {command}", style="bold"), no_wrap=True)
        console.print(coloured(screen_of(terminal.shown)), end="", no_wrap=True)
        svg = console.export_svg(title="prewarm", unique_id="prewarm")
    # The font is asked of nobody: a picture in the documentation loads nothing.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return path
