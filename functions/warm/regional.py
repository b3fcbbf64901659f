"""Decide about a complete response in a regional run: does it show what the regional edge cache has? Pure.

A fetch through one POP of an area fills the area's regional edge cache, unless the POP has a copy of its own. Only a
response that names the regional edge cache as the layer of its hit shows that this cache has the copy; a hit of the
POP itself shows nothing about it. docs/proof.md explains what is proven.

Sources: CloudFront Developer Guide, "Understand response headers policies", section "Server-Timing header"
(cdn-hit-layer, cdn-upstream-layer, cdn-pop, and what happens to an origin's own Server-Timing); "How CloudFront
delivers content", section "How CloudFront works with regional edge caches".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.consistency import is_other_content
from prewarm.results.outcome import Outcome
from prewarm.results.regional_causes import COLD, DIRECT, IN_WORDS, OWN_COPIES, SINGLE, UNNAMED
from warm.carriers import Carriers
from warm.judge import (
    FETCHES_IF_UNCACHEABLE,
    MOST_FETCHES,
    PAUSE_FOR_AGE,
    Judge,
    Judged,
    judge_old,
    pause_without_proof,
)
from warm.old_copies import OldCopies
from warm.proof import EDGE, is_refreshed, unproven
from warm.target import Target
from warm.tile import Tile
from warm.verification import Step, Verification

# The layers behind the POPs: a regional edge cache, and the one that acts as Origin Shield.
REGIONAL_LAYERS = frozenset({"REC", "Origin Shield"})
POP_METRIC = "cdn-pop;"


class Seen(Enum):
    """Which cache a complete response comes from, as far as Server-Timing shows it.

    `REGIONAL`: a hit of the regional edge cache; `FILLED`: the regional edge cache asked the origin for it; `OWN`: a
    hit of the POP's own copy; `DIRECT`: the POP asked the origin itself; `UNNAMED`: CloudFront adds no metrics;
    `UNCLEAR`: it does, but they are not one set of this POP, or contradict X-Cache.
    """

    REGIONAL = auto()
    FILLED = auto()
    OWN = auto()
    DIRECT = auto()
    UNNAMED = auto()
    UNCLEAR = auto()


def seen(response: Response, *, shared: bool = False) -> Seen:
    """Return which cache a complete response comes from: by a layer of its own (Response.layer), next to its POP.

    `shared`: a hit may be a response of the origin that several requests share, and that is not kept.
    """
    metrics = response.server_timing
    if "-layer;" not in metrics and POP_METRIC not in metrics:
        return Seen.UNNAMED
    layer, is_hit = response.layer, response.x_cache.startswith("Hit ")
    if not layer or metrics.count(POP_METRIC) != 1:
        return Seen.UNCLEAR
    if layer in REGIONAL_LAYERS:
        return Seen.REGIONAL if is_hit and not shared else Seen.FILLED
    if layer == EDGE:
        return Seen.OWN if is_hit else Seen.DIRECT
    return Seen.UNCLEAR


@dataclass
class RegionalJudge:
    """Judges the complete responses of a tile of a regional run; `invalidated`: the run has invalidated its URLs."""

    tile: Tile
    verification: Verification
    carriers: Carriers
    invalidated: bool
    run_seconds: Callable[[], float]
    _old: OldCopies = field(init=False)

    def __post_init__(self) -> None:
        """Create what is known of the tile's old copies."""
        self._old = OldCopies(self.run_seconds, self.tile.kept, self.verification.keeping)

    def copy(self, fetch: Fetch, response: Response, outcome: Outcome) -> Judged:
        """Judge a copy of the object; `outcome` is its classification."""
        url, keeping = fetch.owner.url, self.verification.keeping
        keeping.watch(url, response)
        found = seen(response, shared=response.hit and keeping.may_be_shared(url, response))
        # A POP's own old copy shows nothing about the regional edge cache.
        if self.invalidated and found is not Seen.OWN and self._old.is_old(url, response):
            return judge_old(fetch.owner, response)
        if self.tile.verify == "none" and (why_not := keeping.why_not(url, response, hit=response.hit)):
            return Judged(response, Outcome.NOT_CACHEABLE, why_not)
        return self._copy(fetch, response, outcome, found)

    def _copy(self, fetch: Fetch, response: Response, outcome: Outcome, found: Seen) -> Judged:
        """Judge a response that may be kept; `found`: which cache it comes from."""
        target: Target = fetch.owner
        match found:
            case Seen.REGIONAL if target.first is None or not is_other_content(target.first, response):
                filled = target.first is not None or target.fetched
                warm = Outcome.WARMED if filled else Outcome.ALREADY_WARM
                return Judged(target.first or response, warm, verified=True)
            case Seen.DIRECT:
                return self._unproven(target, response, DIRECT)
            case Seen.OWN:
                return self._ask_next_pop(fetch, response)
            case Seen.UNNAMED if target.first is None and not target.fetched:
                # The policy of a URL's behavior has Server-Timing for all of its responses, or for none.
                if self.tile.verify == "none" and not (is_refreshed(response) and self.invalidated):
                    return Judged(response, outcome)
                return self._unproven(target, response, UNNAMED)
            case _:
                # It is not known to have filled the cache, so the proofs of others do not suffice.
                target.verify = target.verify or found is not Seen.FILLED
                return self._filled(fetch, response)

    def error_page(self, target: Target, response: Response) -> Judged:  # noqa: ARG002 - as judge.Judge has it
        """Judge a page that custom error responses made with a status of success: never a copy of the object."""
        return Judged(response, Outcome.ERROR_PAGE, f"status {response.status}, X-Cache: {response.x_cache}")

    def _filled(self, fetch: Fetch, response: Response) -> Judged:
        """Judge a response for which the regional edge cache was filled, which proves nothing yet."""
        target: Target = fetch.owner
        verifying = self.tile.verify != "none"
        refreshed = is_refreshed(response) and (verifying or self.invalidated)
        if not verifying and not refreshed:
            return Judged(response, Outcome.WARMED)
        believed = not refreshed and not target.verify and self.verification.believes(target)
        if not believed and self.carriers.next_place(target) is None:
            return self._without_next_pop(target, response)
        target.verify = target.verify or refreshed
        step = Step.VERIFY if refreshed else self.verification.step(fetch, response)
        if step is Step.VERIFY:
            return self._ask_again(fetch, response)
        return Judged(target.first or response, Outcome.WARMED if step is Step.BELIEVE else None)

    def _ask_again(self, fetch: Fetch, response: Response) -> Judged:
        """Fetch through the next POP, or finish the target after too many fetches without a proof."""
        target: Target = fetch.owner
        target.misses += 1
        reason = self.tile.uncacheable.get(target.url, "")
        brief = bool(reason) or self.verification.doubts(target)
        if target.misses >= (FETCHES_IF_UNCACHEABLE if brief else MOST_FETCHES):
            return self._unproven(target, response, COLD)
        if target.first is None:
            target.first = response
        elif is_other_content(target.first, response):
            # The next hit has to be of this copy.
            target.first, target.filler = response, target.place
        if not self.carriers.move(fetch):
            return self._without_next_pop(target, response)
        shared = response.hit and self.verification.keeping.may_be_shared(target.url, response)
        pause = PAUSE_FOR_AGE if shared else pause_without_proof(target.misses)
        return Judged(response, pause=pause)

    def _ask_next_pop(self, fetch: Fetch, response: Response) -> Judged:
        """Fetch through the next POP, since this one's own copy shows nothing about the regional edge cache."""
        target: Target = fetch.owner
        target.repeats += 1
        if not self.carriers.move(fetch):
            return self._without_next_pop(target, response)
        return Judged(response, pause=0.0)

    def _without_next_pop(self, target: Target, response: Response) -> Judged:
        single = len(self.tile.carriers[target.pop]) == 1
        own = seen(response) is Seen.OWN
        return self._unproven(target, response, OWN_COPIES if own else SINGLE if single else COLD)

    def _unproven(self, target: Target, response: Response, cause: str) -> Judged:
        """Finish a target without a proof."""
        reason = self.tile.uncacheable.get(target.url, "")
        doubtful = self.verification.keeping.is_doubtful(target.url, response)
        outcome, _ = unproven(target, response, reason, doubtful=doubtful)
        if outcome is Outcome.UNPROVEN:
            target.cause = cause
        header = f"Cache-Control: {response.cache_control}" if response.cache_control else ""
        asked = (target.asked | 1 << target.place).bit_count()
        tried = f"{asked} of {len(self.tile.carriers[target.pop])} POPs of the area asked"
        last = f"last answer of {self.tile.pop_of(target)}: X-Cache: {response.x_cache}"
        why = reason if outcome is Outcome.NOT_CACHEABLE else IN_WORDS[cause]
        return Judged(response, outcome, "; ".join(filter(None, [why, tried, last, header])))


def judge_of(
    tile: Tile,
    verification: Verification,
    carriers: Carriers | None,
    invalidated: bool,  # noqa: FBT001 - Judge's own field
    run_seconds: Callable[[], float],
) -> Judge | RegionalJudge:
    """Return the judge of a tile: by its carriers, or of what each POP keeps."""
    if carriers is None:
        return Judge(tile, verification, invalidated, run_seconds)
    return RegionalJudge(tile, verification, carriers, invalidated, run_seconds)
