"""What follows a run's end, by EventBridge's "Step Functions Execution Status Change" (best effort).

A run that timed out or was aborted ran no AggregateResults: its summary and report are written here, so that nothing
is lost when ledger and history expire. Then people are told, where they asked for it.
"""

from typing import Any

from aggregate.finish_run import ENDED_FROM_OUTSIDE, add_up
from aggregate.notification import compose
from aggregate.sns import publish
from prewarm.execution_status import speaks_for
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import storage


def handler(event: dict[str, Any], _context: object) -> None:
    """Sum up a run that ended from outside, and send the notice of one that ended."""
    detail = event["detail"]
    run, status = detail["name"], detail["status"]
    logger.append_keys(run=run)
    store, redrives = storage(), detail.get("redriveCount", 0)
    plan = store.get_plan(run)
    if redrives < store.ledger.control(run).redrives:
        logger.info("redriven since", extra={"status": status})
        return
    if status in ENDED_FROM_OUTSIDE and plan is not None and add_up(plan, store, redrives, status) is None:
        return
    settings = Settings.from_environment()
    if settings.notices_topic and (settings.notices == "all" or status != "SUCCEEDED"):
        summary = store.get_summary(run)
        if summary is not None and not speaks_for(summary, redrives, detail.get("error") or ""):
            # Of an attempt before the redrive, which broke off before it was summed up.
            summary = None
        publish(settings.notices_topic, compose(detail, summary, settings.api_url, planned=plan is not None))
