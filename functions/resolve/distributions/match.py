"""Match: sort a run's URLs by the distribution that serves each one's host. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prewarm.errors import InvalidRequest, Problem
from resolve.distributions.finder import FoundDistributions
from resolve.invalidation import invalidation_problems
from resolve.stages import Collected, Matched, MatchedGroup

if TYPE_CHECKING:
    from prewarm.urls import Url
    from resolve.distributions.model import Distribution

# How many hosts without a distribution a rejection and the warnings list; the rest are counted.
HOSTS_IN_REJECTION, HOSTS_IN_WARNINGS = 5, 20


def match(
    collected: Collected, found: FoundDistributions, *, invalidate: bool, patterns: Sequence[str] = ()
) -> Matched:
    """Return the URLs by distribution, both in the order of the request, and those without a distribution.

    `patterns` are those to invalidate instead of the URLs' own paths.

    Raises:
        InvalidRequest: no URL has a distribution, or `invalidate` is set and a URL cannot be invalidated.

    """
    urls_of: dict[Distribution, list[Url]] = {}
    unmatched: list[Url] = []
    # By host, since hashing a distribution for each of a million URLs takes longer than all else here.
    list_of: dict[str, list[Url]] = {}
    for url in collected.urls:
        if (urls := list_of.get(url.host)) is None:
            distribution = found.distributions.get(url.host)
            urls = list_of[url.host] = urls_of.setdefault(distribution, []) if distribution else unmatched
        urls.append(url)
    groups = tuple(MatchedGroup(distribution, urls) for distribution, urls in urls_of.items())
    problems = []
    if not groups:
        reasons = [found.reasons[host] for host in dict.fromkeys(url.host for url in unmatched)]
        rest = len(reasons) - HOSTS_IN_REJECTION
        listed = "; ".join(reasons[:HOSTS_IN_REJECTION] + ([f"and {rest} more hosts"] if rest > 0 else []))
        problems.append(Problem("url_list", f"none of its hosts can be warmed: {listed}"))
    if invalidate:
        problems += invalidation_problems(groups, patterns)
    if problems:
        raise InvalidRequest(problems)
    return Matched(groups, unmatched, unmatched_warnings(found))


def unmatched_warnings(found: FoundDistributions) -> tuple[str, ...]:
    """Return why hosts have no distribution: one warning each for the first hosts, then a count."""
    listed = [f"not warmed: {reason}" for _, reason in sorted(found.reasons.items())[:HOSTS_IN_WARNINGS]]
    rest = len(found.reasons) - HOSTS_IN_WARNINGS
    return (*listed, f"not warmed: {rest} more hosts without a distribution") if rest > 0 else tuple(listed)
