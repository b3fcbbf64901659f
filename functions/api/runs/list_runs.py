"""GET /runs: runs found by time, label, host and status, newest first.

The list of runs (storage/run_list.py) has every run since this version, and answers label, host and time by queries.
Without a label or host, the executions that Step Functions lists follow, for runs that an earlier version started.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from api.http.run_query import Position, RunQuery, parse_run_query
from api.runs.damaged import DAMAGE, stored_documents
from api.runs.executions import Execution, Executions
from prewarm.errors import RunNotFound
from prewarm.observability import logger
from prewarm.storage.run_items import MICROS, check_item, host_key, label_key, started_at
from prewarm.storage.run_list import RunPage
from prewarm.storage.run_store import Storage

# Most pages that one response reads to find runs that match.
MAX_PAGES_READ = 10
PAGE_RUNS = 100
# Most executions that one response looks up: a few seconds at Step Functions' usual rate of 15 DescribeExecution
# calls a second (Step Functions Developer Guide, "Quotas"), after a burst of 300.
MAX_LOOKUPS = 100
# The fields that a run's item has, and those of a run without.
SHOWN = ("startedBy", "label", "regionType", "pops", "total", "warm", "failed", "targets")
LISTS = ("hosts", "region", "locations")
# A redrive of a month-old run refreshes its item, so items may be older than the retention.
SLACK = dt.timedelta(days=62)


@stored_documents()
def list_runs(executions: Executions, store: Storage, query: Mapping[str, str]) -> dict[str, Any]:
    """Return {"runs": […], "nextToken"?}, newest first.

    A response may have fewer runs than `limit`, even none, and still have a `nextToken`.

    Raises:
        Conflict: something that is stored is damaged.
        InvalidRequest: a parameter is invalid.

    """
    asked = parse_run_query(query)
    runs: list[dict[str, Any]] = []
    position: Position | None = asked.position
    lookups = MAX_LOOKUPS
    for _ in range(MAX_PAGES_READ):
        if position is None or len(runs) >= asked.limit or lookups <= 0:
            break
        entries = _executions if position.executions else _listed
        following: Position | None = position
        for entry, looked_up, following in entries(asked, position, asked.limit - len(runs), executions, store):  # noqa: B007
            lookups -= looked_up
            if entry is not None and (not asked.status or entry["status"] == asked.status):
                runs.append(entry)
            if len(runs) >= asked.limit or lookups <= 0:
                break
        position = following
    return {"runs": runs} | ({"nextToken": asked.token(position)} if position is not None else {})


# An entry or None if it is not shown, how many executions were looked up, and where the list continues after it.
Entry = tuple[dict[str, Any] | None, int, Position | None]


def _listed(
    query: RunQuery, position: Position, limit: int, executions: Executions, store: Storage
) -> Iterator[Entry]:
    """Yield a page of the list of runs."""
    page = _page(query, position.listed or None, limit, store)
    keys = [item["sk"] for item in page.items]
    matching = store.runs.also_in(host_key(query.host), keys) if query.host and query.label else set(keys)
    for item in page.items:
        if item["sk"] not in matching:
            yield None, 0, Position(listed=item["sk"])
            continue
        try:
            entry, looked_up = _entry(item, executions), int("state" not in item)
        except DAMAGE:
            logger.exception("an item of the list of runs cannot be read")
            entry, looked_up = _damaged_entry(item["sk"], executions), 1
        yield entry, looked_up, Position(listed=item["sk"])
    if page.after is not None:
        yield None, 0, Position(listed=page.after)
    else:
        # A run of an earlier version has no label, and its hosts are not known.
        yield None, 0, None if query.label or query.host else Position(executions=True)


def _page(query: RunQuery, after: str | None, limit: int, store: Storage) -> RunPage:
    if query.label or query.host:
        partition = label_key(query.label) if query.label else host_key(query.host)
        return store.runs.indexed(partition, query.window, after, PAGE_RUNS if query.status else limit)
    oldest = dt.datetime.now(dt.UTC) - dt.timedelta(days=store.retention_days) - SLACK
    # What is recorded at the end does not change, so only such a status can select in the query.
    return store.runs.months(query.window, query.status, after, limit, oldest.date())


def _entry(item: dict[str, Any], executions: Executions) -> dict[str, Any] | None:
    """Return a run as GET /runs shows it; None if it was listed and not started.

    Raises any of damaged.DAMAGE if an attribute is missing or has another type.
    """
    execution = None
    if "state" not in item:
        execution = _described(item["name"], executions, planned="targets" in item)
        if not execution:
            return None
    check_item(item)
    return entry_of(item, executions.arn_of(item["name"]), execution)


def _damaged_entry(key: str, executions: Executions) -> dict[str, Any] | None:
    """Return what is known of a run whose item cannot be read: its key has its name and start."""
    # Whether it was planned is not known either; it is listed rather than left out.
    execution = _described(key.partition("#")[2], executions, planned=True)
    return entry_of({"sk": key}, execution.arn, execution) | {"damaged": True} if execution else None


def _described(run: str, executions: Executions, *, planned: bool) -> Execution | None:
    """Return the execution of a run whose end is not recorded; None if it was listed and not started."""
    try:
        return executions.describe(run)
    except RunNotFound:
        if not planned:
            return None
        # It was planned, so it existed; Step Functions has deleted it since.
        return Execution(run, executions.arn_of(run), "FAILED", "", "", "")


def _executions(
    query: RunQuery, position: Position, _: int, executions: Executions, store: Storage
) -> Iterator[Entry]:
    """Yield a page of the executions that are not in the list of runs."""
    page, token = executions.page(PAGE_RUNS, position.token or None)
    after = [number for number, each in enumerate(page) if each.run == position.after]
    page = page[after[0] + 1 :] if after else page
    if position.after and not after:
        # Newer runs have moved it to a later page.
        page = [each for each in page if each.started_at <= position.started]
    listed = store.runs.listed([each.run for each in page])
    for execution in page:
        here = Position(executions=True, token=position.token, after=execution.run, started=execution.started_at)
        if execution.started_at < query.window.first:
            yield None, 0, None
            return
        if execution.run in listed or execution.started_at >= query.window.last:
            yield None, 0, here
            continue
        # Only the error distinguishes FAILED from TIMEOUT.
        failed = execution.status == "FAILED" and query.status in {"", "FAILED", "TIMEOUT"}
        found = executions.with_error(execution) if failed else execution
        yield entry_of({}, found.arn, found), int(failed), here
    yield None, 0, Position(executions=True, token=token) if token else None


def entry_of(item: dict[str, Any], arn: str, execution: Execution | None = None) -> dict[str, Any]:
    """Return a run as GET /runs shows it: from its item if the end is recorded there, else from its execution."""
    known = {name: item.get(name) for name in SHOWN} | {name: item.get(name, []) for name in LISTS}
    entry = known | {
        "requestID": arn,
        "hostCount": item.get("hostCount"),
        "dollars": item["micros"] / MICROS if "micros" in item else None,
        "dryRun": item.get("dryRun", False),
    }
    if execution is None:
        own = {"run": item["name"], "status": item["state"], "endedAt": item["endedAt"]}
        return entry | own | {"startedAt": started_at(item)}
    return entry | {
        "run": execution.run,
        "status": execution.list_status,
        "startedAt": execution.started_at or started_at(item),
        "endedAt": execution.ended_at or None,
    }
