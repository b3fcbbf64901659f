"""Which stored parts of a batch count: the parts in one chain of attempts. Pure.

Each part names the attempt that owns it and the attempt whose cursor it continued. Only the parts that such a chain
connects from part 0 on describe disjoint targets: any other part began with a cursor that says something else about
the parts before it. Parts stored before attempts existed name neither and form a chain by their numbers.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from prewarm.results.batch_result import BatchResult


def current_parts(results: Iterable[BatchResult]) -> list[BatchResult]:
    """Return the parts that count, in order of batch and part; `results` has each part once, in any order."""
    batches: dict[str, dict[int, BatchResult]] = {}
    for result in results:
        batches.setdefault(result.batch, {})[result.part] = result
    return [part for batch in sorted(batches) for part in _chain(batches[batch])]


def _chain(parts: Mapping[int, BatchResult]) -> list[BatchResult]:
    """Return the chain of the finished part, or else the chain of the highest part that has one."""
    for number in sorted(parts, key=lambda each: (parts[each].finished, each), reverse=True):
        chain = [parts[place] for place in range(number + 1) if place in parts]
        if len(chain) == number + 1 and _connected(chain):
            return chain
    return []


def _connected(chain: list[BatchResult]) -> bool:
    if chain[0].previous:
        return False
    return all(_continues(before, after) for before, after in pairwise(chain))


def _continues(before: BatchResult, after: BatchResult) -> bool:
    """Return whether a part continued the cursor of the one before.

    Without attempts, a part of a redrive that started the batch again has a higher count of redrives than the later
    parts of the batch's first start.
    """
    if before.finished or before.attempt != after.previous:
        return False
    return bool(before.attempt) or before.redrives <= after.redrives


def settled_batches(results: Iterable[BatchResult]) -> set[str]:
    """Return the ids of the batches whose current parts can never be others; `results` has each part once.

    A part that names its attempt is never replaced, and no part continues a finished one. Parts without an attempt
    could be replaced by an earlier version's worker.
    """
    results = list(results)
    unowned = {part.batch for part in results if not part.attempt}
    return {part.batch for part in current_parts(results) if part.finished} - unowned


def counted_parts(results: Iterable[BatchResult], variants: int) -> list[BatchResult]:
    """Return the parts of `results`, in order, without batches that claim more targets than they have.

    That was possible before attempts owned their parts: two workers counted the same targets, so that it is unknown
    which ones were fetched. Neither do batches count of which a part reports more targets than it has finished.
    `results` are current parts; `variants`: the run's.
    """
    parts = sorted(results, key=lambda result: (result.batch, result.part))
    done = _done(parts)
    contradictory = {part.batch for part in parts if _reported(part) > part.done}
    return [
        part for part in parts if done[part.batch] <= _targets(part, variants) and part.batch not in contradictory
    ]


def finished_batches(parts: Iterable[BatchResult], variants: int) -> set[str]:
    """Return the ids of the batches whose last part is stored and whose parts have all of their targets."""
    parts = list(parts)
    done = _done(parts)
    return {part.batch for part in parts if part.finished and done[part.batch] == _targets(part, variants)}


def _done(parts: Iterable[BatchResult]) -> dict[str, int]:
    done: dict[str, int] = {}
    for part in parts:
        done[part.batch] = done.get(part.batch, 0) + part.done
    return done


def _reported(part: BatchResult) -> int:
    return sum(part.warm.values()) + sum(sum(counts.values()) for counts in part.failed.values())


def _targets(part: BatchResult, variants: int) -> int:
    return part.targets or (part.url_to - part.url_from) * part.pops * variants
