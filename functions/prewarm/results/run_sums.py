"""The sums of a run's finished parts from which its results follow, batch by batch in any order. Pure.

A batch is added once, with the parts of its chain. Nothing depends on the order in which batches are added: what
counts of several is the first or the last one in the order of batches.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from prewarm.planning.batching import expected_pairs
from prewarm.planning.plan import Plan, Skipped
from prewarm.results.batch_result import BatchResult, PartKey
from prewarm.results.chain import counted_parts, finished_batches
from prewarm.results.content_sums import ContentSums
from prewarm.results.failures import Example
from prewarm.results.gain import Gain, add_gains
from prewarm.results.part_cells import PartCells
from prewarm.results.proven_servers import ServerSums
from prewarm.results.stats import MeasuredSums
from prewarm.results.url_sums import UrlSums
from prewarm.results.vary import Varied, add

# The numbers that are added up, by the names of the fields of BatchResult.
NUMBERS = ("done", "bytes", "verified", "verified_in_pop", "verified_elsewhere")
# What a copy has copies of.
COPIED = (
    *("urls", "contents", "numbers", "outcomes", "layers", "finished", "started"),
    *("vary", "servers", "dark", "examples", "measured"),
)


class RunSums:
    """The sums of a run's parts.

    - `urls`: targets per URL; `contents`: contents and encodings
    - `numbers`: the sums of NUMBERS; `outcomes` and `layers`: how often each occurred
    - `finished`: by stage, the number of batches whose every target is accounted for; `started`: by stage, the number
      of parts. A stage is the first part of its batches' ids
    - `dark`: by POP and reason, the last part that names it, and its entry
    - `examples`: of each part that has any, its key, its range of URLs and the examples
    - `measured` and `gains`: measurements, and counts by location
    """

    def __init__(self, plan: Plan) -> None:
        """Make sums of a plan to which nothing is added yet."""
        expected, variants = expected_pairs(plan), len(plan.variants)
        if variants > 1:
            expected = [pairs * variants for pairs in expected]
        self.plan = plan
        self._cells = PartCells(plan)
        self.urls, self.contents = UrlSums(expected), ContentSums(plan, self._cells)
        self.numbers: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.layers: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.started: Counter[str] = Counter()
        self.vary: Varied = {}
        self.servers = ServerSums()
        self.dark: dict[tuple[str, str], tuple[PartKey, Skipped]] = {}
        self.examples: list[tuple[PartKey, int, int, Sequence[Example]]] = []
        self.measured = MeasuredSums(plan)
        self.gains: dict[str, Gain] = {}

    def copy(self) -> "RunSums":
        """Return a copy to which batches can be added."""
        other = RunSums.__new__(RunSums)
        other.plan, other._cells = self.plan, self._cells  # noqa: SLF001 - its own class
        for name in COPIED:
            setattr(other, name, getattr(self, name).copy())
        other.gains = {name: gain.copy() for name, gain in self.gains.items()}
        return other

    def add_batch(self, chain: Iterable[BatchResult], *, measurements: bool = True) -> None:
        """Add the current parts of a batch (chain.current_parts); `measurements`: whether to add those too."""
        variants = len(self.plan.variants)
        parts = counted_parts(chain, variants)
        finished = finished_batches(parts, variants)
        for name in finished:
            self.finished[_stage_of(name)] += 1
        for part in parts:
            self._add(part, unfinished=not finished)
            if measurements:
                self.measured.add(part)
                add_gains(self.gains, part.gain)

    def _add(self, part: BatchResult, *, unfinished: bool) -> None:
        key = part.batch, part.part
        self.started[_stage_of(part.batch)] += 1
        for name in NUMBERS:
            self.numbers[name] += getattr(part, name)
        self.outcomes.update(part.outcomes)
        self.layers.update(part.layers)
        add(self.vary, part.vary)
        for entry in part.dark:
            known = self.dark.get((entry.pop, entry.reason))
            if known is None or known[0] <= key:
                self.dark[entry.pop, entry.reason] = key, entry
        if part.examples:
            self.examples.append((key, part.url_from, part.url_to, part.examples))
        self.servers.add(part.group, self._cells.names(part), part.servers)
        self.urls.add(part, self._cells, len(self.plan.variants), unfinished=unfinished)
        self.contents.add(part)

    def skipped(self) -> list[Skipped]:
        """Return the skipped POPs of the plan and the dark ones, in order."""
        skipped = {(entry.pop, entry.reason): entry for group in self.plan.groups for entry in group.skipped}
        skipped |= {name: entry for name, (_, entry) in self.dark.items()}
        return [skipped[key] for key in sorted(skipped)]

    def examples_of(self, indices: Iterable[int]) -> dict[int, dict[str, Example]]:
        """Return by URL index and kind the first example of these URLs' failures."""
        wanted = set(indices)
        found: dict[int, dict[str, Example]] = {}
        low, high = min(wanted, default=0), max(wanted, default=-1)
        self.examples.sort(key=lambda entry: entry[0])
        for _, url_from, url_to, examples in self.examples:
            if url_from <= high and low < url_to:
                for example in examples:
                    if example.url in wanted:
                        found.setdefault(example.url, {}).setdefault(example.kind, example)
        return found


def sums_of(plan: Plan, results: Iterable[BatchResult], *, measurements: bool = True) -> RunSums:
    """Return the sums of a run's current batch results (chain.current_parts), in any order."""
    sums = RunSums(plan)
    for _, chain in groupby(sorted(results, key=lambda part: (part.batch, part.part)), lambda part: part.batch):
        sums.add_batch(chain, measurements=measurements)
    return sums


def _stage_of(batch: str) -> str:
    """Return the stage of a batch, from its id such as 2-000013."""
    return batch.partition("-")[0]
