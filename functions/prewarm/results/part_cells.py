"""The cells of batch parts: those of a rectangle by its own bounds, those of pairs by the plan's list. Pure."""

from prewarm.planning.batching import all_batches
from prewarm.planning.cells import Cells
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult


class PartCells:
    """Which URLs each part of a run's batches has at which POPs."""

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self._pairs = {batch.id: batch.cells for batch in all_batches(plan) if batch.rows} if plan.pairs else {}

    def of(self, part: BatchResult) -> Cells:
        """Return the cells of a part's batch."""
        return self._pairs.get(part.batch) or Cells(range(part.url_from, part.url_to), part.pops)

    def names(self, part: BatchResult) -> tuple[str, ...]:
        """Return the POPs of a part's batch in order, by their ids."""
        return self._groups[part.group].pops[part.pop_from : part.pop_from + part.pops]

    def column(self, part: BatchResult, pop: str) -> int:
        """Return the position of a POP among those of a part's batch; a rectangle is the same at each position."""
        names = self.names(part)
        return names.index(pop) if pop in names else 0
