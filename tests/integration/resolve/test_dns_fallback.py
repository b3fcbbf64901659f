"""A location none of whose POP names resolves is warmed through the POP to which CloudFront sends its viewers."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.catalogue import client_subnets
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import DOMAIN, Machine, an_account, document, outcomes

FRANKFURT, DUBAI = "FRA50-C1", "DXB50-C1"


@pytest.fixture(scope="module")
def edge() -> Iterator[SimulatedCloudFront]:
    """A CloudFront that leads clients in Doha to Dubai, clients in Istanbul to Frankfurt, others nowhere near."""
    subnets = client_subnets()
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": [FRANKFURT, DUBAI],
        "default_object": {"size": 100},
        "client_subnets": {subnets["DOH"]: DUBAI, subnets["IST"]: FRANKFURT},
    }
    with SimulatedCloudFront(config) as running:
        yield running


@pytest.fixture
def account(edge: SimulatedCloudFront, _moto: None) -> Iterator[SimpleNamespace]:
    with an_account(edge) as made:
        yield made


def plan(run: str) -> dict[str, Any]:
    found: dict[str, Any] = document(run, "plan/plan.json")
    return found


def test_a_country_whose_pops_have_no_known_name_is_warmed(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(2), "region_type": "country", "region": ["qatar", "tr"]})
    assert ran.output["warm"]
    assert sum(outcomes(ran.name).values()) == 4
    (group,) = plan(ran.name)["groups"]
    assert group["pops"] == [DUBAI, FRANKFURT]
    assert any(
        text == f"DOH (Doha): no POP name resolves there; CloudFront sends clients there to {DUBAI}, "
        "which is warmed instead"
        for text in plan(ran.name)["warnings"]
    )


def test_a_pop_that_the_run_has_anyway_is_warmed_once(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["ae", "qa"]})
    (group,) = plan(ran.name)["groups"]
    assert group["pops"] == [DUBAI]
    assert any(f"to {DUBAI}, which is warmed anyway" in text for text in plan(ran.name)["warnings"])


def test_a_location_all_of_whose_names_have_gone_is_warmed_through_its_substitute(machine: Machine) -> None:
    """Of the catalogue's German POPs this CloudFront has one; none of Doha, whose clients it sends to Dubai."""
    ran = machine.run({"url_list": fresh(), "region_type": "region", "region": "me"})
    (group,) = plan(ran.name)["groups"]
    assert group["pops"] == [DUBAI]
    assert {entry["reason"] for entry in group["skipped"]} == {"unresolved_pop"}


def test_where_nameservers_do_not_look_at_the_client_it_is_said(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["es", "de"]})
    assert any("the nameservers do not response by client subnet" in text for text in plan(ran.name)["warnings"])
    assert any("BCN" in text for text in plan(ran.name)["warnings"])


def test_a_selection_that_leads_to_no_pop_is_rejected(machine: Machine) -> None:
    response = machine.resolve({"url_list": fresh(), "region_type": "country", "region": "egypt"}).resolved
    assert response["rejection"]["cause"].startswith("region: leads to no POP: CAI: no POP name resolves there")


def test_a_pop_asked_for_by_name_has_no_substitute(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "pop", "region": ["BAH52-C1"]})
    assert outcomes(ran.name) == {"unresolved_pop": 1}
