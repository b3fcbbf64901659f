"""Pages of a status: how many URLs fit into one answer, and where the next one begins. Pure."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prewarm.errors import InvalidRequest, Problem, truncate

# Lambda's answer may have 6 MB (Lambda quotas, "Invocation payload"), the body in it escaped once more as JSON text.
ROOM_BYTES = 5_500_000


# More URLs than this no run has.
LIMIT = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a run's URLs is wanted: from which index on, and how many at the most; None: all that fit."""

    start: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One URL as a status shows it: its verdict, and for a failed one its reasons and coverage."""

    url: str
    verdict: str
    reasons: dict[str, int] | None = None
    coverage: float = 0.0

    def failure(self) -> dict[str, Any]:
        """Return what is told of a failed URL."""
        return {"url": self.url, "reasons": self.reasons or {}, "coverage": round(self.coverage, 2)}

    def bytes(self) -> int:
        """Return how much of an answer the URL takes, at the most."""
        return escaped(self.url) + (escaped(self.failure()) if self.reasons else 0) + 2


def escaped(value: object) -> int:
    """Return how long a JSON value is as a part of a body that is itself text in Lambda's JSON."""
    return len(json.dumps(json.dumps(value)))


def cut(lines: Sequence[Line], page: Page, room: int) -> tuple[list[Line], str | None]:
    """Return the lines of a page, as many as fit into `room` bytes but at least one, and the next page's token."""
    found: list[Line] = []
    taken = 0
    for index in range(page.start, len(lines)):
        taken += lines[index].bytes()
        if found and (taken > room or len(found) == page.limit):
            return found, token_of(index)
        found.append(lines[index])
    return found, None


def token_of(index: int) -> str:
    """Return the token by which the page from an index on is asked for."""
    return base64.urlsafe_b64encode(f"from {index}".encode()).decode().rstrip("=")


def limit_problems(limit: str | None, most: int | None = None) -> list[Problem]:
    """Return what is wrong with a `limit`; None is none."""
    if limit is None or (LIMIT.fullmatch(limit) and 1 <= int(limit) <= (most or int(limit))):
        return []
    return [Problem("limit", f"{truncate(limit)!r} is no whole number from 1 {f'to {most}' if most else 'on'}")]


def read_page(limit: str | None, token: str | None) -> Page:
    """Read what a caller asks for.

    Raises:
        InvalidRequest: the limit is no number, or the token is none that was given out.

    """
    problems = limit_problems(limit)
    start = 0
    if token is not None:
        try:
            word, _, number = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
            start = int(number) if word == "from" and number.isascii() and number.isdigit() else -1
        except ValueError:
            start = -1
        if start < 0:
            problems.append(Problem("nextToken", "is none that an answer gave; leave it out to begin anew"))
    if problems:
        raise InvalidRequest(problems)
    return Page(start, None if limit is None else int(limit))
