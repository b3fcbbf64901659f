"""Split plain lines of a CSV into columns, some hundred lines with a few calls. Pure.

A call for each row, even of the CSV reader, takes longer than all else that reading a list of targets does. What is
not plain here is read row by row (targets_reader.py).
"""

import csv
from collections.abc import Sequence

# Counts of so many digits are below targets_csv.MOST_COUNT.
MOST_DIGITS = 15


def columns_of(text: str, width: int) -> list[Sequence[str]] | None:
    """Return the cells of whole lines by column.

    None if a line is not one row of `width` cells, begins with #, or if the text is not CSV.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    if "\r" in text or text.startswith(("#", '"#')) or "\n#" in text or '\n"#' in text:
        return None
    # The line end becomes a cell of its own. There are as many as lines, so if each of them follows `width` cells,
    # all lines have as many.
    lines, quotes = text.count("\n"), text.count('"')
    if not quotes:
        cells = text.replace("\n", ",\n,").split(",")[:-1]
    elif quotes == 2 * width * lines and text.startswith('"'):
        # With as many quotes as there are around cells, and all of them found there, none is inside one.
        cells = text.replace("\n", ',"\n",')[1:-2].split('","')
    else:
        # Takes twice as long.
        try:
            rows = list(csv.reader(text.split("\n")[:-1], strict=True))
        except csv.Error:
            return None
        # A quoted cell with a line end makes one row of two lines.
        if len(rows) != lines or set(map(len, rows)) != {width}:
            return None
        return list(zip(*rows, strict=True))
    step = width + 1
    if len(cells) != lines * step or cells[width::step].count("\n") != lines:
        return None
    return [cells[place::step] for place in range(width)]


def counts_of(cells: Sequence[str]) -> list[int] | None:
    """Return the numbers in a column; None if a cell is not a whole number of at most MOST_DIGITS digits."""
    text = "".join(cells)
    if not (text.isascii() and text.isdecimal() and all(cells)) or max(map(len, cells)) > MOST_DIGITS:
        return None
    return list(map(int, cells))
