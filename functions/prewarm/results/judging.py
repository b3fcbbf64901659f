"""Whose fault a failure is: the URL's, which fails everywhere, or the POP's. Pure.

A URL that fails at every POP says nothing about a POP. So POPs are judged by the other URLs, and one wrong URL does
not make every POP look partly warm.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Plan
from prewarm.results.outcome import SILENT, Outcome
from prewarm.results.rollup import UrlResult, Verdict
from prewarm.results.url_results import UrlResults

# Outcomes of targets that were not fetched, so that nothing is known about them.
NOT_FETCHED = frozenset(
    {
        Outcome.DEADLINE,
        Outcome.CANCELLED,
        Outcome.LOST,
        Outcome.REJECTED,
        Outcome.ORIGIN_OVERLOAD,
        Outcome.UNREACHABLE,
    }
)
# Outcomes that are about the POP where no URL is warm at it.
ABOUT_THE_POP = SILENT | {Outcome.UNRESOLVED_POP}


def failed_everywhere(url: UrlResult) -> bool:
    """Return whether a URL was tried at all of its POPs and is warm at none; False while that is not known."""
    return url.verdict is Verdict.FAILED and not url.warm and not NOT_FETCHED & url.failures.keys()


def cannot_succeed(url: UrlResult, percent_needed: float) -> bool:
    """Return whether a URL in progress has failed at too many POPs to be warm in the end.

    It is not decided yet: POPs that go dark later do not count, and neither do the failures at them.
    """
    if url.verdict is not Verdict.IN_PROGRESS or not url.kinds:
        return False
    possible = url.reachable - sum(url.kinds.values())
    return possible <= 0 or 100 * possible < round(percent_needed * url.reachable, 6)


def set_aside(plan: Plan, urls: Iterable[UrlResult]) -> Counter[str]:
    """Return by POP the targets of URLs that failed everywhere, by which the POP is not judged.

    Where no URL of a distribution is warm and none got an answer, it is the POPs that fail, so nothing is set aside.
    """
    results = {url.index: url for url in urls}
    everywhere: dict[int, set[int]] = {}
    for number, group in enumerate(plan.groups):
        own = [results[index] for index in range(group.url_from, group.url_to) if index in results]
        aside = _condition(some_warm=any(url.warm for url in own))
        everywhere[number] = {url.index for url in own if aside(url)}
    return _set_aside(plan, everywhere)


def set_aside_of(plan: Plan, results: UrlResults) -> Counter[str]:
    """Return what `set_aside` does, from results that are made when they are asked for."""
    everywhere: dict[int, set[int]] = {}
    for number, group in enumerate(plan.groups):
        own = range(group.url_from, group.url_to)
        some_warm = any(True for _ in results.where(lambda url: url.warm > 0, own))
        everywhere[number] = set(results.where(_condition(some_warm=some_warm), own))
    return _set_aside(plan, everywhere)


def _condition(*, some_warm: bool) -> Callable[[UrlResult], bool]:
    """Return the condition of being set aside; `some_warm`: whether some URL of the distribution is warm."""
    return lambda url: failed_everywhere(url) and (some_warm or not url.failures.keys() <= ABOUT_THE_POP)


def _set_aside(plan: Plan, everywhere: dict[int, set[int]]) -> Counter[str]:
    """Return by POP the targets of these URLs of each group."""
    aside = _of_pairs(plan, everywhere) if plan.pairs else _of_rectangles(plan, everywhere)
    return Counter({pop: count * len(plan.variants) for pop, count in aside.items() if count})


def _of_rectangles(plan: Plan, everywhere: dict[int, set[int]]) -> Counter[str]:
    """Return by POP how many of these URLs it has: each POP of a group has all of the group's."""
    aside: Counter[str] = Counter()
    for number, group in enumerate(plan.groups):
        aside.update(dict.fromkeys(group.pops, len(everywhere[number])))
    return aside


def _of_pairs(plan: Plan, everywhere: dict[int, set[int]]) -> Counter[str]:
    """Return by POP how many of these URLs are to be warmed there."""
    aside: Counter[str] = Counter()
    for batch in all_batches(plan) if any(everywhere.values()) else ():
        cells, names = batch.cells, plan.groups[batch.group].pops[batch.pop_from : batch.pop_to]
        for row in [row for row, index in enumerate(cells.rows) if index in everywhere[batch.group]]:
            aside.update(name for column, name in enumerate(names) if cells.has(row, column))
    return aside
