"""One invocation's figures: its start and memory, when the worker stops, and how fast it fetches."""

import time
from dataclasses import dataclass, field

from prewarm.planning.plan import Plan, rps_of_worker
from prewarm.settings import Settings

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

    `run_age`: the seconds since the run began.
    """

    own_seconds: float
    run_seconds: float
    error_cache_seconds: float
    max_bytes: int | None = None
    rps: float | None = None
    run_age: float = 0.0

    @classmethod
    def of(cls, plan: Plan, deadline: float, left: float, settings: Settings) -> "Limits":
        """Return the limits of an invocation that has `left` seconds; `deadline` is the run's, in epoch seconds."""
        return cls(
            own_seconds=left - min(SECONDS_TO_WRITE, left / 10),
            run_seconds=deadline - time.time(),
            error_cache_seconds=settings.error_cache_seconds,
            max_bytes=plan.max_bytes,
            rps=rps_of_worker(plan),
            run_age=time.time() - plan.started_at,
        )
