"""A run's statistics: sums per POP, times to first byte, and what its cost depends on. Pure.

A worker measures its part of a batch, the ledger stores that in a few hundred bytes, and `measure` adds up the parts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prewarm.planning.batching import pairs_by_pop
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.outliers import outliers

# Classes of times to first byte: four per doubling, so that a percentile is accurate to 10 %.
CLASSES_PER_DOUBLING = 4
PERCENTILES = (50, 90, 99)


@dataclass(slots=True)
class PopSums:
    """One POP's sums: targets finished and warm, fetches (verifications and retries included), bytes, milliseconds.

    `millis` adds up the times to first byte of each target's first complete fetch, or else its last failed one;
    `timed` counts them, since some never received a byte.
    """

    done: int = 0
    warm: int = 0
    fetches: int = 0
    bytes: int = 0
    millis: int = 0
    timed: int = 0

    @property
    def mean_ms(self) -> float | None:
        """Return the mean time to first byte in milliseconds; None if there was none."""
        return round(self.millis / self.timed, 1) if self.timed else None

    def add(self, other: "PopSums") -> None:
        """Add another part's sums."""
        self.done += other.done
        self.warm += other.warm
        self.fetches += other.fetches
        self.bytes += other.bytes
        self.millis += other.millis
        self.timed += other.timed


def pack_pops(pops: Iterable[PopSums]) -> str:
    """Return sums as the ledger stores them: six numbers each, in the order of the tile's POPs."""
    return ";".join(f"{p.done} {p.warm} {p.fetches} {p.bytes} {p.millis} {p.timed}" for p in pops)


def unpack_pops(text: str) -> list[PopSums]:
    """Return the sums that `pack_pops` packed."""
    return [PopSums(*map(int, part.split())) for part in text.split(";")] if text else []


def time_class(milliseconds: float) -> int:
    """Return the class of a time to first byte; class 0 is up to one millisecond."""
    return max(0, math.ceil(CLASSES_PER_DOUBLING * math.log2(milliseconds))) if milliseconds > 1 else 0


def class_middle(number: int) -> float:
    """Return the geometric middle of a class in milliseconds."""
    return round(2 ** ((number - 0.5) / CLASSES_PER_DOUBLING), 1)


def percentiles(classes: Mapping[int, int]) -> dict[str, float] | None:
    """Return p50, p90 and p99 in milliseconds, each accurate to 10 %; None if there is no time."""
    return {f"p{percent}": class_middle(number) for percent, number in classes_at(classes, PERCENTILES)} or None


def classes_at(classes: Mapping[int, int], percents: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (percent, class) for each of the ascending percents, by the nearest rank; nothing without a count."""
    total = sum(classes.values())
    count, missing = 0, list(percents)
    for number in sorted(classes) if total else ():
        count += classes[number]
        while missing and 100 * count >= missing[0] * total:
            yield missing.pop(0), number


def histogram(classes: Mapping[int, int]) -> list[dict[str, int]]:
    """Return {"fromMs", "toMs", "count"} for each doubling of the time, from the first to the last that has a time.

    A time belongs to a bar if it is longer than `fromMs` and at most `toMs`; the first possible bar begins at 0.
    """
    bars: Counter[int] = Counter()
    for number, count in classes.items():
        bars[-(-number // CLASSES_PER_DOUBLING)] += count
    used = [number for number, count in bars.items() if count]
    doublings = range(min(used), max(used) + 1) if used else range(0)
    return [{"fromMs": 2 ** (n - 1) if n else 0, "toMs": 2**n, "count": bars[n]} for n in doublings]


@dataclass
class Measured:
    """A run's measurements: sums by POP id in the order of the plan, and sums of all its workers.

    `targets`: the number of targets by POP; `aside`: those of URLs that failed everywhere (judging.set_aside);
    `plain`: the number of fetches by http://; `gb_ms`: the Lambda time of all workers in GB-milliseconds, used in
    `parts` invocations.
    """

    targets: Counter[str]
    pops: dict[str, PopSums]
    classes: Counter[int] = field(default_factory=Counter)
    plain: int = 0
    gb_ms: int = 0
    parts: int = 0
    aside: Counter[str] = field(default_factory=Counter)

    @property
    def fetches(self) -> int:
        """Return the number of all fetches."""
        return sum(pop.fetches for pop in self.pops.values())

    def times_as_json(self) -> dict[str, Any]:
        """Return the times to first byte: percentiles, None if there is no time, and the histogram."""
        return {"timeToFirstByteMs": percentiles(self.classes), "timesToFirstByte": histogram(self.classes)}

    def pops_as_json(self) -> list[dict[str, Any]]:
        """Return the POPs' table: targets, done, warm, failed, fetches, bytes, mean milliseconds to first byte.

        `judged`: the targets without those of URLs that failed everywhere, `judgedFailed`: how many of these failed;
        `differs`: whether the POP is less warm than the others.
        """
        differs = outliers([self._share(name) for name in self.pops])
        return [
            {
                "pop": name,
                "targets": self.targets[name],
                "done": pop.done,
                "warm": pop.warm,
                "failed": pop.done - pop.warm,
                "fetches": pop.fetches,
                "bytes": pop.bytes,
                "meanMs": pop.mean_ms,
                "judged": self.judged(name),
                "judgedFailed": max(0, pop.done - pop.warm - self.aside[name]),
                "differs": differs[number],
            }
            for number, (name, pop) in enumerate(self.pops.items())
        ]

    def judged(self, name: str) -> int:
        """Return the number of targets by which a POP is judged."""
        return max(0, self.targets[name] - self.aside[name])

    def _share(self, name: str) -> float | None:
        """Return the percentage of a POP's finished targets that are warm; None if it is judged by none of them."""
        finished = self.pops[name].done - self.aside[name]
        return 100 * self.pops[name].warm / finished if finished > 0 else None


class MeasuredSums:
    """The measurements of a run's parts, added up in any order: `pops` by POP id in the order of the plan.

    The other fields are those of Measured.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.pops = {name: PopSums() for group in plan.groups for name in group.pops}
        self.classes: Counter[int] = Counter()
        self.plain = self.gb_ms = self.parts = 0

    def add(self, result: BatchResult) -> None:
        """Add a part."""
        names = self._plan.groups[result.group].pops[result.pop_from : result.pop_from + result.pops]
        for name, part in zip(names, unpack_pops(result.per_pop), strict=False):
            self.pops[name].add(part)
        for number, count in result.times.items():
            self.classes[number] += count
        self.plain += result.plain
        self.gb_ms += result.gb_ms
        self.parts += 1

    def copy(self) -> "MeasuredSums":
        """Return a copy to which parts can be added."""
        other = MeasuredSums.__new__(MeasuredSums)
        other._plan = self._plan  # noqa: SLF001 - its own class
        other.pops = {name: replace(sums) for name, sums in self.pops.items()}
        other.classes, other.plain = self.classes.copy(), self.plain
        other.gb_ms, other.parts = self.gb_ms, self.parts
        return other

    def measured(self, aside: Counter[str] | None = None) -> Measured:
        """Return the run's measurements; `aside`: see Measured."""
        targets = Counter(dict.fromkeys(self.pops, 0))
        for (_, name), pairs in pairs_by_pop(self._plan).items():
            targets[name] += pairs * len(self._plan.variants)
        set_aside = aside or Counter()
        return Measured(targets, self.pops, self.classes, self.plain, self.gb_ms, self.parts, set_aside)


def measure(plan: Plan, results: Iterable[BatchResult], aside: Counter[str] | None = None) -> Measured:
    """Return the sums of the measurements of a run's batch parts; `aside`: see Measured."""
    sums = MeasuredSums(plan)
    for result in results:
        sums.add(result)
    return sums.measured(aside)
