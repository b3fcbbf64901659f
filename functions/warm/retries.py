"""When a failed target is tried again: how often, after how long, and why not. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from prewarm.fetcher.response import Response
from prewarm.results.outcome import RETRIED, RETRIED_LATER, Outcome
from warm.cursor import FETCHED
from warm.judge import FIRST_PAUSE
from warm.limits import Limits
from warm.stop_rules import StopRules
from warm.target import Target
from warm.tile import Tile

TRIES = 3
# The longest time by which two retries with the same pause are spread, twice.
MAX_JITTER_SECONDS = 10.0


def tries_of(target: Target) -> int:
    """Return how many of a target's fetches have failed; the others were complete."""
    return target.tries - target.misses - target.repeats


def progress_of(target: Target) -> int:
    """Return what the cursor says about an unfinished target: FETCHED, or its number of tries."""
    return FETCHED if target.first is not None or target.fetched else min(target.tries, TRIES - 1)


@dataclass(frozen=True)
class Retries:
    """Decides about the failed targets of one tile; `dark`: the POPs that are given up on, which grows."""

    tile: Tile
    limits: Limits
    stop: StopRules
    dark: Mapping[str, str]

    def pause(self, target: Target, outcome: Outcome, response: Response) -> tuple[float | None, str]:
        """Return the seconds until a failed target is tried again, or None where a retry is useless, and why."""
        if outcome not in RETRIED or tries_of(target) >= TRIES or self.tile.pop_of(target) in self.dark:
            return None, ""
        # Doubled each time, with jitter so that retries do not come in waves.
        pause = FIRST_PAUSE * 2 ** (target.tries - 1)
        if outcome in RETRIED_LATER:
            pause = max(pause, self.tile.seconds_kept(target.url, response, self.limits.error_cache_seconds))
            if why_not := self._too_long(pause):
                return None, why_not
        return pause + min(pause, MAX_JITTER_SECONDS) * (random.uniform(1.0, 1.5) - 1.0), ""  # noqa: S311

    def _too_long(self, seconds: float) -> str:
        """Return why a cached error is not waited for; empty where there is time."""
        if seconds >= self.stop.run_seconds_left():
            return f"not fetched again: the edge keeps the error for {seconds:,.0f} s, beyond the run's deadline"
        if seconds >= max(self.limits.own_seconds, self.limits.error_cache_seconds + 1):
            return f"not fetched again: the edge keeps the error for {seconds:,.0f} s, longer than a worker runs"
        return ""
