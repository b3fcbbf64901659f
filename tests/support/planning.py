"""Groups at each stage of resolving, and planned runs, for tests of the stages."""

import ipaddress
from typing import Any

import pytest

from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Skipped
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour
from resolve.distributions.finder import FoundDistributions
from resolve.distributions.match import match
from resolve.distributions.model import Distribution
from resolve.planner import plan_run
from resolve.stages import Addresses, Collected, Matched, MatchedGroup, PlannedRun, Probed, ProbedGroup
from tests.support.builders import DISTRIBUTION, request

CATALOGUE = catalogue()

OTHER = Distribution("E2", "d222.cloudfront.net", ("other.example.com",))

SERVED = {"www.example.com": DISTRIBUTION, "other.example.com": OTHER}


class ReasonForAnyHost(dict[str, str]):
    """A reason for every host that has no distribution."""

    def __missing__(self, host: str) -> str:
        return f"no distribution serves {host}"


FOUND = FoundDistributions(SERVED, ReasonForAnyHost())

NETWORKS = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))


def matched(found: FoundDistributions = FOUND, **changes: Any) -> Matched:
    """Match the URLs of a request, made with changes, to the distributions found."""
    checked = request(**changes)
    fields = checked.fields
    return match(
        Collected(checked.urls), found, invalidate=bool(fields.invalidate), patterns=fields.invalidation_patterns
    )


def rejected(found: FoundDistributions = FOUND, **changes: Any) -> str:
    """Return the message with which matching rejects a request."""
    with pytest.raises(InvalidRequest) as caught:
        matched(found, **changes)
    return str(caught.value)


def probed(
    group: MatchedGroup,
    pops: list[str],
    addresses: Addresses | None = None,
    unusable: dict[str, Skipped] | None = None,
    behaviours: list[Behaviour] | None = None,
) -> ProbedGroup:
    """Return a matched group as after the probe; by default every POP has an address and responds as itself."""
    return ProbedGroup(
        group.distribution,
        group.urls,
        tuple(pops),
        skipped=(),
        behaviours=behaviours or [],
        addresses={pop: ["192.0.2.1"] for pop in pops} if addresses is None else addresses,
        unusable=unusable or {},
    )


def planned(
    unusable: dict[str, str] | None = None,
    unmatched: list[Url] | None = None,
    in_order: list[Behaviour] | None = None,
    **changes: Any,
) -> PlannedRun:
    """Plan a run of one distribution whose POPs are all usable, except for `unusable`: POP to reason."""
    checked = request(**changes)
    reasons = unusable or {}
    group = probed(
        MatchedGroup(DISTRIBUTION, checked.urls),
        checked.pops,
        {pop: ["192.0.2.1"] for pop in checked.pops if reasons.get(pop) != "unresolved_pop"},
        {pop: Skipped(pop, reason) for pop, reason in reasons.items()},
        in_order,
    )
    return plan_groups([group], unmatched or [], started_at=1000.0, **changes)


def plan_groups(
    groups: list[ProbedGroup], unmatched: list[Url], *, started_at: float = 0.0, **changes: Any
) -> PlannedRun:
    """Plan a run of probed groups for a request made with changes; planning takes 2.5 seconds."""
    fields = request(**changes).fields
    return plan_run(
        "run",
        fields,
        Probed(tuple(groups)),
        unmatched,
        (),
        CATALOGUE,
        started_at=started_at,
        clock=lambda: started_at + 2.5,
    )
