"""Store a planned run in S3: blocks, stages, invalidations and plan."""

import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from prewarm.errors import PrewarmError
from prewarm.planning.by_position import pack
from prewarm.planning.cells import pack_masks
from prewarm.planning.plan import Block, Plan
from prewarm.request.model import PrewarmRequest
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, respelled
from resolve.distributions.cache_behaviours import (
    Behaviour,
    compressed,
    first_matches,
    harmless_vary,
    has_pragma_in_key,
    longest_first_byte,
    refusals,
    uncacheable,
)
from resolve.distributions.longest_lifetimes import longest_lifetimes, other_ttls
from resolve.invalidation_paths import uncovered
from resolve.stages import PlannedRun

# Blocks that are written at the same time: S3 takes some 20 ms for each, and a large run has hundreds.
PUTS_AT_ONCE = 4


class RunEnded(PrewarmError):
    """The run has ended while it was planned."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} was cancelled before it was planned")


def store_plan(planned: PlannedRun, fields: PrewarmRequest, store: Storage, redrives: int = 0) -> Plan:
    """Store blocks, stages, invalidations and, last, the plan; returns the run's plan.

    Step Functions may start a second worker while the first one still works. Their plans may differ, as a POP may
    have gone dark in between. So each attempt has its own blocks, addresses and stages, and the first one whose plan
    is stored owns the run; any other one returns that plan.

    Raises:
        RunEnded: the run was cancelled meanwhile, so it has no plan.

    """
    plan = replace(planned.plan, attempt=uuid.uuid4().hex)
    run = plan.run
    if not redrives and (stored := store.get_plan(run)) is not None:
        return stored
    _put_blocks(plan, planned, fields, store)
    store.put_batches(plan)
    for number, stage in enumerate(planned.stages, start=1):
        store.put_stage(plan, number, planned.items(stage))
    if planned.plan.respelled:
        store.put_fetched(run, respelled(planned.urls))
    for number, batches in enumerate(planned.rounds):
        store.put_invalidations(run, number, [batch.as_json() for batch in batches])
    if not store.ledger.open_run(run, plan.deadline, redrives):
        raise RunEnded(run)
    given, addresses = [url.given for url in planned.urls], [group.addresses for group in planned.groups]
    if not store.put_plan(plan, given, addresses, replace=redrives > 0):
        return store.need_plan(run)
    if not redrives:
        _withdraw_if_ended(run, store)
    return plan


def _put_blocks(plan: Plan, planned: PlannedRun, fields: PrewarmRequest, store: Storage) -> None:
    """Store the workers' input: each block's URLs and what the distribution's cache behaviours say of them."""
    matches = [
        first_matches(each.behaviours, planned.urls[each.stored.url_from : each.stored.url_to])
        if len(each.behaviours) > 1
        else None
        for each in planned.groups
    ]
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        waiting: deque[Future[None]] = deque()
        for block in planned.blocks:
            if len(waiting) >= PUTS_AT_ONCE:
                waiting.popleft().result()
            document = _document(block, plan, planned, matches[block.group], fields)
            waiting.append(pool.submit(store.put_block, plan, block.number, document))
        for each in waiting:
            each.result()


def _document(
    block: Block, plan: Plan, planned: PlannedRun, of_group: Sequence[int] | None, fields: PrewarmRequest
) -> dict[str, Any]:
    """Return a block as it is stored; `of_group`: its group's `first_matches`, None if all URLs have the first."""
    group = planned.groups[block.group]
    urls = [planned.urls[index] for index in block.indices]
    in_order, first = group.behaviours, group.stored.url_from
    matched = [of_group[index - first] for index in block.indices] if of_group else [0] * len(urls)
    document: dict[str, Any] = {
        "headers": fields.headers,
        "user_agent": fields.user_agent,
        "urls": [url.fetch for url in urls],
        "uncacheable": pack(uncacheable(in_order, matched), len(urls)),
        "error_pages": dict(in_order[0].error_pages) if in_order else {},
        "error_seconds": dict(in_order[0].error_seconds) if in_order else {},
        "paged_errors": sorted(in_order[0].paged_errors) if in_order else [],
        "longest_ttls": pack(longest_lifetimes(in_order, matched), len(urls)),
        "ttls": pack(other_ttls(in_order, matched), len(urls)),
        "refusals": pack(refusals(in_order, matched), len(urls)),
        "compressed": pack(_compressed(plan, in_order, matched, urls), len(urls)),
        "kept": uncovered(urls, in_order, fields.invalidation_patterns),
        "server_timing": not has_pragma_in_key(in_order),
        "first_byte_seconds": longest_first_byte(in_order, urls),
    }
    if block.rows:
        document |= {"rows": block.rows, "masks": pack_masks(block.masks)}
    if in_order:
        document["harmless_vary"] = pack(harmless_vary(in_order, matched), len(urls))
    if plan.respelled and (forms := respelled(urls)):
        document["given"] = {number: urls[number].given for number in forms}
    return document


def _compressed(
    plan: Plan, in_order: Sequence[Behaviour], matched: Sequence[int], urls: Sequence[Url]
) -> dict[int, str]:
    """Return for which variants the edge compresses each URL, as it is fetched by its scheme."""
    found = compressed(in_order, matched, plan.variants)
    if not plan.http_variants:
        return found
    over_http = compressed(in_order, matched, plan.http_variants)
    by_url = ((n, (over_http if url.scheme == "http" else found).get(n)) for n, url in enumerate(urls))
    return {number: text for number, text in by_url if text}


def _withdraw_if_ended(run: str, store: Storage) -> None:
    """Delete the new plan of a run that was ended while it was stored.

    A function that ends a run marks its end before it looks for the plan. So if the end is not marked by now, that
    function finds this plan; otherwise it may have missed it, and nothing would ever sum up the run. A run that has
    results continued with this plan before it ended, so that its plan was there to be found.
    """
    if store.ledger.control(run).ended and not store.ledger.results(run):
        store.delete_plan(run)
        raise RunEnded(run)
