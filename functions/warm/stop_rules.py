"""When a worker has to stop before its tile is finished: time limits, and the run's control item."""

import time
from collections.abc import Callable
from enum import Enum, auto

from prewarm.storage.ledger_items import Control
from warm.limits import Limits

# How often the run's control item is read.
CONTROL_SECONDS = 3.0


class StopReason(Enum):
    """Why a worker stopped before its tile was finished."""

    OUT_OF_TIME = auto()
    DEADLINE = auto()
    RUN_ENDED = auto()


class StopRules:
    """Decides whether a worker has to stop; `reason` is why it stopped, None while it may work.

    `read_control` reads the run's control item, `on_control` receives each one that was read; `redrives`: how often
    the run had been redriven when the worker started.
    """

    def __init__(
        self,
        limits: Limits,
        redrives: int,
        read_control: Callable[[], Control],
        on_control: Callable[[Control], None],
    ) -> None:
        self._limits, self._redrives = limits, redrives
        self._read_control, self._on_control = read_control, on_control
        self.reason: StopReason | None = None
        self._started = time.monotonic()
        self._next_read = self._started + CONTROL_SECONDS

    def run_seconds_left(self) -> float:
        """Return the seconds until the run's deadline."""
        return self._limits.run_seconds - (time.monotonic() - self._started)

    def should_stop(self) -> bool:
        """Return whether the worker has to stop; reads the control item when that is due."""
        now = time.monotonic()
        elapsed = now - self._started
        if elapsed >= self._limits.run_seconds:
            self.reason = StopReason.DEADLINE
        elif elapsed >= self._limits.own_seconds:
            self.reason = StopReason.OUT_OF_TIME
        elif now >= self._next_read:
            self._next_read = now + CONTROL_SECONDS
            control = self._read_control()
            self._on_control(control)
            if control.over_for(self._redrives):
                self.reason = StopReason.RUN_ENDED
        return self.reason is not None
