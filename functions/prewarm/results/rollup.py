"""The roll-up: from finished batches to one verdict per URL. Pure; its cost grows with batches and failures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import Any

from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.consistency import mixed_contents
from prewarm.results.outcome import Outcome
from prewarm.urls import redacted


class Verdict(StrEnum):
    """What one URL came to."""

    SUCCESS = "success"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"


@dataclass(frozen=True)
class UrlResult:
    """One URL's verdict with its evidence: targets reachable and known to be warm, and failures by outcome."""

    index: int
    verdict: Verdict
    reachable: int
    warm: int
    failures: dict[str, int]

    @property
    def coverage(self) -> float:
        """Return how many percent of the reachable targets are warm."""
        return 100.0 * self.warm / self.reachable if self.reachable else 0.0


@dataclass(frozen=True)
class RollUp:
    """All URLs' results in order of index, and the run's sums.

    `mixed`: URLs of which POPs hold different contents, by index, with a pair of such POPs.
    """

    urls: list[UrlResult]
    outcomes: Counter[str]
    bytes: int
    verified: int
    targets_done: int
    skipped: list[Skipped]
    layers: Counter[str] = field(default_factory=Counter)
    mixed: dict[int, tuple[str, str]] = field(default_factory=dict)

    def indices(self, verdict: Verdict) -> list[int]:
        """Return the indices of all URLs with one verdict."""
        return [url.index for url in self.urls if url.verdict is verdict]


def current_parts(results: Iterable[BatchResult]) -> list[BatchResult]:
    """Return the parts that count, in order of batch and part.

    Where a redrive began a batch anew, the later parts of the earlier attempt count no more.
    """
    found: list[BatchResult] = []
    for result in sorted(results, key=lambda each: (each.batch, each.part)):
        same = found and found[-1].batch == result.batch
        if not same or result.redrives >= found[-1].redrives:
            found.append(result)
    return found


def roll_up(plan: Plan, results: Iterable[BatchResult], ended: Outcome | None = None) -> RollUp:
    """Add up a run.

    Args:
        plan: the run's plan.
        results: its ledger items, in any order, each batch part once.
        ended: for a run that has ended, what its unfinished targets come to; None while it goes on.

    A URL is decided when every batch that holds it is finished. It is a success when at least
    `plan.percent_needed` of its reachable targets are warm.

    """
    parts = sorted(results, key=lambda result: (result.batch, result.part))
    sums = _Sums(plan.url_count, {result.batch for result in parts if result.finished})
    skipped = {(entry.pop, entry.reason): entry for group in plan.groups for entry in group.skipped}
    outcomes: Counter[str] = Counter()
    layers: Counter[str] = Counter()
    variants = len(plan.variants)
    for result in parts:
        outcomes.update(result.outcomes)
        layers.update(result.layers)
        skipped.update({(entry.pop, entry.reason): entry for entry in result.dark})
        sums.add(result, variants)
    sums.close()
    done = sum(result.done for result in parts)
    urls = [
        _url_result(plan, sums, index, len(group.pops) * variants, ended)
        for group in plan.groups
        for index in range(group.url_from, group.url_to)
    ]
    unfinished = sum(group.urls * len(group.pops) * variants for group in plan.groups) - done
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
        mixed=mixed_contents(plan, parts),
    )


class _Sums:
    """Targets per URL, gathered as differences at the ends of each batch's range of URLs.

    `covered`: those of finished batches; `told`: those of unfinished ones of which an earlier part tells;
    `dark`: by reason, those at POPs that went dark. `close` makes sums of the differences.
    """

    def __init__(self, url_count: int, finished: set[str]) -> None:
        self._length, self._finished = url_count + 1, finished
        self.covered, self.told = [0] * self._length, [0] * self._length
        self.dark: dict[str, list[int]] = {}
        self.failures: dict[int, Counter[str]] = {}

    def add(self, result: BatchResult, variants: int) -> None:
        """Add a part of a batch."""
        whole = (result.url_from, result.url_to)
        open_batch = result.batch not in self._finished
        for index, counts in result.failed.items():
            self.failures.setdefault(index, Counter()).update(counts)
            if open_batch:
                _spread(self.told, (index, index + 1), sum(counts.values()))
        for entry in result.dark:
            _spread(self.dark.setdefault(entry.reason, [0] * self._length), whole, variants)
            if open_batch:
                _spread(self.told, whole, variants)
        if open_batch:
            for index, count in result.warm.items():
                _spread(self.told, (index, index + 1), count)
        if result.finished:
            _spread(self.covered, whole, result.pops * variants)

    def close(self) -> None:
        """Turn the differences into sums; nothing is added after that."""
        self.covered, self.told = list(accumulate(self.covered)), list(accumulate(self.told))
        self.dark = {reason: list(accumulate(counts)) for reason, counts in self.dark.items()}


def _spread(differences: list[int], urls: tuple[int, int], amount: int) -> None:
    differences[urls[0]] += amount
    differences[urls[1]] -= amount


def _url_result(plan: Plan, sums: _Sums, index: int, expected: int, ended: Outcome | None) -> UrlResult:
    """Judge one URL of `expected` targets."""
    dark = {reason: counts[index] for reason, counts in sums.dark.items() if counts[index]}
    reachable = expected - sum(dark.values())
    unfinished = expected - sums.covered[index]
    unknown = unfinished - sums.told[index]
    failures = Counter(sums.failures.get(index, {}))
    warm = reachable - failures.total() - unknown
    if unfinished and not ended:
        return UrlResult(index, Verdict.IN_PROGRESS, reachable, warm, dict(failures))
    if not reachable:
        # Every POP went dark: nobody can say that this URL is warm anywhere.
        return UrlResult(index, Verdict.FAILED, 0, 0, dark)
    if unknown and ended:
        failures[ended.value] += unknown
    # Rounded, since 16.1 x 1,000 is a little more than 16,100.
    success = 100 * warm >= round(plan.percent_needed * reachable, 6)
    return UrlResult(index, Verdict.SUCCESS if success else Verdict.FAILED, reachable, warm, dict(failures))


def sums(plan: Plan, rolled: RollUp, urls: Sequence[str]) -> dict[str, Any]:
    """Return a run's sums, in the words of its summary; `urls`: all of the run's, as they were given."""
    return {
        "targets": plan.targets,
        "targetsDone": rolled.targets_done,
        "outcomes": dict(sorted(rolled.outcomes.items())),
        "verified": rolled.verified,
        "bytes": rolled.bytes,
        "layers": dict(sorted(rolled.layers.items())),
        "skippedPops": [asdict(entry) for entry in rolled.skipped],
        "warnings": [*plan.warnings, *warnings_of(rolled, urls)],
    }


def warnings_of(rolled: RollUp, urls: Sequence[str]) -> list[str]:
    """Return what the run's results warn of, in words; `urls`: all of the run's, as they were given."""
    if not rolled.mixed:
        return []
    index = min(rolled.mixed)
    here, there = rolled.mixed[index]
    count = f"{len(rolled.mixed):,} URLs have" if len(rolled.mixed) > 1 else "one URL has"
    where = f"such as {redacted(urls[index])} at {here} and {there}"
    return [f"{count} different contents (ETag or length) at different POPs, {where}: some POPs may hold an old copy"]
