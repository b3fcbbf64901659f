"""One invocation's figures: its start and memory, when the worker stops, and how fast it fetches."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm.planning.plan import Plan, rps_of_worker
from prewarm.settings import Settings
from warm.rate_leases import shared_rate
from warm.shared_rate import SharedRate

# Reserved for writing records and ledger, in seconds; a shorter invocation reserves a tenth of its time.
SECONDS_TO_WRITE = 20.0


@dataclass(frozen=True)
class Invocation:
    """One Lambda invocation that warms a part of a batch.

    `redrives`: how often the run had been redriven when it started; `started` in monotonic seconds.
    """

    part: int = 0
    redrives: int = 0
    memory_mb: int = 0
    started: float = field(default_factory=time.monotonic)

    def gb_milliseconds(self) -> int:
        """Return the Lambda time used so far, in GB-milliseconds."""
        return round((time.monotonic() - self.started) * self.memory_mb / 1.024)


@dataclass(frozen=True)
class Limits:
    """When to stop, in seconds from now (this worker's own end, and the run's deadline), and how fast to fetch.

    `run_age`: the seconds since the run began. `rps` is the worker's own share; if the run's workers share its rate,
    `shared` makes the limiter instead, from how many fetches the worker may still have to start.
    """

    own_seconds: float
    run_seconds: float
    error_cache_seconds: float
    max_bytes: int | None = None
    rps: float | None = None
    run_age: float = 0.0
    shared: Callable[[Callable[[], int]], SharedRate] | None = None

    @classmethod
    def of(cls, plan: Plan, deadline: float, left: float, settings: Settings) -> "Limits":
        """Return the limits of an invocation that has `left` seconds; `deadline` is the run's, in epoch seconds."""
        own_seconds, run_seconds = left - min(SECONDS_TO_WRITE, left / 10), deadline - time.time()
        return cls(
            own_seconds=own_seconds,
            run_seconds=run_seconds,
            error_cache_seconds=settings.error_cache_seconds,
            max_bytes=plan.max_bytes,
            rps=rps_of_worker(plan),
            run_age=time.time() - plan.started_at,
            shared=shared_rate(plan, min(own_seconds, run_seconds)),
        )
