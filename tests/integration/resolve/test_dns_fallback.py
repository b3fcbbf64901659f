"""A location without a resolvable POP name is warmed through the POP to which CloudFront sends its viewers."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.catalogue import client_subnets
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import DOMAIN, Machine, an_account, document, outcomes
from tests.support.strict_edge import strict_cloudfront

FRANKFURT, DUBAI = "FRA50-C1", "DXB50-C1"


@pytest.fixture(scope="module")
def edge() -> Iterator[SimulatedCloudFront]:
    """A CloudFront that sends clients in Doha to Dubai and clients in Istanbul to Frankfurt, and no others."""
    subnets = client_subnets()
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": [FRANKFURT, DUBAI],
        "default_object": {"size": 100},
        "client_subnets": {subnets["DOH"]: DUBAI, subnets["IST"]: FRANKFURT},
    }
    with strict_cloudfront(config) as running:
        yield running


@pytest.fixture
def account(edge: SimulatedCloudFront, _moto: None) -> Iterator[SimpleNamespace]:
    with an_account(edge) as made:
        yield made


def plan(run: str) -> dict[str, Any]:
    stored: dict[str, Any] = document(run, "plan/plan.json")
    return stored


def test_country_without_known_pops_is_warmed_through_substitutes(machine: Machine) -> None:
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


def test_substitute_that_the_run_already_has_is_warmed_once(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["ae", "qa"]})
    (group,) = plan(ran.name)["groups"]
    assert group["pops"] == [DUBAI]
    assert any(f"to {DUBAI}, which is warmed anyway" in text for text in plan(ran.name)["warnings"])


def test_location_with_only_unresolved_names_is_warmed_through_its_substitute(machine: Machine) -> None:
    """This CloudFront has one POP in the Middle East, Dubai, to which it sends clients in Doha."""
    ran = machine.run({"url_list": fresh(), "region_type": "region", "region": "me"})
    (group,) = plan(ran.name)["groups"]
    assert group["pops"] == [DUBAI]
    assert {entry["reason"] for entry in group["skipped"]} == {"unresolved_pop"}


def test_nameserver_without_client_subnet_support_is_a_warning(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["es", "de"]})
    assert any(
        "the nameservers used do not say which POP serves clients" in text for text in plan(ran.name)["warnings"]
    )
    assert any("BCN" in text for text in plan(ran.name)["warnings"])


@pytest.mark.parametrize(
    ("pops", "words"),
    [(["BAH52-C1"], "its POP name does not resolve"), (["BAH52-C1", "MAD51-C1"], "none of 2 POP names resolves")],
)
def test_named_pops_without_a_name_have_no_substitute_and_are_refused(
    machine: Machine, pops: list[str], words: str
) -> None:
    response = machine.resolve({"url_list": fresh(), "region_type": "pop", "region": pops}).resolved
    assert response["rejection"]["cause"].startswith(f"region: {words} for {DOMAIN}, which itself resolves")
    assert "use a country or region" in response["rejection"]["cause"]


@pytest.mark.usefixtures("_moto")
def test_selection_without_any_pop_is_rejected() -> None:
    """Doha has no known POP name, and these nameservers send its clients to no POP."""
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": [FRANKFURT],
        "client_subnets": {client_subnets()["IST"]: FRANKFURT},
    }
    with strict_cloudfront(config) as edge, an_account(edge) as account:
        machine = Machine(account.storage)
        response = machine.resolve({"url_list": fresh(), "region_type": "country", "region": "qatar"}).resolved
    assert response["rejection"]["cause"].startswith("region: contains no POP: DOH: no POP name resolves there")


def test_run_of_a_country_continues_by_substitutes_where_all_pop_names_fail(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["tr"]})
    assert ran.output["warm"]
    assert plan(ran.name)["groups"][0]["pops"] == [FRANKFURT]
