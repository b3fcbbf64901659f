"""Whether a distribution exists: refuse a run whose names do not resolve, before anything is planned. Pure."""

from collections.abc import Sequence

from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.plan import PAIRS
from prewarm.request.model import PrewarmRequest
from resolve.dns_lookup import NameserversSilent
from resolve.stages import LocatedGroup

# The reason of a POP whose name has no address.
UNRESOLVED = "unresolved_pop"


def check_names(groups: Sequence[LocatedGroup], fields: PrewarmRequest) -> tuple[str, ...]:
    """Return warnings about distributions whose names do not resolve, and refuse a run that has no others.

    A run of countries or regions of which only the POP names fail continues, by substitutes. A distribution whose own
    name fails while POP names resolve is left to the probe (`check_served`).

    Raises:
        InvalidRequest: lists the distributions with the reason and what to do.

    """
    problems: list[Problem] = []
    for group in groups:
        if any(skipped.reason != UNRESOLVED for skipped in group.unusable.values()) or group.addresses:
            continue
        if not group.exists:
            problems.append(Problem(_field(fields), _nothing_resolves(group)))
        elif fields.kind in {"pop", PAIRS}:
            field = "targets_s3" if fields.targets_s3 else "region"
            problems.append(Problem(field, _only_pop_names_fail(group)))
    return _refuse_or_warn(problems, groups)


def check_served(groups: Sequence[LocatedGroup], served: Sequence[bool], fields: PrewarmRequest) -> tuple[str, ...]:
    """Return warnings about distributions whose own name does not resolve and that no probed POP serves.

    A run that has no others is refused. CloudFront's POPs may answer for any prefix; a distribution that does not
    exist gets CloudFront's own 403 there.

    Raises:
        InvalidRequest: lists the distributions.

    """
    # Of a distribution without an address nothing was probed; check_names has its warning.
    missing = [
        group
        for group, is_served in zip(groups, served, strict=True)
        if not group.exists and not is_served and group.addresses
    ]
    return _refuse_or_warn([Problem(_field(fields), _own_name_fails(group)) for group in missing], groups)


def silent_nameservers(silent: NameserversSilent) -> InvalidRequest:
    """Return the refusal of a run for which no nameserver responds."""
    return InvalidRequest([Problem("", f"no name resolves: {silent}; does this machine have DNS?")])


def _refuse_or_warn(problems: list[Problem], groups: Sequence[LocatedGroup]) -> tuple[str, ...]:
    """Return the problems as warnings; refuse the run if every group has one, as one whose URLs nothing serves."""
    if problems and len(problems) == len(groups):
        raise InvalidRequest(problems)
    return tuple(f"not warmed: {problem.message}" for problem in problems)


def _field(fields: PrewarmRequest) -> str:
    return "cf_domain" if fields.cf_domain else "targets_s3" if fields.targets_s3 else "url_list"


def _own_name_fails(group: LocatedGroup) -> str:
    domain = group.distribution.domain
    return f"no nameserver knows {domain}, so there is no such distribution; check the name"


def _nothing_resolves(group: LocatedGroup) -> str:
    names = _pop_names(len(group.pops))
    return f"{_own_name_fails(group)}; {names}; does this machine have DNS?" if names else _own_name_fails(group)


def _only_pop_names_fail(group: LocatedGroup) -> str:
    return (
        f"{_pop_names(len(group.pops))} for {group.distribution.domain}, which itself resolves: these POPs have been "
        "retired, or CloudFront does not resolve POP names any more; use a country or region, whose POPs are also "
        "found by client subnet"
    )


def _pop_names(count: int) -> str:
    """Return the text that none of `count` POP names resolves; empty for 0."""
    if count == 1:
        return "its POP name does not resolve"
    return f"none of {count:,} POP names resolves" if count else ""
