"""Where the values of a JSON text are: the line of each field, for messages about a file."""

from __future__ import annotations

import re

PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def line_of(text: str, field: str) -> int | None:
    """Return the line of a field, such as `sitemap[0].url`, in a valid JSON text; None if it has no such field.

    A field that a list would contain is also found as the one value that replaces the list (`region[0]`).
    """
    lines = value_lines(text)
    while field:
        if field in lines:
            return lines[field]
        shorter = re.sub(r"(?:\[[0-9]+\]|\.?[^.\[\]]+)$", "", field)
        field = shorter if shorter != field else ""
    return None


def value_lines(text: str) -> dict[str, int]:
    """Return the line of each value by its path, such as `url_list[2]` or `headers.Origin`."""
    import json  # noqa: PLC0415 - json and this module are needed for a message only

    found: dict[str, int] = {}
    # Per open object or list: its path, and the name or the index of its next value.
    path: list[tuple[str, str | int]] = []
    line, position, name = 1, 0, ""
    for match in PIECE.finditer(text):
        line += text.count("\n", position, match.start())
        position, piece = match.start(), match[0]
        where, key = path[-1] if path else ("", "")
        if piece in "]}":
            path.pop()
        elif piece == ",":
            path[-1] = (where, key + 1 if isinstance(key, int) else "")
        elif piece == ":":
            path[-1] = (where, name)
        elif key == "" and path:
            name = str(json.loads(piece))
        else:
            place = f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}".removeprefix(".")
            found.setdefault(place, line)
            if piece in "[{":
                path.append((place, 0 if piece == "[" else ""))
    return found
