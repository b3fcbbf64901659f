"""From a checked request to a plan: which URL goes through which POPs of which distribution. No network here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem, shown
from prewarm.plan import Batch, Block, Group, Plan, map_item, stage_batches, url_blocks
from prewarm.request import CheckedRequest
from prewarm.urls import Url, redacted
from resolve.distributions import Distribution
from resolve.placement import Placement

# CloudFront carries out 3,000 paths per distribution at a time (Developer Guide, "Quotas on invalidations").
INVALIDATION_PATHS = 3_000
# Characters that a cached URL may hold as they are and an invalidation path may not (RFC 1738, "unsafe"; Developer
# Guide, "Invalidation paths").
PATH_UNSAFE = re.compile(r"[{}|^`\[\]]")
HOSTS_SHOWN = 5


def place(request: CheckedRequest, distributions: dict[str, Distribution]) -> tuple[list[Placement], list[Url]]:
    """Sort the URLs by distribution, in the order of the request; returns the placements and the unplaced URLs.

    Raises:
        InvalidRequest: no URL has a distribution, or an invalidation would be larger than CloudFront carries out.

    """
    placements: dict[Distribution, Placement] = {}
    unplaced = []
    for url in request.urls:
        if found := distributions.get(url.host):
            placements.setdefault(found, Placement(found, [])).urls.append(url)
        else:
            unplaced.append(url)
    problems = []
    if not placements:
        names = sorted({url.host for url in unplaced})
        more = f" and {len(names) - HOSTS_SHOWN} more" if len(names) > HOSTS_SHOWN else ""
        hosts = ", ".join(names[:HOSTS_SHOWN]) + more
        where = f"the distribution {request.fields.cf_domain}" if request.fields.cf_domain else "any distribution"
        problems.append(Problem("url_list", f"no host is an alias or the domain of {where} of this account: {hosts}"))
    if request.fields.invalidate:
        problems += _invalidation_problems(placements.values())
    if problems:
        raise InvalidRequest(problems)
    return list(placements.values()), unplaced


def _invalidation_problems(placements: Iterable[Placement]) -> list[Problem]:
    problems = []
    for placement in placements:
        paths = {invalidation_path(url): url for url in placement.urls}
        if len(paths) > INVALIDATION_PATHS:
            limit = f"CloudFront carries out {INVALIDATION_PATHS:,} at a time; split the list"
            problems.append(
                Problem("invalidate", f"{len(paths):,} paths of {placement.distribution.domain}; {limit}")
            )
        problems += [
            Problem(
                "invalidate", f"{shown(redacted(url.given))!r} ends in *; that would invalidate all that begins so"
            )
            for path, url in paths.items()
            if path.endswith("*")
        ]
    return problems


def invalidation_path(url: Url) -> str:
    """Return the path that invalidates a URL: its path, and its query where it has one."""
    path = "/" + url.fetch.split("/", 3)[3]
    return PATH_UNSAFE.sub(lambda unsafe: quote(unsafe[0], safe=""), path)


@dataclass(frozen=True)
class Drawn:
    """A plan with all that is stored beside it."""

    plan: Plan
    urls: list[Url]
    addresses: list[dict[str, list[str]]]
    blocks: list[Block]
    stages: list[list[Batch]]

    def items(self, stage: list[Batch]) -> list[dict[str, Any]]:
        """Return a stage as the map's items."""
        return [map_item(batch, self.plan.groups[batch.group], self.urls[batch.url_from]) for batch in stage]


def draw(
    run: str,
    started_at: float,
    request: CheckedRequest,
    placements: list[Placement],
    unplaced: list[Url],
    known: Catalogue,
    warnings: Sequence[str] = (),
) -> Drawn:
    """Draw up the plan; `started_at` in epoch seconds, `warnings` for the people who read the run's status."""
    fields = request.fields
    groups: list[Group] = []
    urls: list[Url] = []
    for placement in placements:
        group = _group(request, placement, len(urls), known)
        groups.append(group)
        urls += placement.urls
    variants = tuple(sorted(dict.fromkeys(fields.accept_encodings), key=_unencoded))
    blocks = url_blocks(tuple(groups), len(variants))
    stages = [list(stage_batches(tuple(groups), blocks, len(variants), number)) for number in (1, 2)]
    stages = [stage for stage in stages if stage]
    plan = Plan(
        run=run,
        started_at=started_at,
        deadline=started_at + 60 * fields.timeout_minutes,
        url_count=len(urls) + len(unplaced),
        region_type=fields.kind,
        variants=variants,
        percent_needed=fields.percent_needed,
        fail_on=fields.fail_on,
        verify=fields.verify,
        max_bytes=fields.max_bytes,
        invalidate=fields.invalidate,
        groups=tuple(groups),
        stages=len(stages),
        targets=sum(batch.targets for stage in stages for batch in stage),
        batches=sum(map(len, stages)),
        warnings=tuple(warnings),
    )
    return Drawn(plan, urls + unplaced, [placement.addresses for placement in placements], blocks, stages)


def _unencoded(accept_encoding: str) -> bool:
    """Say whether CloudFront takes an Accept-Encoding for none: it knows br and gzip, in whatever case."""
    return re.search(r"\b(br|gzip)\b", accept_encoding.lower()) is None


def _group(request: CheckedRequest, placement: Placement, first_url: int, known: Catalogue) -> Group:
    """Choose the POPs of one distribution.

    A POP asked for by name is never skipped, it fails; one of a country or region is, unless none would be left.
    """
    fit = [pop for pop in placement.pops if pop not in placement.unfit]
    skipping = request.fields.kind != "pop" and bool(fit)
    pops = fit if skipping else list(placement.pops)
    unfit = [placement.unfit[pop] for pop in placement.pops if pop in placement.unfit] if skipping else []
    group = Group(
        domain=placement.distribution.domain,
        distribution_id=placement.distribution.id,
        url_from=first_url,
        url_to=first_url + len(placement.urls),
        pops=tuple(pops),
        first_stage=len(pops),
        skipped=(*placement.outside, *unfit),
        tenant=placement.distribution.tenant,
    )
    if not request.fields.staged:
        return group
    # One POP of each regional edge cache first: it fills that cache, and the others find it filled.
    first: dict[str, str] = {}
    for pop in fit:
        if pop in placement.addresses:
            first.setdefault(known.regional_cache_of(pop), pop)
    leading = list(first.values())
    if not leading:
        return group
    others = [pop for pop in pops if pop not in set(leading)]
    return replace(group, pops=(*leading, *others), first_stage=len(leading))
