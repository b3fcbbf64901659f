"""The cells of batch parts: those of a rectangle by its own bounds, those of pairs by the plan's list. Pure."""

from prewarm.planning.batching import batch_places
from prewarm.planning.cells import Cells
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult


class PartCells:
    """Which URLs each part of a run's batches has at which POPs."""

    def __init__(self, plan: Plan) -> None:
        self._groups, self._batches = plan.groups, plan.batch_list
        self._places = batch_places(plan) if plan.pairs else {}

    def of(self, part: BatchResult) -> Cells:
        """Return the cells of a part's batch."""
        place = self._places.get(part.batch)
        if place is not None and (cells := self._batches[place].cells).masks is not None:
            return cells
        return Cells(range(part.url_from, part.url_to), part.pops)

    def names(self, part: BatchResult) -> tuple[str, ...]:
        """Return the POPs of a part's batch in order, by their ids."""
        return self._groups[part.group].pops[part.pop_from : part.pop_from + part.pops]

    def column(self, part: BatchResult, pop: str) -> int:
        """Return the position of a POP among those of a part's batch; a rectangle is the same at each position."""
        names = self.names(part)
        return names.index(pop) if pop in names else 0
