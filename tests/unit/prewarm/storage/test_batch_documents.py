"""The stored list of a plan's batches: read as it was written, and in the form of checkouts before 0.1.0."""

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.planning.batching import batch_ids, expected_pairs, pairs_by_pop
from prewarm.planning.cells import pack_masks
from prewarm.planning.plan import Plan
from prewarm.storage.plan_documents import PlanDocuments
from tests.support.rich_runs import rich_plan


class OneDocument(PlanDocuments):
    """Keeps the document that was stored last."""

    def __init__(self) -> None:
        self.stored = ""

    def _put_json(self, key: str, document: object, **_: object) -> str:
        self.stored = json.dumps(document)
        return key

    def _need_json(self, _key: str) -> Any:
        return json.loads(self.stored)


def facts(plan: Plan) -> tuple[object, ...]:
    return list(plan.batch_list), batch_ids(plan), list(expected_pairs(plan)), dict(pairs_by_pop(plan))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_list_of_batches_is_read_as_it_was_written(seed: int) -> None:
    plan = replace(rich_plan(random.Random(seed)), lists_batches=True)
    documents = OneDocument()
    documents.put_batches(plan)
    assert facts(documents.with_batches(replace(plan, batch_list=()))) == facts(plan)
    earlier = [
        [*batch.as_json()[:8], list(batch.rows), pack_masks(batch.masks)] if batch.rows else batch.as_json()
        for batch in plan.batch_list
    ]
    documents.stored = json.dumps(earlier)
    assert facts(documents.with_batches(replace(plan, batch_list=()))) == facts(plan)


def test_pairs_of_a_batch_are_read_when_it_is_asked_for() -> None:
    plan = next(plan for seed in range(99) if (plan := rich_plan(random.Random(seed))).pairs and plan.batches > 1)
    documents = OneDocument()
    documents.put_batches(plan)
    stored = json.loads(documents.stored)
    stored["batches"][0][8] = "damaged"
    documents.stored = json.dumps(stored)
    read = documents.with_batches(replace(plan, batch_list=()))
    assert (read.batch_list[1], batch_ids(read)) == (plan.batch_list[1], batch_ids(plan))
    assert expected_pairs(read) == list(expected_pairs(plan))
