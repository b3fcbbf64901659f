"""POPs that do not respond: a worker gives up on them instead of trying each target. Pure."""

from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome

# A POP whose last so many fetches all ended without a response is dark: its other targets are not tried one by one.
FAILURES_OF_A_DARK_POP = 6
NO_RESPONSE = frozenset({Outcome.CONNECT_ERROR, Outcome.TIMEOUT})


@dataclass
class DarkPops:
    """The POPs of a tile that do not respond; a POP is given by its index within the tile.

    `dark`: those that a worker has given up on. A POP is suspected from its first fetch without a response until the
    next response.
    """

    dark: set[int] = field(default_factory=set)
    _failures: dict[int, int] = field(default_factory=dict)

    def record(self, pop: int, outcome: Outcome, response: Response) -> bool:
        """Record a fetch's outcome; returns whether the POP has become dark by it."""
        if outcome not in NO_RESPONSE:
            if self._failures:
                self._failures.pop(pop, None)
            return False
        if response.status:
            # A body that stalled: the POP had responded before, and may have fallen silent since.
            return False
        self._failures[pop] = self._failures.get(pop, 0) + 1
        if self._failures[pop] < FAILURES_OF_A_DARK_POP or pop in self.dark:
            return False
        self.dark.add(pop)
        return True

    def is_suspected(self, pop: int) -> bool:
        """Return whether a POP's last fetch ended without a response."""
        return pop in self._failures

    def is_dark(self, pop: int) -> bool:
        """Return whether a POP has been given up on."""
        return pop in self.dark
