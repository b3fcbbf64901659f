"""Find log files in folders, and leave out those whose names have an hour outside of the period."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.traffic.log_files import LogFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How the name of a file or folder begins that is not a log: hidden, or a mark such as _SUCCESS.
HIDDEN = (".", "_")
# The hour of `ID.2026-11-14-20.hash.gz`, of `2026/11/14/20/` and of `year=2026/month=11/day=14/hour=20/`; the last
# two may end with the day.
HOUR = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<gap>-|/(?:month=)?)(?P<month>\d\d)(?:-|/(?:day=)?)(?P<day>\d\d)"
    r"(?:(?:-|/(?:hour=)?)(?P<hour>\d\d)(?!\d))?"
)
# Logs are delivered up to 24 hours late ("Timing of standard log file delivery"), and partitions and Firehose's keys
# have the time of the delivery; one hour more, since a name has the hour in which a period begins.
LATE, EARLY = timedelta(hours=25), timedelta(hours=1)
# A prefix of Firehose may be in a time zone of the user's choice ("CustomTimeZone"), from UTC-12 to UTC+14. Only the
# names that CloudFront gives to files are always in UTC: `ID.2026-11-14-20.hash.gz`.
AHEAD, BEHIND = timedelta(hours=14), timedelta(hours=12)


def local_files(paths: Iterable[Path]) -> list[LogFile]:
    """Return the files of these paths, folders with all below them; each once, in order of their names.

    Links to folders are followed.

    Raises:
        CommandFailed: a path does not exist, cannot be read, or is a pipe or a device.

    """
    found: dict[tuple[int, int], LogFile] = {}
    for path in paths:
        try:
            if path.is_dir():
                given = len(str(path)) if str(path) != "." else 0
                for name in sorted(_below(path)):
                    found.setdefault(_identity(name), LogFile(Path(name), name, given=given))
            else:
                if path.exists() and not path.is_file():
                    raise CommandFailed(
                        f"{path}: is not a file; logs are read more than once, which a pipe cannot be"
                    )
                path.open("rb").close()
                given = len(str(path)) - len(path.name)
                found.setdefault(_identity(str(path)), LogFile(path, str(path), given=given))
        except OSError as error:
            raise CommandFailed(f"{error.filename or path}: {file_reason(error)}") from error
    return list(found.values())


def _below(folder: Path) -> Iterator[str]:
    """Yield the names of the files below a folder, without those that are hidden."""

    def refuse(error: OSError) -> None:
        # Logs in a folder that cannot be read would be missing without a word.
        raise error

    entered = {_identity(str(folder))}
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(place)
        # A folder that a link leads to may contain the link.
        folders[:] = [name for name in folders if not name.startswith(HIDDEN) and _is_new(here / name, entered)]
        for name in names:
            path = here / name
            if not name.startswith(HIDDEN) and path.is_file():
                yield str(path)


def _is_new(folder: Path, entered: set[tuple[int, int]]) -> bool:
    """Return whether a folder was not entered before, and record it."""
    identity = _identity(str(folder))
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _identity(name: str) -> tuple[int, int]:
    """Return what is the same for all names of a file."""
    # Path.resolve takes ten times as long.
    status = os.stat(name)  # noqa: PTH116
    return status.st_dev, status.st_ino


def is_hidden(key: str, given: int) -> bool:
    """Return whether a name is that of a hidden file or folder, or of a mark, below the part that the user named."""
    start = key.rfind("/", 0, given) + 1
    # A name that the user has begun to write is meant.
    parts = key[start:].split("/")
    return any(part.startswith(HIDDEN) for part in (parts[1:] if start < given else parts))


def within(name: str, since: datetime | None, until: datetime | None, given: int = 0) -> bool:
    """Return whether a file of this name may have requests of a period; one without an hour in its name may.

    `since` and `until` are in UTC without a zone; `given`: the length of the part of the name that the user named,
    whose hour is not used alone: it may be the day of an export.
    """
    if since is None and until is None:
        return True
    matches = [found for found in HOUR.finditer(name) if found.end() > given]
    if not matches:
        return True
    found = matches[-1]
    hour = found["hour"]
    try:
        # UTC without a zone, as the period.
        begin = datetime.fromisoformat(f"{found['year']}-{found['month']}-{found['day']}T{hour or '00'}")
    except ValueError:
        return True
    end = begin + timedelta(hours=1 if hour else 24) + EARLY
    begin -= LATE
    if not (hour and name[: found.start()].endswith(".")):
        begin, end = begin - AHEAD, end + BEHIND
    return not ((since and end <= since) or (until and begin >= until))
