"""Find the unfinished batches of a run. Pure."""

from collections.abc import Iterable

from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult


def unfinished_batches(plan: Plan, results: Iterable[BatchResult]) -> list[tuple[str, int]]:
    """Return the ids of batches without a last part, each with its next part number.

    `results` are the run's current parts (chain.current_parts).
    """
    parts: dict[str, int] = {}
    finished = set()
    for result in results:
        parts[result.batch] = max(parts.get(result.batch, -1), result.part)
        if result.finished:
            finished.add(result.batch)
    return [(batch.id, parts.get(batch.id, -1) + 1) for batch in all_batches(plan) if batch.id not in finished]
