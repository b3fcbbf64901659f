"""The query of GET /runs: its filters, and tokens that are valid for the same filters only. Pure."""

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.http.pagination import MAX_LIST_TOKEN, invalid_token, limit_problems
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.model import MAX_LABEL
from prewarm.storage.run_list import Window

STATUSES = ("COMPLETED", "FAILED", "IN_PROGRESS", "TIMEOUT", "CANCELLED")
PARAMETERS = ("status", "label", "host", "since", "until", "limit", "nextToken")
DEFAULT_RUNS, MAX_RUNS = 20, 100
# A host name has at most 253 characters (RFC 1035, section 2.3.4).
HOST = re.compile(r"[a-z0-9*]([a-z0-9.-]{0,252})", re.ASCII)
# Step Functions' token has up to 1,024 characters (API Reference, ListExecutions, "nextToken"), a run's name 80;
# base64 adds a third.
MAX_TOKEN = 2_048
SORT_KEY = re.compile(r"(\d{4}-\d\d[^\x00-\x1f]{0,200})?", re.ASCII)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins.

    `listed`: after this sort key of the list of runs; `executions`: whether all listed runs have been returned, so
    that executions of earlier versions follow: on the page of `token`, after the run `after`, which started at
    `started`.
    """

    listed: str = ""
    executions: bool = False
    token: str = ""
    after: str = ""
    started: str = ""


EVERYTHING, START = Window(), Position()


@dataclass(frozen=True, slots=True)
class RunQuery:
    """The filters of a list of runs, the page's size and its position; empty filters select all runs."""

    status: str = ""
    label: str = ""
    host: str = ""
    window: Window = EVERYTHING
    limit: int = DEFAULT_RUNS
    position: Position = START

    def token(self, position: Position) -> str:
        """Return the token of the page at a position, for these filters only."""
        parts = [self._digest(), position.listed, int(position.executions)]
        document = json.dumps([*parts, position.token, position.after, position.started], separators=(",", ":"))
        return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")

    def position_of(self, token: str) -> Position | None:
        """Return the position of a token; None if it is invalid or was issued for other filters."""
        if not 0 < len(token) <= MAX_TOKEN:
            return None
        try:
            values = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
            digest, listed, executions, *rest = values
            texts = [listed, *rest]
            if digest != self._digest() or len(rest) != 3 or not all(isinstance(text, str) for text in texts):  # noqa: PLR2004
                return None
        except (ValueError, TypeError, binascii.Error, RecursionError):
            return None
        # The parts reach DynamoDB and Step Functions, which must be able to read them.
        valid = SORT_KEY.fullmatch(listed) and len(rest[0]) <= MAX_LIST_TOKEN
        return Position(listed, executions == 1, *rest) if valid else None

    def _digest(self) -> str:
        """Return what binds a token to these filters."""
        filters = [self.status, self.label, self.host, self.window.first, self.window.last]
        return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:12]


def parse_run_query(query: Mapping[str, str]) -> RunQuery:
    """Parse the parameters of GET /runs.

    Raises:
        InvalidRequest: a parameter is invalid, or the token belongs to other filters.

    """
    status, limit = query.get("status"), query.get("limit")
    problems = limit_problems(limit, MAX_RUNS)
    if status is not None and status not in STATUSES:
        problems.append(Problem("status", f"must be one of {', '.join(STATUSES)}, got {truncate(status)!r}"))
    label, host = query.get("label", ""), query.get("host", "").lower().removesuffix(".")
    if "label" in query and not 0 < len(label) <= MAX_LABEL:
        problems.append(Problem("label", f"must have 1 to {MAX_LABEL} characters, got {len(label):,}"))
    if "host" in query and not HOST.fullmatch(host):
        message = f"must be a host such as www.example.com, got {truncate(host)!r}"
        problems.append(Problem("host", message))
    since = _moment("since", query.get("since"), problems)
    until = _moment("until", query.get("until"), problems, whole_day=True)
    if since and until and since >= until:
        problems.append(Problem("until", "must be later than since"))
    if problems:
        raise InvalidRequest(problems)
    window = Window(since or EVERYTHING.first, until or EVERYTHING.last)
    parsed = RunQuery(status or "", label, host, window, DEFAULT_RUNS if limit is None else int(limit))
    if (token := query.get("nextToken")) is None:
        return parsed
    position = parsed.position_of(token)
    if position is None:
        raise InvalidRequest([invalid_token()])
    return RunQuery(parsed.status, label, host, window, parsed.limit, position)


def _moment(name: str, text: str | None, problems: list[Problem], *, whole_day: bool = False) -> str:
    """Return a time as the beginning of a sort key, empty if none is given; `whole_day`: the end of a bare date."""
    if text is None:
        return ""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        if whole_day and len(text) <= len("2026-11-25"):
            moment += DAY
        return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")[: len("2026-11-25T09:30:00.000")]
    except (ValueError, OverflowError):
        message = f"must be a date or time such as 2026-11-25 or 2026-11-25T09:30:00Z, got {truncate(text)!r}"
        problems.append(Problem(name, message))
        return ""
