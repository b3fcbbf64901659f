"""The addresses of a POP: those in CloudFront's networks, or the reason why it has none."""

import pytest

from prewarm.planning.plan import Skipped
from resolve.pops.locate import usable_addresses
from tests.support.planning import NETWORKS


@pytest.mark.parametrize(
    ("resolved", "kept"),
    [
        (["192.0.2.9", "192.0.2.3"], ["192.0.2.9", "192.0.2.3"]),
        (["10.0.0.1", "192.0.2.3"], ["192.0.2.3"]),
        (["2001:db8::1"], ["2001:db8::1"]),
    ],
)
def test_addresses_in_the_edge_networks_are_kept_in_order(resolved: list[str], kept: list[str]) -> None:
    assert usable_addresses("ATL56-C1", resolved, NETWORKS) == kept


@pytest.mark.parametrize(
    ("resolved", "reason"),
    [
        (["10.0.0.1"], "outside_edge_networks"),
        (["::1"], "outside_edge_networks"),
        ([], "unresolved_pop"),
        (None, "dns_silent"),
    ],
)
def test_pop_without_an_address_in_the_edge_networks_has_a_reason(resolved: list[str] | None, reason: str) -> None:
    result = usable_addresses("ATL56-C1", resolved, NETWORKS)
    assert isinstance(result, Skipped)
    assert (result.pop, result.reason) == ("ATL56-C1", reason)
