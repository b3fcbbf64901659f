"""How a command fails: the exit codes that scripts rely on, and the one place that prints failures."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer
from typer.exceptions import TyperException

from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.terminal import columns, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "cloudfront-prewarm"


class Code(IntEnum):
    """The exit codes of every command."""

    WARM = 0
    NOT_WARM = 1
    BAD_INPUT = 2
    TIMEOUT = 3
    SERVICE = 4
    DETACHED = 130  # 128 plus the number of SIGINT, as shells report it
    CLOSED_PIPE = 141  # 128 plus the number of SIGPIPE


# Of writing to a stream: no space, over a quota or a limit of size, a broken device, a closed descriptor.
OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


class CommandFailed(Exception):
    """A failure that ends a command: a message, an exit code and, if the API sent one, its error document."""

    def __init__(self, message: str, code: Code = Code.BAD_INPUT, document: dict[str, Any] | None = None) -> None:
        self.code = code
        self.document = document or {"error": {"code": code.name.title().replace("_", ""), "message": message}}
        super().__init__(message)


def print_stderr(message: str) -> None:
    """Print a message for the user on stderr, without the secrets of URLs; stdout has only the command's result."""
    width = columns(sys.stderr)
    lines = [part for line in redact_urls(message).split("\n") for part in wrap(line, width)]
    print("\n".join(lines), file=sys.stderr, flush=True)


@contextlib.contextmanager
def handle_errors(*, as_json: bool, command: str = "", extra: str | None = None) -> Iterator[None]:
    """Turn an exception of the block into a message on stderr and an exit code; no traceback.

    With `as_json` the error document goes to stdout as well. `extra` names the optional dependencies that `command`
    needs: if one of them is not installed, the message names the extra. An unexpected exception exits with 4, never
    with 1, which means that URLs are not warm.
    """
    try:
        yield
    except CommandFailed as failure:
        raise _exit_for(failure, as_json=as_json) from failure
    except (typer.Exit, typer.Abort, TyperException, EOFError):
        raise
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            print_stderr("\ninterrupted")
        raise typer.Exit(Code.DETACHED) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise typer.Exit(Code.CLOSED_PIPE) from error
        if isinstance(error, OSError) and error.errno in OUTPUT_ERRORS and error.filename is None:
            from prewarm_cli.failure_reasons import file_reason  # noqa: PLC0415 - as below

            unwritable = CommandFailed(f"the output cannot be written: {file_reason(error)}", Code.SERVICE)
            raise _exit_for(unwritable, as_json=False) from error
        import logging  # noqa: PLC0415 - so that `prewarm --help` starts fast

        logging.getLogger(__name__).debug("unexpected error", exc_info=error)
        if extra and isinstance(error, ModuleNotFoundError) and not _is_installed(error.name):
            message = f"`prewarm {command}` needs the {extra} extra: pipx install '{DISTRIBUTION}[{extra}]'"
        else:
            description = " ".join(f"{type(error).__name__}: {error}".split())
            message = f"unexpected error: {description} (please report it: {issues_url()})"
        raise _exit_for(CommandFailed(message, Code.SERVICE), as_json=as_json) from error


def issues_url() -> str:
    """Return where bugs are reported: the "Issues" address of pyproject.toml's project.urls."""
    import importlib.metadata  # noqa: PLC0415 - as above

    urls: list[str] = importlib.metadata.metadata(DISTRIBUTION).get_all("Project-URL", [])
    return next(url.partition(", ")[2] for url in urls if url.startswith("Issues, "))


def _is_installed(module: str | None) -> bool:
    """Return whether the top-level package of a module can be imported."""
    import importlib.util  # noqa: PLC0415 - as above

    return bool(module) and importlib.util.find_spec(str(module).partition(".")[0]) is not None


def _exit_for(failure: CommandFailed, *, as_json: bool) -> typer.Exit:
    """Print a failure; return the exception that ends the command."""
    from prewarm_cli.ci import workflow_commands  # noqa: PLC0415 - needed for a failure only

    # Where neither can be written, the exit code is all that is left.
    with contextlib.suppress(OSError):
        if workflow_commands.is_github(os.environ):
            # The runner shows an annotation's text in the log too.
            print(workflow_commands.command("error", "prewarm", str(failure)), file=sys.stderr, flush=True)
        else:
            print_stderr(f"prewarm: {failure}")
    if as_json:
        with contextlib.suppress(OSError):
            typer.echo(json.dumps(failure.document))
    return typer.Exit(failure.code)
