"""How a command fails: exit codes that scripts can rely on, and the one place where failures are told."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer
from typer.exceptions import TyperException

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


def print_stderr(message: str) -> None:
    """Say something to the person at the screen: on stderr, since stdout is for what was asked for."""
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def handle_errors(*, as_json: bool) -> Iterator[None]:
    """Turn what fails within into a message on stderr, with `as_json` also a document on stdout, and an exit code.

    What nobody thought of is the service's fault or this command's: no traceback, and never exit code 1, which says
    that URLs are not warm.
    """
    try:
        yield
    except CommandFailed as failed:
        raise _exit_for(failed, as_json=as_json) from failed
    except (typer.Exit, typer.Abort, TyperException, EOFError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise
        logging.getLogger(__name__).debug("unexpected", exc_info=error)
        words = " ".join(f"{type(error).__name__}: {error}".split())
        raise _exit_for(
            CommandFailed(f"this should not have happened: {words}", Code.SERVICE), as_json=as_json
        ) from error


def _exit_for(failed: CommandFailed, *, as_json: bool) -> typer.Exit:
    """Tell a failure; returns what ends the command."""
    print_stderr(f"prewarm: {failed}")
    if as_json:
        typer.echo(json.dumps(failed.document))
    return typer.Exit(failed.code)
