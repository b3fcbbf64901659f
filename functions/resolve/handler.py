"""ResolveTargets: check the request, plan the run and store the plan, or estimate a dry run."""

from typing import Any

from prewarm.errors import RefusedRequest
from prewarm.execution_status import REJECTED
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.run_store import storage
from prewarm.tracing import subsegment
from resolve.dry_run import dry_run
from resolve.invalidation_rounds import before_first_round
from resolve.plan_store import store_plan
from resolve.request_loader import load_request
from resolve.resolver import resolve
from resolve.run_listing import list_end, list_plan, list_start

# Step Functions' limit of a Fail state's Cause, in characters (ASL reference, "Fail state").
CAUSE_LIMIT = 32_768
# The figures of a dry run that go through the state; the whole document is in S3 and in the status.
DRY_RUN_FIGURES = ("urls", "targets", "batches", "stages", "fetches")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the state's output: the stages' keys, a dry run's figures, or a rejection as data.

    The API invokes a dry run with `direct: true`: the whole document is returned then, and nothing is stored. A
    document over Lambda's limit (6 MB of response payload) fails the invocation, and the API starts an execution.
    """
    run = event["run"]
    logger.append_keys(run=run)
    settings = Settings.from_environment()
    store, request = storage(), None
    try:
        request = load_request(run, event["input"], store)
        list_start(event, request, store)
        planned = resolve(run, request, settings, store)
    except RefusedRequest as refused:
        if request is None:
            list_start(event, None, store)
        list_end(event, store, "FAILED", REJECTED)
        logger.info("rejected", extra={"problems": len(refused.problems)})
        cause = refused.message()[:CAUSE_LIMIT]
        return {"rejection": {"error": REJECTED, "cause": cause, "details": refused.details()}}
    if request.fields.dry_run:
        document = dry_run(planned, request.fields, settings)
        if event.get("direct"):
            return {"dryRun": document}
        store.put_dry_run(run, document)
        list_end(event, store, "SUCCEEDED")
        return {"dryRun": {name: document[name] for name in DRY_RUN_FIGURES}}
    with subsegment("store plan", run=run):
        stages = store_plan(planned, request.fields, store)
    list_plan(planned, store)
    store.ledger.open_run(run, planned.plan.deadline, event.get("redrives", 0))
    logger.info("resolved", extra={"targets": planned.plan.targets, "batches": planned.plan.batches})
    return {
        "run": run,
        "invalidate": planned.plan.invalidate,
        "invalidation": before_first_round(len(planned.rounds)),
        "maxConcurrency": request.fields.max_concurrency,
        "stages": stages,
        "targets": planned.plan.targets,
        "batches": planned.plan.batches,
    }
