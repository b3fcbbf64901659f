"""The items of the list of runs: their keys, and what is written at a run's start, plan and end. Pure.

Attributes have the names of GET /runs, but for `name` (the run's), `state` (its status; absent until the end is
recorded), `micros` (millionths of a dollar, since the ledger has no fractions) and `indexed` (URLs in its URL index).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prewarm.execution_status import run_state
from prewarm.planning.plan import PAIRS, Plan
from prewarm.urls import Url

if TYPE_CHECKING:
    from prewarm.request.model import CheckedRequest

# The sort key of the item that says where a run's item is.
LISTED = "listed"
MONTHS = "#runs#"
# What an item shows; `hostCount` and `pops` count all.
HOSTS_SHOWN, NAMES_SHOWN = 20, 10
# Hosts by which a run can be found; a run with more has a warning.
HOSTS_INDEXED = 1_000
MICROS = 1_000_000
# The attributes that GET /runs shows, by type.
TYPES: dict[type, tuple[str, ...]] = {
    str: ("name", "startedBy", "label", "regionType", "state", "startedAt", "endedAt"),
    int: ("hostCount", "pops", "total", "targets", "warm", "failed", "micros"),
    bool: ("dryRun",),
    list: ("hosts", "region", "locations"),
}
# `startedBy` of a run that was started without the API.
DIRECT = "direct"
# `startedBy` of a run whose caller invoked the API's function: IAM admitted it, and there was no API key.
INVOKED = "iam"


def sort_key(run: str, started_at: dt.datetime) -> str:
    """Return a run's sort key: its start in UTC to the millisecond, then its name."""
    moment = started_at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{moment}#{run}"


def month_key(key: str) -> str:
    """Return the partition of the runs of a month, from a sort key or a month."""
    return MONTHS + key[:7]


def months_back(newest: str, oldest: str) -> Iterator[str]:
    """Yield the months from the newest to the oldest, such as 2026-11."""
    year, month = int(newest[:4]), int(newest[5:7])
    while (name := f"{year:04}-{month:02}") >= oldest:
        yield name
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def label_key(label: str) -> str:
    """Return the partition of a label's runs."""
    return f"#label#{label}"


def host_key(host: str) -> str:
    """Return the partition of a host's runs."""
    return f"#host#{host}"


def check_item(item: dict[str, Any]) -> None:
    """Check the attributes that an item has, and that it has a name.

    Raises:
        ValueError: an attribute is missing, or has another type than this module writes.

    """
    for kind, names in TYPES.items():
        for name in names:
            if name in item and type(item[name]) is not kind:
                raise ValueError(f"{name} is of type {type(item[name]).__name__}")
    texts = [text for name in TYPES[list] for text in item.get(name, [])]
    if "name" not in item or ("state" in item and "endedAt" not in item) or not all(type(t) is str for t in texts):
        raise ValueError("a name, an end's time or a text is missing")


def started_at_of(key: str) -> str:
    """Return a sort key's time as the API shows it, to the second."""
    return f"{key[:19]}Z"


def started_at(item: dict[str, Any]) -> str:
    """Return when a run's execution started, where its end recorded that; else when it was asked for."""
    return item.get("startedAt") or started_at_of(item["sk"])


def hosts_of(urls: Iterable[Url]) -> list[str]:
    """Return the hosts of URLs, each once, in order."""
    return list(dict.fromkeys(url.host for url in urls))


def host_warnings(urls: Iterable[Url]) -> tuple[str, ...]:
    """Return a warning about the hosts by which a run cannot be found."""
    if (count := len(hosts_of(urls))) <= HOSTS_INDEXED:
        return ()
    return (f"the run has {count:,} hosts; GET /runs?host= and GET /urls find it by the first {HOSTS_INDEXED:,}",)


def start_facts(request: "CheckedRequest", started_by: str, api_url: str = "") -> dict[str, Any]:
    """Return what is known when a run starts; `api_url`: the address at which the API was asked for it."""
    fields, hosts = request.fields, hosts_of(request.urls)
    more = [f"and {len(fields.region) - NAMES_SHOWN} more"] if len(fields.region) > NAMES_SHOWN else []
    return (
        {
            "startedBy": started_by,
            "hosts": hosts[:HOSTS_SHOWN],
            "hostCount": len(hosts),
            "regionType": fields.region_type or PAIRS,
            "region": fields.region[:NAMES_SHOWN] + more,
            "total": len(request.urls),
            "dryRun": fields.dry_run,
        }
        | ({"label": fields.label} if fields.label else {})
        | ({"apiUrl": api_url} if api_url else {})
    )


def plan_facts(plan: Plan, hosts: list[str]) -> dict[str, Any]:
    """Return what is known when a run is planned; `hosts`: all of its URLs' hosts."""
    # Not at the top, as in knowledge_store.py: no worker plans a run.
    from prewarm.catalogue import location_of  # noqa: PLC0415

    pops = {pop for group in plan.groups for pop in group.pops}
    return {
        "hosts": hosts[:HOSTS_SHOWN],
        "hostCount": len(hosts),
        "locations": sorted({location_of(pop) for pop in pops}),
        "pops": len(pops),
        "total": plan.url_count,
        "targets": plan.targets,
    }


def end_facts(status: str, error: str, ended_at: float, began_at: float | None = None) -> dict[str, Any]:
    """Return how a run ended: `status` and `error` as Step Functions has them.

    `ended_at`, and `began_at` where it is known: the execution's own times, in epoch seconds.
    """
    began = {} if began_at is None else {"startedAt": _moment(began_at)}
    return {"state": run_state(status, error), "error": error, "endedAt": _moment(ended_at)} | began


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def result_facts(summary: dict[str, Any], indexed: int) -> dict[str, Any]:
    """Return a run's results; `indexed`: the number of URLs in its URL index."""
    return end_facts(summary["executionStatus"], summary.get("error", ""), summary["endedAt"]) | {
        "warm": summary["success"],
        "failed": summary["failed"],
        "micros": round(MICROS * summary["cost"]["dollars"]),
        "indexed": indexed,
    }
