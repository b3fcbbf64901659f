"""Times and durations for people: how long ago, and the time with its zone."""

from __future__ import annotations

import datetime as dt

MINUTE, HOUR, DAY = 60, 3600, 86_400


def parse(text: object) -> dt.datetime | None:
    """Return an ISO time in UTC, None if it is not one; a time without a zone is UTC, as the service's are."""
    try:
        time = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as `2 min 5 s`."""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min" + (f" {whole % MINUTE} s" if whole % MINUTE else "")
    if whole < DAY:
        return f"{whole // HOUR} h" + (f" {minutes} min" if (minutes := whole % HOUR // MINUTE) else "")
    return f"{whole // DAY} d" + (f" {hours} h" if (hours := whole % DAY // HOUR) else "")


def ago(time: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago a time was, in its largest unit; a time ahead of this machine's clock is `just now`."""
    seconds = (now - time).total_seconds()
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name} ago"
    return "just now"


def short(text: object, now: dt.datetime) -> str:
    """Return a time for a column headed UTC: without this year, with how long ago it was."""
    time = parse(text)
    if time is None:
        return str(text or "")
    return f"{time:{'%m-%d %H:%M' if time.year == now.year else '%Y-%m-%d'}}, {ago(time, now)}"


def started(started: object, now: dt.datetime) -> str:
    """Return when a run started, and how long ago that was."""
    time = parse(started)
    return f"started {started}" if time is None else f"started {time:%Y-%m-%d %H:%M:%S} UTC ({ago(time, now)})"


def now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(dt.UTC)
