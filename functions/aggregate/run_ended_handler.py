"""Handle a run's end, on EventBridge's "Step Functions Execution Status Change" (best-effort delivery).

A run that timed out or was aborted did not reach AggregateResults. Its summary and report are written here, so that
nothing is lost when ledger and history expire. The list of runs gets every run's end, also of one whose failure no
state recorded. Then the notification is published, if the stack has a topic.
"""

import time
from typing import Any

from aggregate.finish_run import OUTCOMES_BY_STATUS, finish_run
from aggregate.notification import compose
from aggregate.sns import publish
from prewarm.execution_status import summary_is_current
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_items import end_facts
from prewarm.storage.run_store import storage


def handler(event: dict[str, Any], _context: object) -> None:
    """Finish a run that timed out or was aborted, record the end in the list of runs, publish the notification."""
    detail = event["detail"]
    run, status = detail["name"], detail["status"]
    logger.append_keys(run=run)
    store, redrives = storage(), detail.get("redriveCount", 0)
    plan = store.get_plan(run)
    if redrives < store.ledger.control(run).redrives:
        logger.info("redriven since", extra={"status": status})
        return
    if status in OUTCOMES_BY_STATUS:
        if plan is None:
            # ResolveTargets outlives its execution: it does not plan the run after this, and may have done so since.
            store.ledger.end_run(run, redrives, status)
            plan = store.get_plan(run)
        if plan is not None and finish_run(plan, store, redrives, status) is None:
            return
    ended_at = detail["stopDate"] / 1000 if detail.get("stopDate") else time.time()
    # As GET /status has them: a run was listed some seconds before its execution started.
    began_at = detail["startDate"] / 1000 if detail.get("startDate") else None
    store.runs.end(run, end_facts(status, detail.get("error") or "", ended_at, began_at), redrives)
    settings = Settings.from_environment()
    if settings.notification_topic and (settings.notifications == "all" or status != "SUCCEEDED"):
        summary = store.get_summary(run)
        if summary is not None and not summary_is_current(summary, redrives, detail.get("error") or ""):
            # Stale: the redrive failed before its results were summarized.
            summary = None
        has_plan, has_console = plan is not None, not settings.own_machine
        notification = compose(detail, summary, settings.api_url, planned=has_plan, has_console=has_console)
        publish(settings.notification_topic, notification)
