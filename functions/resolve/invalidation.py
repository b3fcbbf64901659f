"""Invalidations: the path of a URL, paths that cannot be invalidated, and the rounds of a long list. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from prewarm.errors import Problem, truncate
from prewarm.planning.plan import Group
from prewarm.urls import Url, redacted
from resolve.stages import MatchedGroup

# CloudFront carries out 3,000 paths per distribution at a time (Developer Guide, "Quotas on invalidations").
INVALIDATION_PATHS = 3_000
# The longest path it accepts, in characters (Developer Guide, "Invalidation paths").
LONGEST_PATH = 4_000
# Characters that a cached URL may hold as they are and an invalidation path may not (RFC 1738, "unsafe"; Developer
# Guide, "Invalidation paths").
PATH_UNSAFE = re.compile(r"[{}|^`\[\]]")


def invalidation_path(url: Url) -> str:
    """Return the path that invalidates a URL: its path, and its query if it has one."""
    path = "/" + url.fetch.split("/", 3)[3]
    return PATH_UNSAFE.sub(lambda unsafe: quote(unsafe[0], safe=""), path)


def invalidation_problems(groups: Iterable[MatchedGroup]) -> list[Problem]:
    """Return why URLs cannot be invalidated; a run that would leave old objects in the cache warms nothing."""
    problems = []
    for group in groups:
        if not group.distribution.id:
            foreign = (
                f"{group.distribution.domain} is not a distribution of this account, so it cannot be invalidated"
            )
            problems.append(Problem("invalidate", foreign))
        for url in group.urls:
            path = invalidation_path(url)
            if path.endswith("*"):
                reason = "ends in *, which CloudFront treats as a wildcard and would invalidate other objects"
            elif len(path) > LONGEST_PATH:
                reason = f"has a path of {len(path):,} characters; CloudFront invalidates {LONGEST_PATH:,} at most"
            else:
                continue
            problems.append(Problem("invalidate", f"{truncate(redacted(url.given))!r} {reason}"))
    return problems


@dataclass(frozen=True, slots=True)
class InvalidationBatch:
    """One invalidation to create: of a distribution or of a tenant, with its caller reference and its paths."""

    distribution_id: str
    tenant: str
    reference: str
    paths: list[str]


def batches_of_round(
    run: str, groups: Iterable[Group], paths_of: Iterable[list[str]], number: int
) -> Iterator[tuple[InvalidationBatch, bool]]:
    """Yield one round's invalidations, one per distribution or tenant, each with whether it needs another round.

    `paths_of` yields each group's paths in order; `number` counts rounds from 0. The reference is the same in every
    try, so a retry returns the invalidation that the first try created (CreateInvalidation: the same reference with
    the same paths creates nothing).
    """
    all_paths: dict[tuple[str, str], dict[str, None]] = {}
    for group, paths in zip(groups, paths_of, strict=True):
        all_paths.setdefault((group.distribution_id, group.tenant), {}).update(dict.fromkeys(paths))
    start = number * INVALIDATION_PATHS
    for (distribution, tenant), unique in all_paths.items():
        listed = list(unique)
        if part := listed[start : start + INVALIDATION_PATHS]:
            reference = f"{run}-{tenant or distribution}-{number}"
            more = len(listed) > start + INVALIDATION_PATHS
            yield InvalidationBatch(distribution, tenant, reference, part), more


def paths_and_rounds(groups: Iterable[Group], urls: Sequence[Url]) -> tuple[int, int]:
    """Return how many paths a run invalidates, and in how many rounds CloudFront carries them out."""
    paths: dict[str, set[str]] = {}
    for group in groups:
        listed = {invalidation_path(url) for url in urls[group.url_from : group.url_to]}
        paths.setdefault(group.tenant or group.distribution_id, set()).update(listed)
    rounds = max((-(-len(each) // INVALIDATION_PATHS) for each in paths.values()), default=0)
    return sum(map(len, paths.values())), rounds
