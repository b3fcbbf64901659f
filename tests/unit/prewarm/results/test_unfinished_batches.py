"""Unfinished batches: those without a last part, with the number of their next part."""

from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.unfinished_batches import unfinished_batches
from tests.support.builders import plan


def part(batch: str, number: int, *, finished: bool) -> BatchResult:
    return BatchResult(batch, number, 0, 0, 1, 1, finished=finished, done=0, outcomes={}, verified=0, bytes=0)


def test_batches_without_a_last_part_are_unfinished() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 30, tuple(f"P{number}" for number in range(100)), 100)
    whole = plan(groups=(group,), url_count=30, max_concurrency=1)
    first, second, third, *_ = [batch.id for batch in all_batches(whole)]
    results = [part(first, 0, finished=True), part(second, 0, finished=False), part(second, 1, finished=False)]
    unfinished = dict(unfinished_batches(whole, results))
    assert first not in unfinished
    assert (unfinished[second], unfinished[third]) == (2, 0)
