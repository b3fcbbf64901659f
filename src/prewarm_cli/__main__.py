"""The entry point of `prewarm`: handles what happens before and after a command, with the exit codes of commands."""

import contextlib
import errno
import os
import signal
import sys

SERVICE, INTERRUPTED = 4, 128 + signal.SIGINT
# What shells report of a process that SIGPIPE has ended.
CLOSED_PIPE = 128 + 13


def main() -> None:
    """Run the command line, and exit with its code; with 4 if stdout cannot be written."""
    _open_closed_streams()
    try:
        # Imported here, so that Ctrl-C during the import is handled too.
        from prewarm_cli.main import app  # noqa: PLC0415

        app()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        code = _output_failed(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _output_failed(error)
    sys.exit(code)


def _output_failed(error: OSError) -> int:
    """Discard what is still buffered, since it would fail again at the exit; return the exit code."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return CLOSED_PIPE
    with contextlib.suppress(OSError):
        print(f"prewarm: the output cannot be written: {error.strerror or error}", file=sys.stderr, flush=True)
    return SERVICE


def _open_closed_streams() -> None:
    """Let a closed stdout or stderr write to nowhere, and keep files that are opened from taking their numbers.

    A closed stdin stays None: what reads it says so.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        if name != "stdin":
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the exit


if __name__ == "__main__":
    main()
