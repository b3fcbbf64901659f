"""The roll-up: from batch results to one verdict per URL. Pure; the cost grows with batches and failures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from prewarm.planning.batching import expected_pairs
from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import counted_parts, finished_batches
from prewarm.results.consistency import mixed_contents
from prewarm.results.encodings import uncompressed_pops
from prewarm.results.failures import Example, by_outcome
from prewarm.results.outcome import Outcome
from prewarm.results.part_cells import PartCells
from prewarm.results.proven_servers import ProvenServers, proven_servers
from prewarm.results.short_lived import Expiring, expired_warnings, expiring
from prewarm.results.skipped_pops import skipped_of_run
from prewarm.results.url_sums import MOST_DARK_SHARE, UrlSums, together
from prewarm.results.vary import Varied, add, vary_warnings
from prewarm.urls import redacted

# How many URLs with plain copies a summary lists, and POPs of each; the report counts all.
UNCOMPRESSED_SHOWN, POPS_SHOWN = 100, 5


class Verdict(StrEnum):
    """The result of one URL."""

    SUCCESS = "success"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"


@dataclass(slots=True)
class UrlResult:
    """One URL's verdict, its reachable targets, those known to be warm, and its failures by kind (failures.Kind).

    `example`: one of the most frequent failures, None if no batch kept one. Each poll makes one for each URL of the
    run; a frozen one takes three times as long to make.
    """

    index: int
    verdict: Verdict
    reachable: int
    warm: int
    kinds: dict[str, int]
    example: Example | None = None

    @property
    def failures(self) -> dict[str, int]:
        """Return the failures by outcome."""
        return by_outcome(self.kinds)

    @property
    def coverage(self) -> float:
        """Return the percentage of the reachable targets that are warm."""
        return 100.0 * self.warm / self.reachable if self.reachable else 0.0


@dataclass(frozen=True)
class RollUp:
    """All URLs' results in order of index, and the run's sums.

    `mixed`: by index, the URLs whose contents differ, with two such POPs; `vary`: headers that responses name in Vary
    and the cache key does not have, with targets and first URL; `uncompressed`: by index, the URLs with plain copies
    where compressed ones were expected, with the POPs that have them; `short_lived`: when copies expire.
    """

    urls: list[UrlResult]
    outcomes: Counter[str]
    bytes: int
    verified: int
    targets_done: int
    skipped: list[Skipped]
    layers: Counter[str] = field(default_factory=Counter)
    mixed: dict[int, tuple[str, str]] = field(default_factory=dict)
    verified_in_pop: int = 0
    vary: Varied = field(default_factory=dict)
    verified_elsewhere: int = 0
    servers: ProvenServers = field(default_factory=ProvenServers)
    uncompressed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    short_lived: list[Expiring] = field(default_factory=list)

    def indices(self, verdict: Verdict) -> list[int]:
        """Return the indices of all URLs with one verdict."""
        return [url.index for url in self.urls if url.verdict is verdict]


def roll_up(plan: Plan, results: Iterable[BatchResult], ended: Outcome | None = None) -> RollUp:
    """Return the results of all URLs and the run's sums.

    Args:
        plan: the run's plan.
        results: its current batch results (chain.current_parts), in any order.
        ended: the outcome of the unfinished targets of a run that has ended; None while it is in progress.

    A URL is decided when every batch that holds it is finished. It is a success when at least
    `plan.percent_needed` of its reachable targets, and at least one, are warm, and not more than MOST_DARK_SHARE of
    its targets are at dark POPs. A target that no part accounts for is never warm.

    """
    variants = len(plan.variants)
    parts = counted_parts(results, variants)
    cells, expected = PartCells(plan), expected_pairs(plan)
    sums = UrlSums(plan.url_count, finished_batches(parts, variants), cells)
    skipped = {(entry.pop, entry.reason): entry for group in plan.groups for entry in group.skipped}
    outcomes: Counter[str] = Counter()
    layers: Counter[str] = Counter()
    varied: Varied = {}
    for result in parts:
        outcomes.update(result.outcomes)
        layers.update(result.layers)
        add(varied, result.vary)
        skipped.update({(entry.pop, entry.reason): entry for entry in result.dark})
        sums.add(result, variants)
    sums.close()
    done = sum(result.done for result in parts)
    urls = [
        _url_result(plan, sums, index, expected[index] * variants, ended)
        for group in plan.groups
        for index in range(group.url_from, group.url_to)
    ]
    unfinished = sum(expected) * variants - done
    if ended and unfinished:
        outcomes[ended.value] += unfinished
    unplaced = {Outcome.NO_DISTRIBUTION.value: 1}
    urls += [UrlResult(i, Verdict.FAILED, 0, 0, dict(unplaced)) for i in range(plan.placed, plan.url_count)]
    return RollUp(
        urls=urls,
        outcomes=outcomes,
        bytes=sum(result.bytes for result in parts),
        verified=sum(result.verified for result in parts),
        targets_done=done,
        skipped=[skipped[key] for key in sorted(skipped)],
        layers=layers,
        mixed=mixed_contents(plan, parts, cells),
        verified_in_pop=sum(result.verified_in_pop for result in parts),
        vary=varied,
        verified_elsewhere=sum(result.verified_elsewhere for result in parts),
        servers=proven_servers(plan, parts),
        uncompressed=uncompressed_pops(plan, parts, cells),
        short_lived=expiring(parts, cells),
    )


def _url_result(plan: Plan, sums: UrlSums, index: int, expected: int, ended: Outcome | None) -> UrlResult:
    """Return the result of one URL of `expected` targets."""
    dark = {reason: counts[index] for reason, counts in sums.dark.items() if counts[index]} if sums.dark else {}
    failures, reported = sums.failures.get(index), sums.reported[index]
    if not (dark or failures or reported or ended) and expected:
        # Most URLs of a running run: all that is finished is warm.
        warm = sums.finished[index]
        verdict = Verdict.SUCCESS if warm == expected else Verdict.IN_PROGRESS
        return UrlResult(index, verdict, expected, warm, {})
    reachable = expected - sum(dark.values())
    unfinished = expected - sums.finished[index]
    # More reports than targets come from two workers that counted the same ones: none of them is known then.
    unknown = unfinished - reported if reported <= unfinished else unfinished
    kinds = dict(failures or {})
    if mostly_dark := expected - reachable > MOST_DARK_SHARE * expected:
        reachable, kinds = expected, together(kinds, dark)
    warm = max(0, reachable - sum(kinds.values()) - unknown)
    if unfinished and not ended:
        return UrlResult(index, Verdict.IN_PROGRESS, reachable, warm, kinds)
    if not expected:
        # None of its POPs can be reached, so that no batch has it.
        return UrlResult(index, Verdict.FAILED, 0, 0, {Outcome.UNREACHABLE.value: 1})
    if unknown and ended:
        kinds[ended.value] = kinds.get(ended.value, 0) + unknown
    # Rounded, since 16.1 x 1,000 is a little more than 16,100.
    enough = warm > 0 and 100 * warm >= round(plan.percent_needed * reachable, 6)
    verdict = Verdict.SUCCESS if enough and not mostly_dark else Verdict.FAILED
    return UrlResult(index, verdict, reachable, warm, kinds, sums.example(index, kinds) if kinds else None)


def sums(plan: Plan, rolled: RollUp, urls: Sequence[str], at: float, *, ended: bool = True) -> dict[str, Any]:
    """Return a run's sums with the keys of its summary.

    `urls`: all of the run's, as in the request; `at`: its end if it has `ended`, else now, in epoch seconds.
    """
    return {
        "targets": plan.targets,
        "variants": len(plan.variants),
        "popsPerUrl": plan.pops_per_url,
        "targetsDone": rolled.targets_done,
        "outcomes": dict(sorted(rolled.outcomes.items())),
        "verified": rolled.verified,
        "verifiedInPop": rolled.verified_in_pop,
        "verifiedElsewhere": rolled.verified_elsewhere,
        "addresses": rolled.servers.addresses,
        "addressesProven": rolled.servers.proven,
        "separatePops": list(rolled.servers.separate_pops),
        "uncompressedUrls": len(rolled.uncompressed),
        "uncompressed": uncompressed_shown(rolled, urls),
        "bytes": rolled.bytes,
        "layers": dict(sorted(rolled.layers.items())),
        "skippedPops": [asdict(entry) for entry in rolled.skipped],
        "skippedText": skipped_of_run(plan.groups, rolled.skipped),
        "mostlySkipped": plan.mostly_skipped,
        "sources": [each.as_json() for each in plan.sources],
        "duplicates": plan.duplicates,
        "respelled": plan.respelled,
        "warnings": [
            *plan.warnings,
            *warnings_of(rolled, urls),
            *expired_warnings(rolled.short_lived, urls, at, ended=ended),
        ],
    }


def uncompressed_shown(rolled: RollUp, urls: Sequence[str]) -> list[dict[str, Any]]:
    """Return the first URLs that were served uncompressed, each with the number of such POPs and a few of them."""
    return [
        {"url": redacted(urls[index]), "pops": len(pops), "examples": list(pops[:POPS_SHOWN])}
        for index, pops in islice(rolled.uncompressed.items(), UNCOMPRESSED_SHOWN)
    ]


def warnings_of(rolled: RollUp, urls: Sequence[str]) -> list[str]:
    """Return the warnings about a run's results; `urls`: all of the run's, as in the request."""
    varied = vary_warnings(rolled.vary, urls)
    return [*_mixed(rolled, urls), *varied, *_uncompressed(rolled, urls), *_separate(rolled)]


def _mixed(rolled: RollUp, urls: Sequence[str]) -> list[str]:
    if not rolled.mixed:
        return []
    index = min(rolled.mixed)
    one_pop, other_pop = rolled.mixed[index]
    count = f"{len(rolled.mixed):,} URLs have" if len(rolled.mixed) > 1 else "one URL has"
    example = f"different POPs, such as {redacted(urls[index])} at {one_pop} and {other_pop}"
    return [f"{count} different contents (ETag or length) at {example}: some POPs may hold an old copy"]


def _uncompressed(rolled: RollUp, urls: Sequence[str]) -> list[str]:
    """Return which copies the edge did not compress (Developer Guide, "Serve compressed files")."""
    if not rolled.uncompressed:
        return []
    index, pops = next(iter(rolled.uncompressed.items()))
    count = f"{len(rolled.uncompressed):,} URLs were" if len(rolled.uncompressed) > 1 else "one URL was"
    where = f"{len(pops):,} POPs ({pops[0]})" if len(pops) > 1 else f"one POP ({pops[0]})"
    example = f"such as {redacted(urls[index])} at {where}"
    why = "a busy edge skips compression and keeps the plain copy until it expires; invalidate the URL to replace it"
    other = "An origin that sends no Content-Length is never compressed"
    return [f"{count} served uncompressed, {example}: {why}. {other}"]


def _separate(rolled: RollUp) -> list[str]:
    """Return which POPs' servers do not share a cache."""
    names = rolled.servers.separate_pops
    if not names:
        return []
    count = f"{len(names):,} POPs" if len(names) > 1 else "one POP"
    fetched = "targets were fetched through each address that DNS lists for such a POP, at most eight"
    return [f"the addresses of {count}, such as {names[0]}, have separate caches: {fetched}"]
