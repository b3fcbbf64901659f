"""CreateInvalidations: remove the run's URLs from every cache before they are warmed again."""

from typing import Any

import boto3

from prewarm.observability import logger
from prewarm.storage import storage
from prewarm.urls import parse_url
from resolve.planner import invalidation_path


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Create one invalidation per distribution; returns their ids.

    The CallerReference is the same in every try, so that a retry finds the invalidation that it made before
    (CreateInvalidation: the same reference with the same paths creates nothing).
    """
    run = event["run"]
    logger.append_keys(run=run)
    store = storage()
    plan = store.need_plan(run)
    urls = store.get_urls(run)
    client = boto3.client("cloudfront")
    created = []
    for group in plan.groups:
        listed = (invalidation_path(parse_url(url)) for url in urls[group.url_from : group.url_to])
        paths = list(dict.fromkeys(listed))
        answer = client.create_invalidation(
            DistributionId=group.distribution_id,
            InvalidationBatch={
                "Paths": {"Quantity": len(paths), "Items": paths},
                "CallerReference": f"{run}-{group.distribution_id}-0",
            },
        )
        logger.info("invalidating", extra={"distribution": group.distribution_id, "paths": len(paths)})
        created.append({"distributionId": group.distribution_id, "invalidationId": answer["Invalidation"]["Id"]})
    return {"invalidations": created}
