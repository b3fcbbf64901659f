"""Invalidations: the path of a URL, what may not be invalidated, and the rounds in which a long list goes. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from prewarm.errors import Problem, truncate
from prewarm.planning.plan import Group
from prewarm.urls import Url, redacted
from resolve.group_draft import Placement

# CloudFront carries out 3,000 paths per distribution at a time (Developer Guide, "Quotas on invalidations").
INVALIDATION_PATHS = 3_000
# The longest path it takes, in characters (Developer Guide, "Invalidation paths").
LONGEST_PATH = 4_000
# Characters that a cached URL may hold as they are and an invalidation path may not (RFC 1738, "unsafe"; Developer
# Guide, "Invalidation paths").
PATH_UNSAFE = re.compile(r"[{}|^`\[\]]")


def invalidation_path(url: Url) -> str:
    """Return the path that invalidates a URL: its path, and its query where it has one."""
    path = "/" + url.fetch.split("/", 3)[3]
    return PATH_UNSAFE.sub(lambda unsafe: quote(unsafe[0], safe=""), path)


def invalidation_problems(placements: Iterable[Placement]) -> list[Problem]:
    """Return why some URLs cannot be invalidated: nothing is warmed of a run whose old objects would stay."""
    problems = []
    for placement in placements:
        if not placement.distribution.id:
            unknown = (
                f"{placement.distribution.domain} is no distribution of this account, so it cannot be invalidated"
            )
            problems.append(Problem("invalidate", unknown))
        for url in placement.urls:
            path = invalidation_path(url)
            if path.endswith("*"):
                told = "ends in *; that would invalidate all that begins so"
            elif len(path) > LONGEST_PATH:
                told = f"has a path of {len(path):,} characters; CloudFront invalidates {LONGEST_PATH:,} at most"
            else:
                continue
            problems.append(Problem("invalidate", f"{truncate(redacted(url.given))!r} {told}"))
    return problems


@dataclass(frozen=True, slots=True)
class InvalidationBatch:
    """One invalidation to create: of a distribution or of a tenant, with its reference and its paths."""

    distribution_id: str
    tenant: str
    reference: str
    paths: list[str]


def batches_of_round(
    run: str, groups: Iterable[Group], paths_of: Iterable[list[str]], number: int
) -> Iterator[tuple[InvalidationBatch, bool]]:
    """Yield one round's invalidations, one per distribution or tenant, each with whether more are left for it.

    `paths_of` gives each group's paths in order; `number` counts rounds from 0. The reference is the same in every
    try, so that a retry finds the invalidation that it made before (CreateInvalidation: the same reference with the
    same paths creates nothing).
    """
    all_paths: dict[tuple[str, str], dict[str, None]] = {}
    for group, paths in zip(groups, paths_of, strict=True):
        all_paths.setdefault((group.distribution_id, group.tenant), {}).update(dict.fromkeys(paths))
    start = number * INVALIDATION_PATHS
    for (distribution, tenant), found in all_paths.items():
        listed = list(found)
        if part := listed[start : start + INVALIDATION_PATHS]:
            reference = f"{run}-{tenant or distribution}-{number}"
            more = len(listed) > start + INVALIDATION_PATHS
            yield InvalidationBatch(distribution, tenant, reference, part), more


def paths_and_rounds(groups: Iterable[Group], urls: Sequence[Url]) -> tuple[int, int]:
    """Count a run's invalidation paths, and the rounds in which CloudFront carries them out."""
    paths: dict[str, set[str]] = {}
    for group in groups:
        listed = {invalidation_path(url) for url in urls[group.url_from : group.url_to]}
        paths.setdefault(group.tenant or group.distribution_id, set()).update(listed)
    rounds = max((-(-len(each) // INVALIDATION_PATHS) for each in paths.values()), default=0)
    return sum(map(len, paths.values())), rounds
