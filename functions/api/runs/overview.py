"""What a status says about all of a run's URLs, whichever page it shows. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.http.pagination import UrlStatus
from prewarm.results.failures import by_outcome
from prewarm.results.judging import cannot_succeed, failed_everywhere
from prewarm.results.next_steps import next_steps, next_steps_of
from prewarm.results.rollup import Verdict
from prewarm.results.url_results import UrlResults


@dataclass(frozen=True, slots=True)
class Overview:
    """The counts of a run's URLs.

    `verdicts`: by verdict; `outcomes`: the outcomes of failed URLs; `everywhere`: how many failed at all of their
    POPs; `failing`: how many are in progress and cannot become warm; `steps`: next_steps of the failed ones.
    """

    verdicts: Mapping[str, int]
    outcomes: frozenset[str]
    everywhere: int
    failing: int
    steps: list[dict[str, Any]]

    @classmethod
    def of_entries(cls, urls: Sequence[UrlStatus]) -> "Overview":
        """Return the counts of URLs that are all at hand."""
        failed = [entry for entry in urls if entry.verdict == Verdict.FAILED]
        return cls(
            verdicts=Counter(entry.verdict for entry in urls),
            outcomes=frozenset(name for entry in urls for name in entry.reasons or ()),
            everywhere=sum(entry.everywhere for entry in urls),
            failing=sum(entry.failing for entry in urls),
            steps=next_steps((entry.url, entry.known_kinds()) for entry in failed),
        )

    @classmethod
    def of_results(cls, results: UrlResults, urls: Sequence[str], percent_needed: float) -> "Overview":
        """Return the counts of a planned run's results; `urls`: as given, by index."""
        distinct = sorted(results.distinct, key=lambda entry: entry[0].index)
        verdicts: Counter[str] = Counter()
        for result, count in distinct:
            verdicts[result.verdict] += count
        failed = [(result, count) for result, count in distinct if result.verdict is Verdict.FAILED]
        return cls(
            verdicts=verdicts,
            outcomes=frozenset(name for result, _ in failed for name in by_outcome(result.kinds)),
            everywhere=sum(count for result, count in failed if failed_everywhere(result)),
            failing=sum(count for result, count in distinct if cannot_succeed(result, percent_needed)),
            steps=next_steps_of((urls[result.index], result.kinds, count) for result, count in failed),
        )
