"""Kindness to origins: a limit of fetches per second, and a circuit breaker per host. Pure: clocks are handed in."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome

# Signs that an origin has more than it can bear; what the edge itself refuses is none.
OVERLOAD = frozenset({Outcome.SERVER_ERROR, Outcome.TIMEOUT})
# How many of a host's last answers are judged, how old they may be, and how many it takes to judge at all.
WINDOW, WINDOW_SECONDS, ENOUGH = 40, 60.0, 20
# From this share of bad answers on the worker slows down, and from that one on, still as bad when slowed, it stops.
SLOW_SHARE, OPEN_SHARE = 0.25, 0.5
# One broken page is no overload, at however many POPs it fails.
URLS_OF_AN_OVERLOAD = 3
SLOWED_RPS = 10.0


class State(Enum):
    """How a host's origin is treated: as it is planned, slowly, or not at all."""

    CLOSED = auto()
    SLOWED = auto()
    OPEN = auto()


@dataclass
class CircuitBreaker:
    """One host's circuit breaker: judges the answers for which the origin was asked."""

    state: State = State.CLOSED
    _seen: deque[tuple[float, bool, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def note(self, now: float, url: int, *, bad: bool) -> None:
        """Note a response of the origin for a URL; `now` in seconds."""
        self._seen.append((now, bad, url))
        while self._seen[0][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
        if self.state is State.OPEN or len(self._seen) < ENOUGH:
            return
        share = sum(bad for _, bad, _ in self._seen) / len(self._seen)
        many = len({url for _, bad, url in self._seen if bad}) >= URLS_OF_AN_OVERLOAD
        if self.state is State.CLOSED and many and share >= SLOW_SHARE:
            self._turn(State.SLOWED)
        elif self.state is State.SLOWED and share < SLOW_SHARE:
            self._turn(State.CLOSED)
        elif self.state is State.SLOWED and many and share >= OPEN_SHARE:
            self._turn(State.OPEN)

    def _turn(self, state: State) -> None:
        # What was seen at the other pace says nothing of this one.
        self.state = state
        self._seen.clear()


@dataclass
class CircuitBreakers:
    """The breakers of all hosts of a batch.

    `opened`: those that opened here and that nobody was told of yet; `slowed`: some host has to be asked slowly.
    """

    open: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    _by_host: dict[str, CircuitBreaker] = field(default_factory=dict)
    slowed: bool = False

    def note(self, host: str, url: int, response: Response, outcome: Outcome, now: float) -> None:
        """Note a response: a hit says nothing of the origin, nor does a connection that was never made."""
        bad = outcome in OVERLOAD
        if response.hit or not (bad or response.status):
            return
        breaker = self._by_host.setdefault(host, CircuitBreaker())
        breaker.note(now, url, bad=bad)
        if breaker.state is State.OPEN and host not in self.open:
            self.open.add(host)
            self.opened.add(host)
        self.slowed = any(each.state is State.SLOWED for each in self._by_host.values())

    def told(self, hosts: frozenset[str]) -> None:
        """Take note of the hosts that other workers found overloaded."""
        self.open |= hosts
