"""How a command fails: exit codes that scripts can rely on, and the one place where failures are told."""

from __future__ import annotations

import contextlib
import json
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Code(IntEnum):
    """The exit codes of every command."""

    WARM = 0
    NOT_WARM = 1
    BAD_INPUT = 2
    TIMEOUT = 3
    SERVICE = 4
    DETACHED = 130  # 128 and SIGINT's number, as shells have it


class CommandFailed(Exception):
    """What ends a command: words for people, a code for scripts, and the service's error document if there is one."""

    def __init__(self, message: str, code: Code = Code.BAD_INPUT, document: dict[str, Any] | None = None) -> None:
        self.code = code
        self.document = document or {"error": {"code": code.name.title().replace("_", ""), "message": message}}
        super().__init__(message)


def tell(message: str) -> None:
    """Say something to the person at the screen: on stderr, since stdout is for what was asked for."""
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def failures_told(*, as_json: bool) -> Iterator[None]:
    """Turn what fails within into a message on stderr, with `as_json` also a document on stdout, and an exit code."""
    try:
        yield
    except CommandFailed as failed:
        tell(f"prewarm: {failed}")
        if as_json:
            typer.echo(json.dumps(failed.document))
        raise typer.Exit(failed.code) from failed
