"""The documentation's picture of the command: a terminal's screen while a run is followed, as SVG."""

import re
import sys
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.support.terminal import Terminal

COLUMNS, LINES = 110, 30
# pyte's colour names and rich's.
COLOURS = {"brown": "yellow", "brightblack": "bright_black", "default": None}


def screen_of(shown: str) -> pyte.Screen:
    """Return the screen after a command's output."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    stream.feed(shown)
    return screen


def coloured(screen: pyte.Screen) -> Text:
    """Return the screen's lines with their colours, without empty lines at the end."""
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
    """Write a terminal's current screen, below its command, as SVG."""
    # rich writes 38;5 and 38;2 with semicolons, which pyte reads; it does not read the form with colons.
    with Path("/dev/null").open("w", encoding="utf-8") as null:
        console = Console(record=True, width=COLUMNS, file=null, force_terminal=True, color_system="truecolor")
        console.print(Text(f"$ {command}", style="bold"), no_wrap=True)
        console.print(coloured(screen_of(terminal.shown)), end="", no_wrap=True)
        svg = console.export_svg(title="prewarm", unique_id="prewarm")
    # Without the font's URL: a picture in the documentation must not load anything.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return path
