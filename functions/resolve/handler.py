"""ResolveTargets: check the request, find distributions and POPs, write the plan."""

import time
from typing import Any

from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest, Problem, RefusedRequest
from prewarm.observability import logger
from prewarm.request.model import CheckedRequest, check_request
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage, run_key, storage
from prewarm.tracing import subsegment
from resolve.distributions.cache_behaviours import uncacheable
from resolve.dry_run import ask_sizes, told
from resolve.planner import Drawn
from resolve.resolver import resolve

# Step Functions' limit of a Fail state's Cause, in characters (ASL reference, "Fail state").
CAUSE_LIMIT = 32_768
# What of a dry run goes through the state; the rest is in S3 and in the status.
SHOWN_OF_DRY_RUN = ("urls", "targets", "batches", "stages", "fetches")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the state's output: where the stages lie; or a rejection, as data, in plain words."""
    run = event["run"]
    logger.append_keys(run=run)
    settings = Settings.from_environment()
    store = storage()
    try:
        request = the_request(run, event["input"], store)
        drawn = resolve(run, request, settings, store)
    except RefusedRequest as refused:
        logger.info("rejected", extra={"problems": len(refused.problems)})
        cause = refused.message()[:CAUSE_LIMIT]
        return {"rejection": {"error": "Prewarm.InvalidRequest", "cause": cause, "details": refused.details()}}
    if request.fields.dry_run:
        document = told(drawn, ask_sizes(drawn, request, settings), catalogue())
        if event.get("direct"):
            return {"dryRun": document}
        store.put_dry_run(run, document)
        return {"dryRun": {name: document[name] for name in SHOWN_OF_DRY_RUN}}
    with subsegment("store plan", run=run):
        stages = store_plan(drawn.timed(time.time() - drawn.plan.started_at), request, store)
    store.ledger.open_run(run, drawn.plan.deadline, event.get("redrives", 0))
    logger.info("resolved", extra={"targets": drawn.plan.targets, "batches": drawn.plan.batches})
    return {
        "invalidate": drawn.plan.invalidate,
        "invalidation": {"round": 0},
        "maxConcurrency": request.fields.max_concurrency,
        "toleratedFailurePercentage": 100,
        "stages": stages,
        "targets": drawn.plan.targets,
        "batches": drawn.plan.batches,
    }


def the_request(run: str, given: object, store: Storage) -> CheckedRequest:
    """Return the run's request: from S3 when the API stored it, else from the execution's own input, stored now."""
    if isinstance(given, dict) and "requestKey" in given:
        if given["requestKey"] != run_key(run, "request.json"):
            raise InvalidRequest([Problem("requestKey", "a run reads no other request than its own")])
        stored = store.get_request(run)
        if stored is None:
            raise InvalidRequest([Problem("requestKey", "no request is stored for this run")])
        return check_request(stored)
    request = check_request(given, direct=True)
    store.put_request(run, request.as_json())
    return request


def store_plan(drawn: Drawn, request: CheckedRequest, store: Storage) -> list[str]:
    """Write blocks, stages and plan to S3; returns the stages' keys."""
    run = drawn.plan.run
    for block in drawn.blocks:
        urls = drawn.urls[block.url_from : block.url_to]
        asked = {"headers": request.fields.headers, "user_agent": request.fields.user_agent}
        why = uncacheable(drawn.behaviours[block.group], urls)
        store.put_block(run, block.number, asked | {"urls": [url.fetch for url in urls], "uncacheable": why})
    keys = [store.put_stage(run, number, drawn.items(stage)) for number, stage in enumerate(drawn.stages, start=1)]
    store.put_plan(drawn.plan, [url.given for url in drawn.urls], drawn.addresses)
    return keys
