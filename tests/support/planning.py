"""What the tests of placing, invalidating and planning build their runs from."""

import ipaddress
from typing import Any

import pytest

from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Skipped
from prewarm.urls import Url
from resolve.distributions.finder import Found
from resolve.distributions.model import Distribution
from resolve.group_draft import Placement
from resolve.planner import Drawn, draw, place
from tests.support.builders import DISTRIBUTION, request

KNOWN = catalogue()

OTHER = Distribution("E2", "d222.cloudfront.net", ("other.example.com",))

SERVED = {"www.example.com": DISTRIBUTION, "other.example.com": OTHER}


class Everywhere(dict[str, str]):
    """A reason for every host that has no distribution."""

    def __missing__(self, host: str) -> str:
        return f"nobody serves {host}"


FOUND = Found(SERVED, Everywhere())

NETWORKS = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))


def refusal(**changes: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        place(request(**changes), FOUND)
    return str(caught.value)


def drawn(unfit: dict[str, str] | None = None, unplaced: list[Url] | None = None, **changes: Any) -> Drawn:
    """Draw a run of one distribution whose POPs all resolve, but for `unfit` ones: POP to reason."""
    asked = request(**changes)
    reasons = unfit or {}
    placement = Placement(
        DISTRIBUTION,
        asked.urls,
        asked.pops,
        addresses={pop: ["192.0.2.1"] for pop in asked.pops if reasons.get(pop) != "unresolved_pop"},
        unfit={pop: Skipped(pop, reason) for pop, reason in reasons.items()},
    )
    return draw("run", 1000.0, asked, [placement], unplaced or [], KNOWN)
