"""Invalidations: the paths and patterns that cannot be invalidated, and those that fit. Pure."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.planning.cost import prices
from prewarm.request.invalidation_patterns import LONGEST_PATH, TILDE
from prewarm.urls import redacted
from resolve.invalidation_paths import invalidation_path, uncovered
from resolve.invalidation_rounds import INVALIDATION_PATHS, Round, paths_of
from resolve.stages import InspectedGroup, MatchedGroup

# The shortest time that a round takes, in minutes: an invalidation of 3,000 paths takes a minute, at busy times a
# quarter of an hour.
MINUTES_PER_ROUND = 1
# The longest timeout_minutes of a request.
LONGEST_RUN_MINUTES = 1380
PARAMETER = "AllowInvalidationPatterns"


def invalidation_problems(groups: Sequence[MatchedGroup], patterns: Sequence[str]) -> list[Problem]:
    """Return why a run cannot invalidate its URLs or, if it has any, its path patterns.

    A run that would leave old objects in the cache warms nothing.
    """
    problems = [
        Problem("invalidate", f"{domain} is not a distribution of this account, so it cannot be invalidated")
        for domain in (group.distribution.domain for group in groups if not group.distribution.id)
    ]
    if patterns:
        return problems
    reasons = ((url, path_problem(invalidation_path(url))) for group in groups for url in group.urls)
    return problems + [
        Problem("invalidate", f"{truncate(redacted(url.given))!r} {reason}") for url, reason in reasons if reason
    ]


def path_problem(path: str) -> str:
    """Return why CloudFront would not invalidate exactly this path, or the empty string.

    No URL has a `*`, which would invalidate other objects (`url_parser` rejects it).
    """
    if len(path) > LONGEST_PATH:
        return f"has a path of {len(path):,} characters; CloudFront invalidates {LONGEST_PATH:,} at most"
    if tilde := TILDE.search(path):
        # CloudFront rejects a path with ~, and accepts one with %7E but invalidates nothing.
        pattern = f'"invalidate": ["{path[: tilde.start()]}*"]'
        return (
            f"contains {tilde[0]}, and CloudFront does not invalidate a path with ~, encoded or not; leave the URL "
            f"out, or use {pattern}, which {PARAMETER} must allow"
        )
    return ""


def check_patterns_allowed(patterns: Sequence[str], *, allowed: bool) -> None:
    """Check that the operator allows path patterns, if the request has any.

    Raises:
        InvalidRequest: the stack does not allow them.

    """
    if patterns and not allowed:
        message = (
            f"path patterns such as {patterns[0]} remove more than is warmed, and this stack does not allow that; "
            f"deploy it with {PARAMETER}=true, or set invalidate to true for the URLs' own paths"
        )
        raise InvalidRequest([Problem("invalidate", message)])


def uncovered_warnings(groups: Iterable[InspectedGroup], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return a warning that counts the URLs which no pattern covers: their old copies stay in the caches."""
    listed = list(groups)
    stale = [group.urls[number] for group in listed for number in uncovered(group.urls, group.behaviours, patterns)]
    if not stale:
        return ()
    first, total = truncate(redacted(stale[0].given)), sum(len(group.urls) for group in listed)
    return (f"not invalidated: {len(stale):,} of {total:,} URLs match no pattern of invalidate, such as {first}",)


def check_rounds(rounds: Sequence[Round], timeout_minutes: int) -> None:
    """Check that a run's invalidations can be completed before its deadline.

    Raises:
        InvalidRequest: they cannot; the message has the figures, and the patterns that would do.

    """
    minutes = MINUTES_PER_ROUND * len(rounds)
    # One round always starts: it may complete within seconds.
    if len(rounds) <= 1 or minutes <= timeout_minutes:
        return
    paths = [path for each in rounds for batch in each for path in batch.paths]
    longer = f"raise timeout_minutes ({timeout_minutes}) to {minutes} or more"
    fix = f"{longer}, or " if minutes <= LONGEST_RUN_MINUTES else ""
    message = (
        f"{len(paths):,} paths take {len(rounds):,} rounds of {INVALIDATION_PATHS:,} paths per distribution, so "
        f"{minutes:,} minutes or more (timeout_minutes is {timeout_minutes}), and cost ${dollars(len(paths)):,.2f}; "
        f'{fix}use "invalidate": ["{covering_pattern(paths)}"], which costs ${dollars(1):.3f} per distribution and '
        f"which {PARAMETER} must allow"
    )
    raise InvalidRequest([Problem("invalidate", message)])


def covering_pattern(paths: Sequence[str]) -> str:
    """Return the narrowest pattern of whole folders that covers all paths and that CloudFront accepts."""
    # What the first and the last path share in alphabetical order, all paths share.
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(paths), max(paths), strict=False))
    common = TILDE.split("".join(letter for letter, _ in pairs), maxsplit=1)[0]
    return common.partition("?")[0].rpartition("/")[0] + "/*"


def dollars(paths: int) -> float:
    """Return what CloudFront charges for invalidating paths, beyond the free ones of a month."""
    return float(paths * prices()["invalidation_path"])


def figures(rounds: Sequence[Round], patterns: Sequence[str] = ()) -> dict[str, object]:
    """Return a dry run's figures: paths, rounds, dollars, the shortest time in minutes, and the patterns."""
    paths = paths_of(rounds)
    return {
        "paths": paths,
        "rounds": len(rounds),
        "dollars": round(dollars(paths), 4),
        "minutes": MINUTES_PER_ROUND * len(rounds),
        "patterns": list(patterns),
    }
