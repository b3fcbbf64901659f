"""GET /urls: when a URL was last warmed, and whether it was warm, from the URL indices of its host's runs."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from api.runs.damaged import stored_documents
from api.runs.executions import Executions
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_parser import LONGEST_URL, near_urls, parse_url
from prewarm.results.url_index import IndexedUrl, find_url, url_hash
from prewarm.storage.run_items import host_key, started_at
from prewarm.storage.run_list import Window
from prewarm.storage.run_store import Storage
from prewarm.urls import redacted

PARAMETERS = ("url", "days")
DEFAULT_DAYS, MAX_DAYS = 30, 3_650
# Most runs of a host that one response looks through, and those that are read at once.
MAX_RUNS, PAGE_RUNS = 100, 25
DAYS = re.compile(r"\d{1,4}", re.ASCII)


@stored_documents()
def url_history(query: Mapping[str, str], executions: Executions, store: Storage) -> dict[str, Any]:
    """Return when a URL was last warmed, and whether it was warm.

    `last` is the newest run that tried it, `lastWarm` the newest after which it was warm.

    `looked` says how far the search went: the newest `runs` of the host since `since`, `withoutIndex` of them without
    results for single URLs (of earlier versions, rejected, failed early, expired), `inProgress` of them not ended;
    `complete` is false if the host has more runs in that time.

    Raises:
        Conflict: something that is stored is damaged.
        InvalidRequest: the URL or the number of days is invalid.

    """
    url, days = _parsed(query)
    window = Window(first=(dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).isoformat(timespec="milliseconds")[:23])
    wanted, found = url_hash(url.fetch), _Found()
    runs = without = in_progress = 0
    after: str | None = None
    while True:
        page = store.runs.indexed(host_key(url.host), window, after, min(PAGE_RUNS, MAX_RUNS - runs))
        for item in page.items:
            runs += 1
            in_progress += "state" not in item
            without += "state" in item and not found.look(item, wanted, executions, store)
            if found.last_warm is not None:
                break
        after = page.after
        if after is None or runs >= MAX_RUNS or found.last_warm is not None:
            break
    looked = {"since": f"{window.first[:19]}Z", "days": days, "runs": runs, "withoutIndex": without}
    return {
        "url": redacted(url.given),
        "fetched": redacted(url.fetch),
        "last": found.last,
        "lastWarm": found.last_warm,
        "looked": looked | {"inProgress": in_progress, "complete": after is None or found.last_warm is not None},
    }


class _Found:
    """The newest run that tried the URL, and the newest after which it was warm; runs are looked at newest first."""

    def __init__(self) -> None:
        self.last: dict[str, Any] | None = None
        self.last_warm: dict[str, Any] | None = None

    def look(self, item: dict[str, Any], wanted: bytes, executions: Executions, store: Storage) -> bool:
        """Look the URL up in an ended run; return whether the run has an index."""
        run = item["name"]
        if not item.get("indexed"):
            return False
        try:
            entry = find_url(wanted, item["indexed"], lambda first, last: store.read_url_index(run, first, last))
        except FileNotFoundError:
            return False
        if entry is not None:
            result = _as_json(item, executions.arn_of(run), entry)
            self.last = self.last or result
            self.last_warm = result if entry.success else None
        return True


def _as_json(item: dict[str, Any], arn: str, entry: IndexedUrl) -> dict[str, Any]:
    return {
        "requestID": arn,
        "run": item["name"],
        "label": item.get("label"),
        "status": item["state"],
        "startedAt": started_at(item),
        "endedAt": item["endedAt"],
        "warm": entry.success,
        "warmTargets": entry.warm,
        "reachableTargets": entry.reachable,
        "coverage": round(100 * entry.warm / entry.reachable, 2) if entry.reachable else 0.0,
    }


def _parsed(query: Mapping[str, str]) -> tuple[Any, int]:
    """Return the parsed URL and the number of days."""
    text, days, problems = query.get("url", ""), query.get("days", str(DEFAULT_DAYS)), []
    if not text:
        problems.append(Problem("url", "is missing; add it as a query parameter: ?url=https%3A%2F%2F…"))
    if not DAYS.fullmatch(days) or not 1 <= int(days) <= MAX_DAYS:
        problems.append(Problem("days", f"must be a whole number from 1 to {MAX_DAYS:,}, got {truncate(days)!r}"))
    url = None
    if text:
        try:
            url = parse_url(text)
        except ValueError as error:
            shown = truncate(redacted(text[: 2 * LONGEST_URL]))
            problems.append(Problem("url", f"{shown!r} {error}", near_urls(text)))
    if problems:
        raise InvalidRequest(problems)
    return url, int(days)
