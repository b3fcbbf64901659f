"""A circuit breaker per host: slows and then stops fetches from a failing origin. Pure: the time is an argument.

A worker first slows down to SLOWED_RPS; it stops only if the origin still fails at that rate.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.response import Response
from prewarm.results.classify import is_made_by_function
from prewarm.results.outcome import Outcome

# How many of a host's last responses are counted, their maximum age, and how many are needed for a decision.
WINDOW, WINDOW_SECONDS, MIN_RESPONSES = 40, 60.0, 20
# The share of failures from which the worker slows down, and the one from which, once slowed, it stops.
SLOW_SHARE, OPEN_SHARE = 0.25, 0.5
# A single broken page is not an overload, however many POPs it fails at.
MIN_FAILING_URLS = 3
# Silence is a sign of an overloaded origin only at this many POPs at once (or all, if the run has fewer): if a single
# POP is silent, the cause is the POP.
MIN_SILENT_POPS = 3
SLOWED_RPS = 10.0


class State(Enum):
    """How fast a host is fetched from: at the planned rate, slowly, or not at all."""

    CLOSED = auto()
    SLOWED = auto()
    OPEN = auto()


class Sign(Enum):
    """What a response shows about the origin.

    `FAILED`: a 5xx; `SILENT`: a time-out or a reset, the origin's or the POP's; `LIMITED`: a limit or a function's
    error, which says nothing about the origin but asks for fewer requests.
    """

    FINE = auto()
    FAILED = auto()
    SILENT = auto()
    LIMITED = auto()


def sign_of(response: Response, outcome: Outcome) -> Sign | None:
    """Return what a response shows about the origin; None if the origin was not involved.

    An error page is how the distribution presents a 4xx. A hit, and a connection that was never made, did not reach
    the origin.
    """
    if response.hit or outcome is Outcome.ERROR_PAGE:
        return None
    if outcome is Outcome.LIMITED or is_made_by_function(response):
        return Sign.LIMITED
    if outcome is Outcome.SERVER_ERROR:
        return Sign.FAILED
    if outcome is Outcome.TIMEOUT or (outcome is Outcome.CONNECT_ERROR and response.connected):
        return Sign.SILENT
    return Sign.FINE if response.status else None


@dataclass
class CircuitBreaker:
    """One host's circuit breaker; it counts the responses for which the edge asked the origin.

    `min_silent_pops`: at how many POPs silence counts as a failure.
    """

    state: State = State.CLOSED
    min_silent_pops: int = MIN_SILENT_POPS
    _responses: deque[tuple[float, Sign, int, int]] = field(default_factory=deque)
    _counts: Counter[Sign] = field(default_factory=Counter)

    def record(self, now: float, url: int, pop: int, sign: Sign) -> None:
        """Record a response of the origin for a URL at a POP; `now` in seconds."""
        self._responses.append((now, sign, url, pop))
        self._counts[sign] += 1
        while len(self._responses) > WINDOW or self._responses[0][0] < now - WINDOW_SECONDS:
            self._counts[self._responses.popleft()[1]] -= 1
        if self.state is State.OPEN or len(self._responses) < MIN_RESPONSES:
            return
        if self.state is State.CLOSED and self._counts[Sign.FINE] == len(self._responses):
            return
        self._decide()

    def _decide(self) -> None:
        counts = self._counts
        failing, total = {Sign.FAILED, Sign.SILENT}, len(self._responses)
        if len({pop for _, sign, _, pop in self._responses if sign is Sign.SILENT}) < self.min_silent_pops:
            failing, total = {Sign.FAILED}, total - counts[Sign.SILENT]
        if total < MIN_RESPONSES:
            return
        failures = sum(counts[sign] for sign in failing)
        many = len({url for _, sign, url, _ in self._responses if sign in failing}) >= MIN_FAILING_URLS
        troubled = (failures if many else 0) + counts[Sign.LIMITED] >= SLOW_SHARE * total
        if self.state is State.CLOSED and troubled:
            self._set_state(State.SLOWED)
        elif self.state is State.SLOWED and failures + counts[Sign.LIMITED] < SLOW_SHARE * total:
            self._set_state(State.CLOSED)
        elif self.state is State.SLOWED and many and failures >= OPEN_SHARE * total:
            self._set_state(State.OPEN)

    def _set_state(self, state: State) -> None:
        # Responses at the previous rate do not count for the new one.
        self.state = state
        self._responses.clear()
        self._counts.clear()


@dataclass
class CircuitBreakers:
    """The circuit breakers of all hosts of a batch.

    `on_open` is called once for each host whose breaker opens here, to inform the run's other workers; `open`: the
    hosts that are not fetched from; `pops`: how many POPs the run fetches a host through; `slowed`: at least one host
    has to be fetched from slowly.
    """

    on_open: Callable[[str], None]
    open: set[str] = field(default_factory=set)
    pops: int = MIN_SILENT_POPS
    _by_host: dict[str, CircuitBreaker] = field(default_factory=dict)
    slowed: bool = False

    def record(self, host: str, url: int, pop: int, response: Response, outcome: Outcome, now: float) -> None:
        """Record a response; skips those that show nothing about the origin."""
        sign = sign_of(response, outcome)
        if sign is None:
            return
        breaker = self._by_host.get(host)
        if breaker is None:
            breaker = self._by_host[host] = CircuitBreaker(min_silent_pops=min(MIN_SILENT_POPS, self.pops))
        breaker.record(now, url, pop, sign)
        if breaker.state is State.OPEN and host not in self.open:
            self.open.add(host)
            self.on_open(host)
        self.slowed = any(each.state is State.SLOWED for each in self._by_host.values())

    def open_all(self, hosts: frozenset[str]) -> None:
        """Open the breakers of hosts that other workers have reported as overloaded."""
        self.open |= hosts
