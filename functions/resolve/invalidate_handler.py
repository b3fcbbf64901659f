"""CreateInvalidations: remove the run's URLs from every cache before they are warmed again, round by round."""

from typing import Any

import boto3

from prewarm.observability import logger
from prewarm.request.url_parser import parse_url
from prewarm.storage.run_store import storage
from resolve.invalidation import InvalidationBatch, batches_of_round, invalidation_path


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Create one round's invalidations, one per distribution or tenant; returns their ids and whether more are left.

    CloudFront refuses with TooManyInvalidationsInProgress while others' paths are being removed: the state machine
    tries again by that name.
    """
    run, number = event["run"], event["round"]
    logger.append_keys(run=run)
    store = storage()
    plan = store.need_plan(run)
    urls = store.get_urls(run)
    paths = ([invalidation_path(parse_url(url)) for url in urls[g.url_from : g.url_to]] for g in plan.groups)
    created, more = [], False
    client = boto3.client("cloudfront")
    for batch, is_more in batches_of_round(run, plan.groups, paths, number):
        created.append(create(client, batch))
        more |= is_more
        logger.info("invalidating", extra={"reference": batch.reference, "paths": len(batch.paths)})
    return {"invalidations": created, "round": number + 1, "more": more}


def create(client: Any, batch: InvalidationBatch) -> dict[str, str]:  # noqa: ANN401 - boto3's own
    """Create one invalidation; returns the ids by which the state machine asks for its status."""
    wanted = {
        "Paths": {"Quantity": len(batch.paths), "Items": batch.paths},
        "CallerReference": batch.reference,
    }
    if batch.tenant:
        response = client.create_invalidation_for_distribution_tenant(Id=batch.tenant, InvalidationBatch=wanted)
        return {"tenantId": batch.tenant, "invalidationId": response["Invalidation"]["Id"]}
    response = client.create_invalidation(DistributionId=batch.distribution_id, InvalidationBatch=wanted)
    return {"distributionId": batch.distribution_id, "invalidationId": response["Invalidation"]["Id"]}
