"""A run's entry in the list of runs, as far as ResolveTargets writes it: start, plan, and the end without a plan."""

import datetime as dt
import time
from typing import Any

from prewarm.request.model import CheckedRequest
from prewarm.storage.run_items import DIRECT, end_facts, hosts_of, plan_facts, start_facts
from prewarm.storage.run_store import Storage
from resolve.stages import PlannedRun


def list_start(event: dict[str, Any], request: CheckedRequest | None, store: Storage) -> None:
    """List a run that starts; the API has listed its own runs. `request`: None if it is invalid.

    A dry run that the API invokes directly is not listed.
    """
    if event.get("direct"):
        return
    run, given, redrives = event["run"], event["input"], event.get("redrives", 0)
    facts = start_facts(request, DIRECT) if request else {"startedBy": DIRECT}
    if isinstance(given, dict) and "requestKey" in given:
        del facts["startedBy"]
    started_at = dt.datetime.fromisoformat(event["startedAt"]) if "startedAt" in event else None
    store.runs.start(run, facts, started_at)
    if redrives:
        store.runs.reopen(run, redrives)


def list_plan(planned: PlannedRun, store: Storage) -> None:
    """Add what is known of a planned run."""
    hosts = hosts_of(planned.urls)
    store.runs.plan(planned.plan.run, plan_facts(planned.plan, hosts), hosts)


def list_end(event: dict[str, Any], store: Storage, status: str, error: str = "") -> None:
    """Add the end of a run that this state ends: a rejected one, or a dry run."""
    if not event.get("direct"):
        store.runs.end(event["run"], end_facts(status, error, time.time()), event.get("redrives", 0))
