"""A worker's leases of its run's rate: asks the ledger in threads, so that fetches never wait for an answer."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable

from prewarm.planning.plan import Plan, workers_of
from prewarm.storage.rate_lanes import Answer, Ask, RateLanes
from prewarm.storage.run_store import storage
from warm.rate_grid import RateGrid
from warm.shared_rate import Share, SharedRate


class ThreadedLessor:
    """Asks the ledger in a thread per ask; a thread that is still waiting when its worker ends delays nothing."""

    def __init__(self, lanes: RateLanes) -> None:
        self._lanes = lanes
        self._answers: deque[Answer] = deque()

    def send(self, ask: Ask) -> None:
        """Ask without waiting."""
        threading.Thread(target=lambda: self._answers.append(self._lanes.answer(ask)), daemon=True).start()

    def receive(self) -> Answer | None:
        """Return the next answer, or None."""
        return self._answers.popleft() if self._answers else None


def shared_rate(plan: Plan, seconds: float) -> Callable[[Callable[[], int]], SharedRate] | None:
    """Return a function that makes a worker's part in its run's rate, from how many fetches it may still start.

    `seconds`: when the worker ends at the latest. None if there is nothing to share: without a limit, for a run with
    one worker, and in runs of earlier versions, whose workers have fixed shares only.
    """
    limit, workers = plan.max_rps, workers_of(plan)
    if limit is None or workers < 2 or not plan.shared_rate:  # noqa: PLR2004 - two share
        return None

    def make(remaining: Callable[[], int]) -> SharedRate:
        now = time.monotonic()
        share = Share(RateGrid.of(limit, workers), workers, plan.started_at, now + seconds, remaining)
        # The choice is random only to keep workers from asking for the same lane at the same moment.
        return SharedRate(share, ThreadedLessor(storage().rate_lanes(plan.run)), now, time.time, random.Random())  # noqa: S311

    return make
