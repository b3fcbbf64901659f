"""The roll-up: from batch results to one verdict per URL. Pure; the cost grows with batches and failures."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.outcome import Outcome
from prewarm.results.proven_servers import ProvenServers
from prewarm.results.run_sums import RunSums, sums_of
from prewarm.results.short_lived import ExpiringCopies, expired_warnings
from prewarm.results.skipped_pops import skipped_of_run
from prewarm.results.url_results import UrlResult, UrlResults, Verdict
from prewarm.results.vary import Varied, vary_warnings
from prewarm.urls import redacted

__all__ = ["RollUp", "UrlResult", "Verdict", "roll_up", "rolled_up", "sums", "warnings_of"]

# How many URLs with plain copies a summary lists, and POPs of each; the report counts all.
UNCOMPRESSED_SHOWN, POPS_SHOWN = 100, 5


@dataclass(frozen=True)
class RollUp:
    """All URLs' results in order of index, and the run's sums.

    `mixed`: by index, the URLs whose contents differ, with two such POPs; `vary`: headers that responses name in Vary
    and the cache key does not have, with targets and first URL; `uncompressed`: by index, the URLs with plain copies
    where compressed ones were expected, with the POPs that have them; `short_lived`: when copies expire.
    """

    urls: Sequence[UrlResult]
    outcomes: Counter[str]
    bytes: int
    verified: int
    targets_done: int
    skipped: list[Skipped]
    layers: Counter[str] = field(default_factory=Counter)
    mixed: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    verified_in_pop: int = 0
    vary: Varied = field(default_factory=dict)
    verified_elsewhere: int = 0
    servers: ProvenServers = field(default_factory=ProvenServers)
    uncompressed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    short_lived: ExpiringCopies = field(default_factory=ExpiringCopies)

    def indices(self, verdict: Verdict) -> list[int]:
        """Return the indices of all URLs with one verdict."""
        return [url.index for url in self.urls if url.verdict is verdict]


def roll_up(plan: Plan, results: Iterable[BatchResult], ended: Outcome | None = None) -> RollUp:
    """Return the results of all URLs and the run's sums.

    Args:
        plan: the run's plan.
        results: its current batch results (chain.current_parts), in any order.
        ended: the outcome of the unfinished targets of a run that has ended; None while it is in progress.

    """
    of = sums_of(plan, results, measurements=False)
    rolled = rolled_up(of, UrlResults(of, ended))
    uncompressed = of.contents.all_uncompressed()
    return replace(rolled, urls=list(rolled.urls), mixed=dict(rolled.mixed), uncompressed=uncompressed)


def rolled_up(of: RunSums, urls: UrlResults) -> RollUp:
    """Return what `roll_up` does, from a run's sums and the results that follow from them."""
    outcomes, numbers, ended = of.outcomes.copy(), of.numbers, urls.ended
    unfinished = sum(of.urls.expected) - numbers["done"]
    if ended and unfinished:
        outcomes[ended.value] += unfinished
    return RollUp(
        urls=urls,
        outcomes=outcomes,
        bytes=numbers["bytes"],
        verified=numbers["verified"],
        targets_done=numbers["done"],
        skipped=of.skipped(),
        layers=of.layers,
        mixed=of.contents.mixed(),
        verified_in_pop=numbers["verified_in_pop"],
        vary=of.vary,
        verified_elsewhere=numbers["verified_elsewhere"],
        servers=of.servers.result(),
        uncompressed=of.contents.uncompressed(),
        short_lived=of.contents.short_lived,
    )


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
            *expired_warnings(rolled.short_lived.expired(at), urls, ended=ended),
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
