"""The roll-up: from finished batches to one verdict per URL. Pure; its cost grows with batches and failures."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import Any

from prewarm.outcome import Outcome
from prewarm.plan import Plan, Skipped


class Verdict(StrEnum):
    """What one URL came to."""

    SUCCESS = "success"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"


@dataclass(frozen=True)
class BatchResult:
    """What one part of a batch came to; the ledger's item.

    A batch that outlived one worker has several parts, the last of them `finished`. `failed` gives, for each URL
    index, its outcomes that are not warm with their counts; targets at POPs that went `dark` are in no count.
    """

    batch: str
    part: int
    group: int
    url_from: int
    url_to: int
    pops: int
    finished: bool
    done: int
    outcomes: dict[str, int]
    verified: int
    bytes: int
    failed: dict[int, dict[str, int]] = field(default_factory=dict)
    dark: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class UrlResult:
    """One URL's verdict with its evidence: targets asked, reachable and warm, and failures by outcome."""

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
    """All URLs' results in order of index, and the run's sums."""

    urls: list[UrlResult]
    outcomes: Counter[str]
    bytes: int
    verified: int
    targets_done: int
    skipped: list[Skipped]

    def indices(self, verdict: Verdict) -> list[int]:
        """Return the indices of all URLs with one verdict."""
        return [url.index for url in self.urls if url.verdict is verdict]


def roll_up(plan: Plan, results: Iterable[BatchResult], ended: Outcome | None = None) -> RollUp:
    """Add up a run.

    Args:
        plan: the run's plan.
        results: its ledger items, in any order, each batch part once.
        ended: for a run that has ended, what its unfinished targets come to; None while it goes on.

    A URL is decided when every batch that holds it is finished. It is a success when at least
    `plan.percent_needed` of its reachable targets are warm.

    """
    outcomes: Counter[str] = Counter()
    total_bytes = verified = done = 0
    failures: dict[int, Counter[str]] = {}
    # Targets of finished batches, and of dark POPs, per URL: differences at the ends of each batch's range.
    covered, dark = [0] * (plan.url_count + 1), [0] * (plan.url_count + 1)
    dark_results: list[BatchResult] = []
    skipped = {(entry.pop, entry.reason): entry for group in plan.groups for entry in group.skipped}
    variants = len(plan.variants)
    for result in results:
        outcomes.update(result.outcomes)
        total_bytes += result.bytes
        verified += result.verified
        done += result.done
        for index, counts in result.failed.items():
            failures.setdefault(index, Counter()).update(counts)
        if result.finished:
            _spread(covered, result, result.pops * variants)
        if result.dark:
            _spread(dark, result, len(result.dark) * variants)
            dark_results.append(result)
        skipped.update({(entry.pop, entry.reason): entry for entry in result.dark})
    covered, dark = list(accumulate(covered)), list(accumulate(dark))
    urls = []
    for group in plan.groups:
        expected = len(group.pops) * variants
        for index in range(group.url_from, group.url_to):
            missing = expected - covered[index]
            counts = failures.get(index, Counter())
            if missing and ended:
                counts = counts + Counter({ended.value: missing})
            reachable = expected - dark[index]
            reasons = Counter[str]() if reachable else _reasons(dark_results, index)
            urls.append(_url_result(plan, index, reachable, counts, reasons, undecided=bool(missing) and not ended))
            if missing and ended:
                outcomes[ended.value] += missing
    unplaced = Counter({Outcome.NO_DISTRIBUTION.value: 1})
    urls += [UrlResult(i, Verdict.FAILED, 0, 0, dict(unplaced)) for i in range(plan.placed, plan.url_count)]
    return RollUp(urls, outcomes, total_bytes, verified, done, sorted(skipped.values(), key=lambda entry: entry.pop))


def _spread(differences: list[int], result: BatchResult, amount: int) -> None:
    differences[result.url_from] += amount
    differences[result.url_to] -= amount


def _reasons(dark_results: list[BatchResult], index: int) -> Counter[str]:
    """Count why the POPs that were to warm a URL went dark."""
    covering = (result for result in dark_results if result.url_from <= index < result.url_to)
    return Counter(entry.reason for result in covering for entry in result.dark)


def _url_result(
    plan: Plan, index: int, reachable: int, failures: Counter[str], dark: Counter[str], *, undecided: bool
) -> UrlResult:
    warm = reachable - sum(failures.values())
    if undecided:
        return UrlResult(index, Verdict.IN_PROGRESS, reachable, warm, dict(failures))
    if not reachable:
        # Every POP went dark: nobody can say that this URL is warm anywhere.
        return UrlResult(index, Verdict.FAILED, 0, 0, dict(dark))
    success = 100 * warm >= plan.percent_needed * reachable
    return UrlResult(index, Verdict.SUCCESS if success else Verdict.FAILED, reachable, warm, dict(failures))


def result_as_json(result: BatchResult) -> dict[str, Any]:
    """Return a batch's result as a ledger item's attributes (DynamoDB map keys are strings)."""
    return {
        "batch": result.batch,
        "part": result.part,
        "group": result.group,
        "urlFrom": result.url_from,
        "urlTo": result.url_to,
        "pops": result.pops,
        "finished": result.finished,
        "done": result.done,
        "outcomes": result.outcomes,
        "verified": result.verified,
        "bytes": result.bytes,
        "failed": {str(index): counts for index, counts in result.failed.items()},
        "dark": [[entry.pop, entry.reason, entry.detail] for entry in result.dark],
    }


def result_from_json(item: dict[str, Any]) -> BatchResult:
    """Read a ledger item back; numbers may be Decimals."""
    return BatchResult(
        batch=item["batch"],
        part=int(item["part"]),
        group=int(item["group"]),
        url_from=int(item["urlFrom"]),
        url_to=int(item["urlTo"]),
        pops=int(item["pops"]),
        finished=bool(item["finished"]),
        done=int(item["done"]),
        outcomes={name: int(count) for name, count in item["outcomes"].items()},
        verified=int(item["verified"]),
        bytes=int(item["bytes"]),
        failed={
            int(index): {name: int(count) for name, count in counts.items()}
            for index, counts in item["failed"].items()
        },
        dark=tuple(Skipped(*entry) for entry in item["dark"]),
    )
