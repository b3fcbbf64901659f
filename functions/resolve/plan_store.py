"""Store a planned run in S3: blocks, stages and plan."""

from prewarm.request.model import PrewarmRequest
from prewarm.storage.run_store import Storage
from resolve.distributions.cache_behaviours import longest_first_byte, uncacheable
from resolve.stages import PlannedRun


def store_plan(planned: PlannedRun, fields: PrewarmRequest, store: Storage) -> list[str]:
    """Store blocks, stages and, last, the plan; returns the stages' keys."""
    run = planned.plan.run
    request_part = {"headers": fields.headers, "user_agent": fields.user_agent}
    for block in planned.blocks:
        urls = planned.urls[block.url_from : block.url_to]
        in_order = planned.groups[block.group].behaviours
        document = request_part | {
            "urls": [url.fetch for url in urls],
            "uncacheable": uncacheable(in_order, urls),
            "first_byte_seconds": longest_first_byte(in_order, urls),
        }
        store.put_block(run, block.number, document)
    keys = [
        store.put_stage(run, number, planned.items(stage)) for number, stage in enumerate(planned.stages, start=1)
    ]
    store.put_plan(planned.plan, [url.given for url in planned.urls], [group.addresses for group in planned.groups])
    return keys
