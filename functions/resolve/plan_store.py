"""Store a planned run in S3: blocks, stages, invalidations and plan."""

from prewarm.request.model import PrewarmRequest
from prewarm.storage.run_store import Storage
from prewarm.urls import respelled
from resolve.distributions.cache_behaviours import (
    compressed,
    harmless_vary,
    has_pragma_in_key,
    longest_first_byte,
    refusals,
    uncacheable,
)
from resolve.stages import PlannedRun


def store_plan(planned: PlannedRun, fields: PrewarmRequest, store: Storage) -> list[str]:
    """Store blocks, stages, invalidations and, last, the plan; returns the stages' keys."""
    run = planned.plan.run
    request_part = {"headers": fields.headers, "user_agent": fields.user_agent}
    for block in planned.blocks:
        urls = planned.urls[block.url_from : block.url_to]
        in_order = planned.groups[block.group].behaviours
        document = request_part | {
            "urls": [url.fetch for url in urls],
            "uncacheable": uncacheable(in_order, urls),
            "error_pages": dict(in_order[0].error_pages) if in_order else {},
            "error_seconds": dict(in_order[0].error_seconds) if in_order else {},
            "refusals": refusals(in_order, urls),
            "compressed": compressed(in_order, urls, planned.plan.variants),
            "server_timing": not has_pragma_in_key(in_order),
            "first_byte_seconds": longest_first_byte(in_order, urls),
        }
        if in_order:
            document["harmless_vary"] = harmless_vary(in_order, urls)
        if forms := respelled(urls):
            document["given"] = {number: urls[number].given for number in forms}
        store.put_block(run, block.number, document)
    keys = [
        store.put_stage(run, number, planned.items(stage)) for number, stage in enumerate(planned.stages, start=1)
    ]
    if planned.plan.respelled:
        store.put_fetched(run, respelled(planned.urls))
    for number, batches in enumerate(planned.rounds):
        store.put_invalidations(run, number, [batch.as_json() for batch in batches])
    store.put_plan(planned.plan, [url.given for url in planned.urls], [group.addresses for group in planned.groups])
    return keys
