"""Output files: a regular file is replaced once its new content is whole, anything else is written to directly."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def output_file(path: Path, mode: str = "wb", *, private: bool = False, **options: Any) -> Iterator[IO[Any]]:  # noqa: ANN401
    """Yield a file to write, which takes the place of `path` when the block ends without an exception.

    A link is followed, so that the file it names is replaced and the link stays. A device, a pipe, or the file that
    stdout or stderr writes to (such as /dev/stdout) is written to directly, since another file in its place would not
    receive what its readers expect; so is a file in a directory that accepts no other file. `private`: a regular file
    is readable only by its owner from the first byte on; otherwise it keeps its permissions. `mode` and `options` are
    those of `open`.

    Raises:
        OSError: the file cannot be written. A regular file then keeps its content.

    """
    found = _stat(path)
    descriptor = _descriptor_of(found, (sys.__stdout__, sys.__stderr__))
    regular = found is not None and stat.S_ISREG(found.st_mode)
    if found is None or (regular and descriptor is None and _takes_files(_folder(path))):
        permissions = 0o600 if private else None if found is None else stat.S_IMODE(found.st_mode)
        with _replacing(Path(os.path.realpath(path)), permissions, mode, options) as file:
            yield file
        return
    # A duplicate shares the position of the descriptor, and keeps the O_APPEND of a shell's >>.
    with open(path if descriptor is None else os.dup(descriptor), mode, **options) as file:  # noqa: PTH123
        yield file


def why_not_writable(path: Path) -> str | None:
    """Return why `output_file` could not write `path`, None if it could; nothing is changed."""
    try:
        found = _stat(path)
    except OSError as error:
        return file_reason(error)
    if found is not None and stat.S_ISDIR(found.st_mode):
        return "is a directory"
    if found is not None:
        return None if os.access(path, os.W_OK) else "you have no permission to write it"
    folder = _folder(path)
    if not folder.is_dir():
        return f"there is no directory {folder}"
    return None if _takes_files(folder) else f"you have no permission to write into {folder}"


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths name one regular file, or one that does not exist yet, but no device or pipe."""
    found = _stat(path)
    if found is None or not stat.S_ISREG(found.st_mode):
        return found is None and os.path.realpath(path) == os.path.realpath(other)
    return other.exists() and path.samefile(other)


def is_stdout(path: Path) -> bool:
    """Return whether stdout writes to the file that a path names, as it does to /dev/stdout."""
    with contextlib.suppress(OSError):
        return _descriptor_of(_stat(path), (sys.__stdout__,)) is not None
    return False


def check_writable(option: str, path: Path) -> None:
    """Check before the work that `output_file` can write the file of an option at its end.

    Raises:
        CommandFailed: it cannot; the message names the option, the file and the reason.

    """
    if reason := why_not_writable(path):
        message = f"{option} {path}: the file cannot be written: {reason}; pass a file in a writable directory"
        raise CommandFailed(message)


@contextlib.contextmanager
def _replacing(path: Path, permissions: int | None, mode: str, options: dict[str, Any]) -> Iterator[IO[Any]]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if permissions is None else 0o600)

    try:
        part.unlink(missing_ok=True)
        # "x": a link that another user has put there is not followed.
        with open(part, mode.replace("w", "x"), opener=create, **options) as file:
            if permissions is not None:
                os.fchmod(file.fileno(), permissions)
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _folder(path: Path) -> Path:
    """Return the directory of the file that a path names, links followed."""
    return Path(os.path.realpath(path)).parent


def _takes_files(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _stat(path: Path) -> os.stat_result | None:
    """Return what a path names, links followed; None if there is nothing."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _descriptor_of(found: os.stat_result | None, streams: Sequence[TextIO | None]) -> int | None:
    """Return the descriptor of the stream that writes to this file, else None."""
    for stream in streams:
        try:
            descriptor = stream.fileno() if stream is not None else None
            if descriptor is not None and found is not None and os.path.samestat(os.fstat(descriptor), found):
                return descriptor
        except (OSError, ValueError):  # closed
            continue
    return None
