"""A circuit breaker per host: slows and then stops fetches from a failing origin. Pure: the time is an argument.

A worker first slows down to SLOWED_RPS; only an origin that still fails at that rate is no longer asked.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome

# Signs of an overloaded origin. A refusal by the edge itself is not among them.
OVERLOAD = frozenset({Outcome.SERVER_ERROR, Outcome.TIMEOUT})
# How many of a host's last responses are counted, their maximum age, and how many are needed for a decision.
WINDOW, WINDOW_SECONDS, MIN_RESPONSES = 40, 60.0, 20
# The share of failures from which the worker slows down, and the one from which, once slowed, it stops.
SLOW_SHARE, OPEN_SHARE = 0.25, 0.5
# A single broken page is not an overload, however many POPs it fails at.
MIN_FAILING_URLS = 3
SLOWED_RPS = 10.0


class State(Enum):
    """How a host's origin is fetched from: at the planned rate, slowly, or not at all."""

    CLOSED = auto()
    SLOWED = auto()
    OPEN = auto()


@dataclass
class CircuitBreaker:
    """One host's circuit breaker; it counts the responses for which the edge asked the origin."""

    state: State = State.CLOSED
    _responses: deque[tuple[float, bool, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def record(self, now: float, url: int, *, failed: bool) -> None:
        """Record a response of the origin for a URL; `now` in seconds."""
        self._responses.append((now, failed, url))
        while self._responses[0][0] < now - WINDOW_SECONDS:
            self._responses.popleft()
        if self.state is State.OPEN or len(self._responses) < MIN_RESPONSES:
            return
        share = sum(failed for _, failed, _ in self._responses) / len(self._responses)
        many = len({url for _, failed, url in self._responses if failed}) >= MIN_FAILING_URLS
        if self.state is State.CLOSED and many and share >= SLOW_SHARE:
            self._set_state(State.SLOWED)
        elif self.state is State.SLOWED and share < SLOW_SHARE:
            self._set_state(State.CLOSED)
        elif self.state is State.SLOWED and many and share >= OPEN_SHARE:
            self._set_state(State.OPEN)

    def _set_state(self, state: State) -> None:
        # Responses at the previous rate do not count for the new one.
        self.state = state
        self._responses.clear()


@dataclass
class CircuitBreakers:
    """The circuit breakers of all hosts of a batch.

    `on_open` is called once for each host whose breaker opens here, to inform the run's other workers; `open`: the
    hosts that are not fetched from; `slowed`: at least one host has to be fetched from slowly.
    """

    on_open: Callable[[str], None]
    open: set[str] = field(default_factory=set)
    _by_host: dict[str, CircuitBreaker] = field(default_factory=dict)
    slowed: bool = False

    def record(self, host: str, url: int, response: Response, outcome: Outcome, now: float) -> None:
        """Record a response; skips hits and connections that were never made, which do not involve the origin."""
        failed = outcome in OVERLOAD
        if response.hit or not (failed or response.status):
            return
        breaker = self._by_host.setdefault(host, CircuitBreaker())
        breaker.record(now, url, failed=failed)
        if breaker.state is State.OPEN and host not in self.open:
            self.open.add(host)
            self.on_open(host)
        self.slowed = any(each.state is State.SLOWED for each in self._by_host.values())

    def open_all(self, hosts: frozenset[str]) -> None:
        """Open the breakers of hosts that other workers have reported as overloaded."""
        self.open |= hosts
