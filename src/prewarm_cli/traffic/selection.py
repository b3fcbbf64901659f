"""What of the logs counts, as the options say. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prewarm.fetcher.request_headers import DEFAULT_USER_AGENT
from prewarm.request.path_pattern import check_pattern
from prewarm_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
# The service's own requests, of every release.
OWN_AGENT = DEFAULT_USER_AGENT.partition("/")[0] + "/"


@dataclass(frozen=True, slots=True)
class Selection:
    """The options that decide what of the logs is demand.

    `since` and `until`: UTC without a zone, the end excluded; `hosts` in lower case, none for all; `agents`: requests
    whose User-Agent contains one are the service's own; `sampling_rate`: the percentage of requests in headerless
    logs; `separate_protocols`: http and https of a URL are two; `max_bytes`: larger objects are left out.
    """

    since: datetime | None = None
    until: datetime | None = None
    hosts: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    agents: tuple[str, ...] = (OWN_AGENT,)
    sampling_rate: float | None = None
    separate_protocols: bool = False
    ranges_as_whole: bool = False
    max_bytes: int | None = None


def moment(option: str, text: str | None) -> datetime | None:
    """Return a time given as 2026-11-01 or 2026-11-01T13:00[Z], in UTC without a zone.

    Raises:
        CommandFailed: the text is not a time.

    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise CommandFailed(
            f"{option}: {text!r} is not a time; use 2026-11-01 or 2026-11-01T13:00Z (UTC unless it has an offset)"
        ) from None


def host_of(text: str) -> str:
    """Return a host name as logs have it: in lower case, in ASCII, without the final dot.

    Raises:
        CommandFailed: the text is not a host name.

    """
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        from ada_url import idna_to_ascii  # noqa: PLC0415 - of the extra, as url_parser converts hosts

        name = idna_to_ascii(name).decode()
    if not HOST.fullmatch(name):
        raise CommandFailed(f"--host: {text!r} is not a host name; pass only the name, such as www.example.com")
    return name


def pattern_of(option: str, text: str) -> str:
    """Return a pattern of --include or --exclude.

    Raises:
        CommandFailed: it can match no path.

    """
    try:
        if text:
            return check_pattern(text)
    except ValueError:
        pass
    raise CommandFailed(f"{option}: {text!r} matches no path; write only the path, such as '/img/*'")


def agents_of(others: Sequence[str]) -> tuple[str, ...]:
    """Return the User-Agents that are not viewers: the service's own and those of --exclude-agent."""
    if not all(map(str.strip, others)):
        raise CommandFailed("--exclude-agent: is empty, which every User-Agent contains; name a part of it")
    return (OWN_AGENT, *others)
