"""One verdict per URL, from a run's sums. Pure.

A URL's result depends on a few numbers (url_sums.UrlState), and most URLs of a run have the same ones: each distinct
state is judged once, and the counts of a whole run follow from how many URLs have it.
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

from prewarm.results.failure_kinds import together
from prewarm.results.failures import Example, by_outcome
from prewarm.results.outcome import Outcome
from prewarm.results.run_sums import RunSums
from prewarm.results.url_sums import MOST_DARK_SHARE, UrlState

# URLs of which the results are made at once.
CHUNK = 1_000


class Verdict(StrEnum):
    """The result of one URL."""

    SUCCESS = "success"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"


@dataclass(slots=True)
class UrlResult:
    """One URL's verdict, its reachable targets, those known to be warm, and its failures by kind (failures.Kind).

    `example`: one of the most frequent failures, None if no batch kept one. A frozen one takes three times as long to
    make.
    """

    index: int
    verdict: Verdict
    reachable: int
    warm: int
    kinds: Mapping[str, int]
    example: Example | None = None

    @property
    def failures(self) -> dict[str, int]:
        """Return the failures by outcome."""
        return by_outcome(self.kinds)

    @property
    def coverage(self) -> float:
        """Return the percentage of the reachable targets that are warm."""
        return 100.0 * self.warm / self.reachable if self.reachable else 0.0


class UrlResults(Sequence[UrlResult]):
    """The results of all URLs in order of index, each made when it is asked for.

    `ended`: the outcome of the unfinished targets of a run that has ended; None while it is in progress.

    A URL is decided when every batch that holds it is finished. It is a success when at least
    `plan.percent_needed` of its reachable targets, and at least one, are warm, and not more than MOST_DARK_SHARE of
    its targets are at dark POPs. A target that no part accounts for is never warm.
    """

    def __init__(self, sums: RunSums, ended: Outcome | None) -> None:
        self._sums, self._plan, self.ended = sums, sums.plan, ended
        # The very table that the states refer to: that of the sums is replaced when they are stored.
        self._kinds, self._reasons = sums.urls.kinds, sums.urls.reasons
        self._states = list(sums.urls.states(self._plan.placed))
        self._judged: dict[UrlState, UrlResult] = {}

    def __len__(self) -> int:
        return self._plan.url_count

    @overload
    def __getitem__(self, index: int) -> UrlResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[UrlResult]: ...
    def __getitem__(self, index: int | slice) -> UrlResult | list[UrlResult]:
        places = range(len(self))[index]
        return self._results([places])[0] if isinstance(places, int) else self._results(places)

    def __iter__(self) -> Iterator[UrlResult]:
        for start in range(0, len(self), CHUNK):
            yield from self[start : start + CHUNK]

    @functools.cached_property
    def distinct(self) -> Sequence[tuple[UrlResult, int]]:
        """Return the first URL's result of each distinct state, without example, and how many URLs have it."""
        return list(self._distinct())

    def where(self, condition: Callable[[UrlResult], bool], urls: range) -> Iterator[int]:
        """Yield the indices of the placed URLs whose result, without index and example, meets a condition."""
        known: dict[UrlState, bool] = {}
        for index in urls:
            state = self._states[index]
            if state not in known:
                known[state] = condition(self._judge(state))
            if known[state]:
                yield index

    def _distinct(self) -> Iterator[tuple[UrlResult, int]]:
        first = dict(zip(reversed(self._states), range(len(self._states) - 1, -1, -1), strict=True))
        for state, count in Counter(self._states).items():
            judged = self._judge(state)
            yield UrlResult(first[state], judged.verdict, judged.reachable, judged.warm, judged.kinds), count
        if unplaced := len(self) - len(self._states):
            yield self._unplaced(len(self._states)), unplaced

    def _results(self, indices: Sequence[int]) -> list[UrlResult]:
        states, results = self._states, []
        for index in indices:
            if index < len(states):
                judged = self._judge(states[index])
                results.append(UrlResult(index, judged.verdict, judged.reachable, judged.warm, judged.kinds))
            else:
                results.append(self._unplaced(index))
        decided = {each.index for each in results if each.kinds and each.verdict is not Verdict.IN_PROGRESS}
        examples = self._sums.examples_of(decided)
        for each in results:
            if each.index in examples:
                each.example = _main_example(each.kinds, examples[each.index])
        return results

    def _unplaced(self, index: int) -> UrlResult:
        return UrlResult(index, Verdict.FAILED, 0, 0, {Outcome.NO_DISTRIBUTION.value: 1})

    def _judge(self, state: UrlState) -> UrlResult:
        """Return the result of a URL with this state, without index and example."""
        judged = self._judged.get(state)
        if judged is None:
            judged = self._judged[state] = self._judge_newly(state)
        return judged

    def _judge_newly(self, state: UrlState) -> UrlResult:
        expected, finished, reported, kinds_place, *at_dark = state
        dark = {reason: count for reason, count in zip(self._reasons, at_dark, strict=True) if count}
        kinds = dict(self._kinds.table[kinds_place])
        ended = self.ended
        reachable = expected - sum(dark.values())
        unfinished = expected - finished
        # More reports than targets come from two workers that counted the same ones: none of them is known then.
        unknown = unfinished - reported if reported <= unfinished else unfinished
        if mostly_dark := expected - reachable > MOST_DARK_SHARE * expected:
            reachable, kinds = expected, together(kinds, dark)
        warm = max(0, reachable - sum(kinds.values()) - unknown)
        if unfinished and not ended:
            return UrlResult(-1, Verdict.IN_PROGRESS, reachable, warm, kinds)
        if not expected:
            # None of its POPs can be reached, so that no batch has it.
            return UrlResult(-1, Verdict.FAILED, 0, 0, {Outcome.UNREACHABLE.value: 1})
        if unknown and ended:
            kinds[ended.value] = kinds.get(ended.value, 0) + unknown
        # Rounded, since 16.1 x 1,000 is a little more than 16,100.
        enough = warm > 0 and 100 * warm >= round(self._plan.percent_needed * reachable, 6)
        verdict = Verdict.SUCCESS if enough and not mostly_dark else Verdict.FAILED
        return UrlResult(-1, verdict, reachable, warm, kinds)


def _main_example(kinds: Mapping[str, int], examples: Mapping[str, Example]) -> Example | None:
    """Return an example of a URL's most frequent failures that have one; None if no batch has one."""
    known = [kind for kind in kinds if kind in examples]
    return examples[max(known, key=kinds.__getitem__)] if known else None
