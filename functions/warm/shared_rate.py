"""A worker's part in the rate of its run: it leases slots of the run's grid, and starts a fetch in each. Pure.

It sends requests to the ledger as an `Ask` and receives an `Answer` later; it never waits for one. Each worker renews
one lease, and also takes lanes that no worker uses, as long as no other worker asks for them.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from prewarm.storage.rate_lanes import Answer, Ask
from warm.held_slots import HeldSlots
from warm.rate_grid import RateGrid
from warm.store_clock import StoreClock
from warm.token_bucket import TokenBucket

# How early a fetch may start, in seconds, so that close slots take one step of the loop.
EARLY = 0.004
# How long before the end of its slots a worker asks for more, and how long before it a lane that was not renewed
# counts as free: its worker has ended, or has enough.
AHEAD, FREE_AHEAD = 0.35, 0.2
# A lease of free slots begins no sooner, so that the first is not over when the answer comes.
SOONEST = 0.03
# How often an answer is looked for; how often a worker without a slot considers whether to ask; how long a view of
# the lanes is fresh.
POLL_SECONDS, STEP_SECONDS, LONGEST_STEP, FRESH_SECONDS = 0.005, 0.02, 1.0, 0.05
# How many lanes a worker asks for at once.
ASKS = 4
# A worker that missed a slot had nothing to start: for this many seconds it takes only one lane.
ENOUGH_SECONDS = 0.5
# If a lane should be free by now, a worker looks again after this time or longer; the second number limits how often
# a second all workers together look. While its clock is not sure, it looks for the date of the answer.
LOOK_SECONDS, LOOKS_A_SECOND, DATE_SECONDS = 0.1, 50, 0.1
# Without an answer for this long, the ledger counts as failing; a worker that ends soon waits for this part of its
# time.
PATIENCE, PATIENCE_SHARE = 2.0, 0.1
# It is asked again after this time or longer: all workers together ask so many times a second at most.
RETRY_SECONDS, RETRIES_A_SECOND = 1.0, 50
# Workers that start at the same moment ask one after the other, so many in a second.
STARTS_A_SECOND = 200
# If no slot is left before the worker's end, it asks again after half of the time left, but not before this time.
FULL_SECONDS = 5.0


class Lessor(Protocol):
    """The ledger's lanes: takes an Ask without waiting, and has the Answer later."""

    def send(self, ask: Ask) -> None:
        """Send an ask."""

    def receive(self) -> Answer | None:
        """Return the next answer; None where there is none yet."""


@dataclass(frozen=True)
class Share:
    """What a worker of a rate-limited run is given.

    `workers`: how many the run has at a time; `began`: the run's start in epoch seconds; `ends`: when this worker
    stops at the latest, in monotonic seconds; `remaining`: how many fetches it may still have to start.
    """

    grid: RateGrid
    workers: int
    began: float
    ends: float
    remaining: Callable[[], int]


class SharedRate:
    """Decides when a worker may start a fetch; `wall` is this machine's clock, in epoch seconds."""

    def __init__(
        self, share: Share, lessor: Lessor, now: float, wall: Callable[[], float], chance: random.Random
    ) -> None:
        self._share, self._grid, self._lessor, self._wall, self._chance = share, share.grid, lessor, wall, chance
        self._clock, self._slots = StoreClock(wall(), now), HeldSlots(share.grid)
        self._fixed = TokenBucket(None)
        self._patience = min(PATIENCE, PATIENCE_SHARE * (share.ends - now))
        self._retry_seconds = max(RETRY_SECONDS, share.workers / RETRIES_A_SECOND)
        self._look_seconds = max(LOOK_SECONDS, share.workers / LOOKS_A_SECOND)
        # The lane of the last lease; how many asks have no answer yet, when the last one was sent, and when the next
        # one is at the earliest; how many were refused in a row.
        self._lane: int | None = None
        self._pending, self._asked, self._refusals = 0, now, 0
        self._next_ask = now + chance.random() * share.workers / STARTS_A_SECOND
        # The next free slot of each lane as last seen, when that was, and how far ahead the lanes were leased then.
        self._lanes: Mapping[int, int] | None = None
        self._seen, self._leased_for = -math.inf, 0.0
        # Whether the ledger fails; when all leases of other workers are over; until when a lease must not begin.
        self._failing, self._over_at, self._guarded_until = False, 0.0, -math.inf

    def acquire(self, now: float) -> float:
        """Return 0 where a fetch may start now, or the seconds to wait; `now` in monotonic seconds."""
        if self._pending:
            self._listen(now)
        time = self._time(now)
        wait = self._slots.until_next(time)
        if wait <= EARLY:
            self._slots.use()
            wait = 0.0
        elif self._failing and wait == math.inf and time >= self._over_at:
            wait = self._fixed.acquire(now)
        if not self._pending and now >= self._next_ask:
            if wait:
                self._next_ask = now + self._step(time)
            self._ask(now, time, more=wait > 0)
        return min(wait, POLL_SECONDS if self._pending else max(POLL_SECONDS, self._next_ask - now))

    def _time(self, now: float) -> float:
        """Return the seconds since the run began, by the store's clock."""
        return self._clock.time(now) - self._share.began

    # ---- what the ledger answers ----

    def _listen(self, now: float) -> None:
        while answer := self._lessor.receive():
            self._pending -= 1
            if answer.failed:
                self._fail(now)
                self._lanes = None
                self._next_ask = now + self._retry_seconds * self._chance.uniform(0.75, 1.25)
            else:
                self._learn(answer, now)
        if self._pending and now - self._asked > self._patience:
            self._fail(now)

    def _learn(self, answer: Answer, now: float) -> None:
        ask = answer.ask
        self._clock.observe(answer.sent, answer.received, answer.date, self._wall(), now)
        time = self._time(now)
        self._lanes, self._seen, self._next_ask = answer.lanes, now, now
        last = max((self._grid.time(lane, number) for lane, number in answer.lanes.items()), default=time)
        self._leased_for = max(0.0, last - time)
        if not ask.count:
            # A successful read does not show that writes succeed, but the leases of others last at least until then.
            self._over_at = max(self._over_at, last)
            return
        if self._failing:
            self._failing, self._guarded_until = False, time + self._guard()
        if answer.first is None:
            self._refusals += 1
            self._next_ask = now + self._chance.random() * STEP_SECONDS * min(self._refusals, 8)
        else:
            self._refusals, self._lane = 0, ask.lane
            self._slots.add(ask.lane, answer.first, ask.count, time)

    def _fail(self, now: float) -> None:
        """Switch this worker to its fixed share, as soon as all leases that others may have are over."""
        if not self._failing:
            self._failing = True
            # It does not begin with a whole token, or all workers would start a fetch at the same moment.
            self._fixed = TokenBucket(self._grid.rate / self._share.workers, self._chance.random())
            self._over_at = self._time(now) + max(self._patience, self._leased_for)

    def _guard(self) -> float:
        """Return the seconds in which all workers have noticed that the ledger answers again."""
        return 1.25 * self._retry_seconds + 1.0

    # ---- what it is asked ----

    def _ask(self, now: float, time: float, *, more: bool) -> None:
        """Ask for slots where some are needed, or free; `more`: a fetch has to wait for one."""
        if self._lanes is None or (not self._clock.sure and now - self._seen >= DATE_SECONDS):
            self._send(Ask(), now)
            return
        if self._clock.wrong:
            return
        fresh, held = now - self._seen <= FRESH_SECONDS, len(self._slots)
        if self._slots.end() < time + AHEAD:
            lane = self._freest(time) if self._lane is None or fresh else self._lane
            if (wanted := self._share.remaining() - held) > 0 or not held:
                self._take(lane, max(1, wanted), now, time, exact=False)
        elif more and time - self._slots.missed >= ENOUGH_SECONDS and (wanted := self._share.remaining() - held) > 0:
            # A lane beyond the first one is renewed only if no other worker has asked for it.
            lanes = (self._free(time) if fresh else []) or self._ending(time)
            for lane in self._chance.sample(lanes, min(len(lanes), ASKS, -(-wanted // self._grid.lease))):
                self._take(lane, wanted, now, time, exact=True)
                wanted -= self._grid.lease
            if not lanes and now - self._seen >= self._look_seconds and self._free(time):
                self._send(Ask(), now)

    def _step(self, time: float) -> float:
        """Return the seconds after which a worker without a slot considers again whether to ask."""
        if not len(self._slots) or not self._clock.sure:
            return STEP_SECONDS
        free = min(self._grid.time(lane, self._next(lane)) for lane in range(self._grid.lanes)) - FREE_AHEAD
        return max(STEP_SECONDS, min(LONGEST_STEP, self._slots.end() - AHEAD - time, free - time))

    def _take(self, lane: int, wanted: int, now: float, time: float, *, exact: bool) -> None:
        """Ask for slots of a lane; `exact`: only if its next slot is still the one that this worker knows."""
        grid, count = self._grid, min(wanted, self._grid.lease)
        begin = max(time + (self._guard() if self._failing else SOONEST), self._guarded_until)
        least, following = grid.first(lane, begin), self._next(lane)
        most = grid.first(lane, self._time(self._share.ends)) - count
        if max(least, following) > most:
            self._next_ask = now + max(FULL_SECONDS, (self._share.ends - now) / 2)
        elif following < least:
            self._send(Ask(lane, count, least, restart=True), now)
        else:
            self._send(Ask(lane, count, following if exact else least, following if exact else most), now)

    def _send(self, ask: Ask, now: float) -> None:
        self._pending, self._asked = self._pending + 1, now
        self._lessor.send(ask)

    def _next(self, lane: int) -> int:
        """Return the number of a lane's next free slot, as far as this worker knows."""
        return (self._lanes or {}).get(lane, -1)

    def _free(self, time: float) -> list[int]:
        grid = self._grid
        return [lane for lane in range(grid.lanes) if grid.time(lane, self._next(lane)) < time + FREE_AHEAD]

    def _freest(self, time: float) -> int:
        """Return a free lane, or the one that is leased for the shortest time."""
        return self._chance.choice(self._free(time) or [min(range(self._grid.lanes), key=self._next)])

    def _ending(self, time: float) -> list[int]:
        """Return the lanes whose last known lease is this worker's, and is nearly over."""
        soon, ends = time + AHEAD, self._slots.ends()
        return [lane for lane, end in ends.items() if end >= self._next(lane) and self._grid.time(lane, end) < soon]
