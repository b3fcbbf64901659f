"""POPs that never answer: a worker gives up on them instead of trying each target. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from prewarm.results.outcome import Outcome

# A POP that fails this often in a row and has never answered is dark: its other targets are not tried one by one.
FAILURES_OF_A_DARK_POP = 6


@dataclass
class DarkPops:
    """The POPs of a tile at which no connection succeeds; a POP is given by its index within the tile."""

    _failures: Counter[int] = field(default_factory=Counter)
    _answered: set[int] = field(default_factory=set)

    def record(self, pop: int, outcome: Outcome) -> bool:
        """Record the outcome of a fetch; returns whether it leaves the POP dark."""
        if outcome is not Outcome.CONNECT_ERROR:
            self._answered.add(pop)
            return False
        self._failures[pop] += 1
        return self.is_dark(pop)

    def is_dark(self, pop: int) -> bool:
        """Return whether a POP has never answered and failed too often."""
        return pop not in self._answered and self._failures[pop] >= FAILURES_OF_A_DARK_POP
