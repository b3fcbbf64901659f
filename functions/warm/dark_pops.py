"""POPs that do not respond: a worker gives up on them instead of trying each target. Pure.

A POP that answers is never dark, whatever its answer is: a status before a body that stalls, and a reset of the
stream count too. If no first byte arrives, the POP is silent, since CloudFront itself answers with a 504 before the
stall time ends (docs/architecture.md, "Silent POPs").
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from prewarm.fetcher.response import Response
from prewarm.results.outcome import SILENT, Outcome
from warm.target import Target
from warm.tile import Tile

# A POP whose last fetches add up to this many failures, without a response in between, is dark: its other targets are
# not tried one by one. A connection that is not made is one failure; a time-out on a new connection counts for more,
# since it takes a third of the stall time. A time-out on an open connection does not count: perhaps only the
# connection is dead.
FAILURES_OF_A_DARK_POP = 6
FAILURES_OF_A_SILENT_PROBE = 3
NO_RESPONSE = frozenset({Outcome.CONNECT_ERROR, Outcome.TIMEOUT})


@dataclass
class DarkPops:
    """The POPs of a batch that do not respond, by id.

    `on_dark` is called once for each POP that becomes dark here, to inform the run's other workers; `dark`: the POPs
    that are given up on, with the outcome of their targets; at first those that other workers have reported. A POP is
    suspected from its first fetch without a response until the next response.
    """

    on_dark: Callable[[str, str], None]
    dark: dict[str, str] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)

    def record(self, pop: str, outcome: Outcome, response: Response, *, fresh: bool) -> bool:
        """Record a fetch's outcome; returns whether it has made the POP dark.

        `fresh`: the fetch was made on a new connection after an earlier one had no response.
        """
        if outcome in NO_RESPONSE and response.status and not fresh:
            # A body that stalled: the POP had responded before, and may have fallen silent since.
            return False
        if outcome not in NO_RESPONSE or response.answered:
            self._failures.pop(pop, None)
            return False
        failures = 1 if outcome is Outcome.CONNECT_ERROR else FAILURES_OF_A_SILENT_PROBE if fresh else 0
        self._failures[pop] = self._failures.get(pop, 0) + failures
        if self._failures[pop] < FAILURES_OF_A_DARK_POP or pop in self.dark:
            return False
        self.dark[pop] = outcome
        self.on_dark(pop, outcome)
        return True

    def is_suspected(self, pop: str) -> bool:
        """Return whether a POP's last fetch ended without a response."""
        return pop in self._failures

    def learn(self, reported: dict[str, str]) -> list[str]:
        """Give up on POPs that other workers have reported and that are suspected here; returns those."""
        new = [pop for pop in reported if pop in self._failures and pop not in self.dark]
        self.dark |= {pop: reported[pop] for pop in new}
        return new


class Failure(NamedTuple):
    """A failed target by its indices: how it is counted, at which POP, and whether that never answered."""

    url: int
    pop: int
    outcome: Outcome
    kind: str
    name: str
    silent: bool


def is_silent(target: Target, outcome: Outcome) -> bool:
    """Return whether a failed target's POP never answered: there was no valid connection to it, or nothing on one."""
    return outcome in SILENT and not target.answered


def dark_columns(tile: Tile, failures: Iterable[Failure]) -> dict[int, str]:
    """Return the tile's POPs at which every target failed without an answer, each with its most frequent failure."""
    by_pop: dict[int, Counter[Outcome]] = {}
    for failure in failures:
        if failure.silent:
            by_pop.setdefault(failure.pop, Counter())[failure.outcome] += 1
    cells, variants = tile.cells, len(tile.variants)
    dark = {pop: counts for pop, counts in by_pop.items() if counts.total() == cells.in_column(pop) * variants}
    if len(dark) == len(cells.columns()):
        # If all POPs are silent, the origin may be the cause.
        dark = {pop: counts for pop, counts in dark.items() if not counts[Outcome.TIMEOUT]}
    return {pop: str(counts.most_common(1)[0][0]) for pop, counts in dark.items()}
