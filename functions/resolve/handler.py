"""ResolveTargets: check the request, plan the run and store the plan, or estimate a dry run."""

from typing import Any

from prewarm.errors import RefusedRequest
from prewarm.execution_status import REJECTED
from prewarm.observability import logger
from prewarm.settings import Settings
from prewarm.storage.keys import stage_key
from prewarm.storage.run_store import storage
from prewarm.tracing import subsegment
from resolve.diagnose import diagnose
from resolve.dry_run import dry_run
from resolve.invalidation_rounds import before_first_round
from resolve.learned import read_learned
from resolve.plan_store import store_plan
from resolve.reading import begin_reading, end_reading
from resolve.request_loader import load_request
from resolve.resolver import resolve
from resolve.run_listing import list_end, list_plan, list_start
from resolve.stages import StaleDocuments

# Step Functions' limit of a Fail state's Cause, in characters (ASL reference, "Fail state").
CAUSE_LIMIT = 32_768
# The figures of a dry run that go through the state; the whole document is in S3 and in the status.
DRY_RUN_FIGURES = ("urls", "targets", "batches", "stages", "fetches")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the state's output: the stages' keys, documents to invalidate, a dry run's figures, or a rejection.

    The event's `reading` counts how often documents were invalidated before; after that this state is entered again.

    The API invokes a dry run with `direct: true`: the whole document is returned then, and nothing is stored. A
    document over Lambda's limit (6 MB of response payload) fails the invocation, and the API starts an execution.
    It invokes `{"diagnose": {"url": …}}` for GET /diagnose.
    """
    if "diagnose" in event:
        return diagnose(event["diagnose"].get("url"), Settings.from_environment(), storage())
    run = event["run"]
    logger.append_keys(run=run)
    settings = Settings.from_environment()
    store, request = storage(), None
    try:
        learned = read_learned(store)
        request = load_request(run, event["input"], store, learned.catalogue)
        list_start(event, request, store)
        reading = begin_reading(run, event.get("reading"), store)
        planned = resolve(run, request, settings, store, learned, reading)
        if isinstance(planned, StaleDocuments):
            return end_reading(run, reading, planned.paths, request.fields, store, event.get("redrives", 0))
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
        plan = store_plan(planned, request.fields, store, event.get("redrives", 0))
    list_plan(planned, store)
    logger.info("resolved", extra={"targets": plan.targets, "batches": plan.batches})
    return {
        "run": run,
        "invalidate": plan.invalidate,
        "invalidation": before_first_round(plan.invalidation_rounds - plan.document_rounds),
        "maxConcurrency": plan.max_concurrency,
        "stages": [stage_key(run, plan.attempt, number) for number in range(1, plan.stages + 1)],
        "targets": plan.targets,
        "batches": plan.batches,
    }
