"""Decide about a complete response: its target is finished, held, or fetched again. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.consistency import is_other_content
from prewarm.results.outcome import Outcome
from warm.error_pages import judge_error_page
from warm.old_copies import FETCHES_IF_OLD, PAUSE_IF_OLD, OldCopies
from warm.plain_copies import PlainCopies
from warm.proof import (
    is_hit_in_pop,
    is_miss_in_pop,
    is_older_than,
    is_refreshed,
    names_the_pop,
    proves,
    spared_ms,
    unproven,
    warm_outcome,
)
from warm.target import Target
from warm.tile import Tile
from warm.verification import Step, Verification

# The most fetches without a proof. Two are enough where the distribution's settings, or the verifications of other
# targets, suggest that no copy is kept.
MOST_FETCHES, FETCHES_IF_UNCACHEABLE = 4, 2
# First pause before another fetch in seconds; doubled each time.
FIRST_PAUSE = 0.2
# After this many seconds a copy that is kept has an Age, which is in whole seconds.
PAUSE_FOR_AGE = 1.1


def pause_without_proof(fetches: int) -> float:
    """Return the seconds before another fetch of a target, by how many complete fetches have not proven it."""
    return 0.0 if fetches == 1 else FIRST_PAUSE * 2 ** (fetches - 2)


@dataclass(slots=True)
class Judged:
    """What follows a complete response.

    With `pause`, the target is fetched again after so many seconds; without it and without an outcome, it is held.
    `response` is the one to record; `verified`: a proof was found, `named`: one that names the POP's own layer.
    """

    response: Response
    outcome: Outcome | None = None
    detail: str = ""
    pause: float | None = None
    verified: bool = False
    named: bool = False


def judge_old(target: Target, response: Response) -> Judged:
    """Judge a copy from before the run, which has invalidated it: fetch it again, or finish the target."""
    target.verify = True
    target.misses += 1
    if target.misses < FETCHES_IF_OLD:
        return Judged(response, pause=PAUSE_IF_OLD)
    detail = f"X-Cache: {response.x_cache}, Age: {response.age}: older than the run, which invalidated it"
    return Judged(response, Outcome.STALE, detail)


@dataclass
class Judge:
    """Judges the complete responses of one tile.

    `invalidated`: the run has invalidated its URLs; `run_seconds` returns the seconds since the run began.
    """

    tile: Tile
    verification: Verification
    invalidated: bool
    run_seconds: Callable[[], float]
    _plain: PlainCopies = field(init=False)
    _old: OldCopies = field(init=False)

    def __post_init__(self) -> None:
        """Create what is known of the tile's plain and old copies."""
        self._plain = PlainCopies(self.tile.compressed)
        self._old = OldCopies(self.run_seconds, self.tile.kept, self.verification.keeping)

    def copy(self, fetch: Fetch, response: Response, outcome: Outcome) -> Judged:
        """Judge a copy of the object; `outcome` is its classification."""
        url, keeping, hit = fetch.owner.url, self.verification.keeping, is_hit_in_pop(response)
        keeping.watch(url, response)
        if self.invalidated and self._old.is_old(url, response):
            return judge_old(fetch.owner, response)
        if self.tile.verify == "none" and (why_not := keeping.why_not(url, response, hit=hit)):
            return Judged(response, Outcome.NOT_CACHEABLE, why_not)
        return self._copy(fetch, response, outcome, hit=hit, shared=hit and keeping.may_be_shared(url, response))

    def _copy(self, fetch: Fetch, response: Response, outcome: Outcome, *, hit: bool, shared: bool) -> Judged:
        """Judge a response that may be kept.

        `hit`: it was served from a cache; `shared`: it may be a response from the origin that several requests share,
        and that is not kept.
        """
        target: Target = fetch.owner
        servers, verifying = self.verification.servers, self.tile.verify != "none"
        server = fetch.address % servers.counts[target.pop]
        if target.tries == 1 and not target.fetched:
            self._first(target, response, hit=hit)
        again = servers.fill(target, server, hit=hit)
        if target.first is not None and response.encoding and not target.first.encoding:
            # The compressed copy is the one that counts; responses with the plain one prove nothing about it.
            servers.start_again(target, server)
            target.first, again = None, False
        if self._plain.watch(target, server, response) and verifying:
            return self._ask_for_compressed(fetch, server, response)
        separate = target.pop in servers.separate and not again
        if not shared and proves(target, response, first_of_several=separate):
            if servers.prove(target, server, response, self.run_seconds) or not verifying:
                first, named = target.first or response, names_the_pop(response)
                target.spared_ms = spared_ms(target, response)
                return Judged(first, warm_outcome(target, response), verified=True, named=named)
            return self._ask_elsewhere(fetch, response, again=again)
        # A refreshed copy may be an expired one that is served while the origin fails.
        refreshed = is_refreshed(response) and (verifying or self.invalidated)
        target.verify = target.verify or refreshed
        step = Step.VERIFY if refreshed else self.verification.step(fetch, response)
        if step is Step.VERIFY:
            return self._ask_again(fetch, response, again=again, shared=shared)
        if step is Step.FILL:
            return self._ask_elsewhere(fetch, response, again=again)
        if target.first is not None:
            response, outcome = target.first, warm_outcome(target, response)
        return Judged(response, outcome if step is Step.BELIEVE else None)

    def _first(self, target: Target, response: Response, *, hit: bool) -> None:
        """Store what the response to a target's very first fetch shows about the time before the run."""
        if hit:
            target.before = is_older_than(response, self.run_seconds())
        elif is_miss_in_pop(response):
            target.miss, target.missed_at = response, self.run_seconds()

    def error_page(self, target: Target, response: Response) -> Judged:
        """Judge a page that custom error responses made with a status of success."""
        page = judge_error_page(target, response, self.tile.error_pages)
        first = target.first or response
        if page.pause is not None:
            return Judged(first, pause=page.pause)
        return Judged(first, page.outcome, page.detail, verified=page.proven)

    def _ask_for_compressed(self, fetch: Fetch, server: int, response: Response) -> Judged:
        """Fetch a plain copy again: at another address, or where an earlier one was plain."""
        target: Target = fetch.owner
        count = self.verification.servers.counts[target.pop]
        others = target.plain_at & ~(1 << server)
        fetch.address = others.bit_length() - 1 if others else (server + 1) % count
        target.first = target.first or response
        target.repeats += 1
        return Judged(response, pause=FIRST_PAUSE * 2 ** (target.plain_asks - 1))

    def _ask_elsewhere(self, fetch: Fetch, response: Response, *, again: bool) -> Judged:
        """Fetch the target through another address of its POP."""
        target: Target = fetch.owner
        target.first = target.first or response
        target.repeats += 1
        self.verification.servers.advance(fetch, again=again)
        return Judged(response, pause=0.0)

    def _ask_again(self, fetch: Fetch, response: Response, *, again: bool, shared: bool) -> Judged:
        """Fetch again, or finish the target after too many fetches without a proof.

        `shared`: as of `_copy`. The first repetition is immediate, and at another address if the POP has one: its
        servers may share a cache or not. An address that had to fetch the copy itself is asked again.
        """
        target: Target = fetch.owner
        target.misses += 1
        reason = self.tile.uncacheable.get(target.url, "")
        brief = bool(reason) or self.verification.doubts(target)
        most = (FETCHES_IF_UNCACHEABLE if brief else MOST_FETCHES) + target.proven.bit_count()
        if target.misses >= most:
            doubtful = self.verification.keeping.is_doubtful(target.url, response)
            return Judged(response, *unproven(target, response, reason, doubtful=doubtful))
        servers = self.verification.servers
        if target.first is None:
            target.first = response
        elif is_other_content(target.first, response):
            # The next hit has to show this copy. It is not the copy that was there first.
            target.fetched = target.fetched or not is_hit_in_pop(target.first)
            target.first = response
            servers.start_again(target, fetch.address % servers.counts[target.pop])
            again = False
        # Few fetches are conclusive only if they reach the same server.
        servers.advance(fetch, again=again, stay=brief and not target.proven)
        pause = pause_without_proof(target.misses)
        if shared:
            pause = max(pause, PAUSE_FOR_AGE)
        return Judged(response, pause=pause)
