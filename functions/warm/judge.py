"""Decide about a complete response: its target is finished, held, or fetched again. Pure."""

from dataclasses import dataclass

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.consistency import is_other_content
from prewarm.results.outcome import Outcome
from warm.error_pages import judge_error_page
from warm.proof import is_hit_in_pop, is_refreshed, names_the_pop, proves, unproven, warm_outcome
from warm.tile import Target, Tile
from warm.verification import Step, Verification

# The most fetches without a proof. Two are enough where the distribution's settings, or the verifications of other
# targets, suggest that no copy is kept.
MOST_FETCHES, FETCHES_IF_UNCACHEABLE = 4, 2
# First pause before another fetch in seconds; doubled each time.
FIRST_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the complete responses of one tile; `invalidated`: the run has invalidated its URLs."""

    tile: Tile
    verification: Verification
    invalidated: bool

    def copy(self, fetch: Fetch, response: Response, outcome: Outcome) -> Judged:
        """Judge a copy of the object; `outcome` is its classification."""
        target: Target = fetch.owner
        if proves(target, response):
            named = names_the_pop(response)
            return Judged(target.first or response, warm_outcome(target, response), verified=True, named=named)
        if is_refreshed(response) and (self.tile.verify != "none" or self.invalidated):
            # It may be an expired copy that is served while the origin fails.
            target.verify = True
            return self._ask_again(fetch, target, response)
        step = self.verification.step(fetch, response)
        if step is Step.VERIFY:
            return self._ask_again(fetch, target, response)
        return Judged(response, outcome if step is Step.BELIEVE else None)

    def error_page(self, target: Target, response: Response) -> Judged:
        """Judge a page that custom error responses made with a status of success."""
        page = judge_error_page(target, response, self.tile.error_pages)
        first = target.first or response
        if page.pause is not None:
            return Judged(first, pause=page.pause)
        return Judged(first, page.outcome, page.detail, verified=page.proven)

    def _ask_again(self, fetch: Fetch, target: Target, response: Response) -> Judged:
        """Fetch again, or finish the target after too many fetches without a proof.

        The first repetition is immediate and at the same address; a POP has several cache servers, so a second
        response without proof is followed by a fetch at another address.
        """
        target.misses += 1
        reason = self.tile.uncacheable.get(target.url, "")
        brief = reason or self.verification.doubts(target)
        if target.misses >= (FETCHES_IF_UNCACHEABLE if brief else MOST_FETCHES):
            return Judged(response, *unproven(target, response, reason))
        if target.first is None:
            target.first = response
        elif is_other_content(target.first, response):
            # The next hit has to be of this copy. It is not the copy that was there first.
            target.fetched = target.fetched or not is_hit_in_pop(target.first)
            target.first = response
        if target.misses == 1:
            return Judged(response, pause=0.0)
        fetch.address += 1
        return Judged(response, pause=FIRST_PAUSE * 2 ** (target.misses - 2))
