"""CreateInvalidations: remove the run's URLs from every cache before they are warmed, round by round."""

from typing import Any

from prewarm.observability import logger
from prewarm.request.url_parser import parse_url
from prewarm.storage.run_store import storage
from resolve.distributions.cloudfront_client import cloudfront_client
from resolve.invalidation import InvalidationBatch, batches_of_round, invalidation_path


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Create one round's invalidations, one per distribution or tenant; returns their ids and whether more are left.

    CloudFront raises TooManyInvalidationsInProgress while it removes other callers' paths: the state machine retries
    that error by its name.
    """
    run, number = event["run"], event["round"]
    logger.append_keys(run=run)
    store = storage()
    plan = store.need_plan(run)
    urls = store.get_urls(run)
    paths = ([invalidation_path(parse_url(url)) for url in urls[g.url_from : g.url_to]] for g in plan.groups)
    created, more = [], False
    client = cloudfront_client()
    for batch, needs_another_round in batches_of_round(run, plan.groups, paths, number):
        created.append(create(client, batch))
        more |= needs_another_round
        logger.info("invalidating", extra={"reference": batch.reference, "paths": len(batch.paths)})
    return {"invalidations": created, "round": number + 1, "more": more}


def create(client: Any, batch: InvalidationBatch) -> dict[str, str]:  # noqa: ANN401 - boto3's own
    """Create one invalidation; returns the ids with which the state machine requests its status."""
    invalidation = {
        "Paths": {"Quantity": len(batch.paths), "Items": batch.paths},
        "CallerReference": batch.reference,
    }
    if batch.tenant:
        response = client.create_invalidation_for_distribution_tenant(Id=batch.tenant, InvalidationBatch=invalidation)
        return {"tenantId": batch.tenant, "invalidationId": response["Invalidation"]["Id"]}
    response = client.create_invalidation(DistributionId=batch.distribution_id, InvalidationBatch=invalidation)
    return {"distributionId": batch.distribution_id, "invalidationId": response["Invalidation"]["Id"]}
