"""The command in this process as if its output were a terminal of a given width."""

import pytest
import typer.testing


def terminal_of(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Make the streams of typer's CliRunner terminals of this width that draw no bars."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(typer.testing._NamedTextIOWrapper, "isatty", lambda _: True)


def too_long(shown: str, columns: int) -> list[str]:
    """Return the lines that are longer than the terminal although they could be divided between two words."""
    return [line for line in shown.splitlines() if len(line) > columns and len(line.split()) > 1]
