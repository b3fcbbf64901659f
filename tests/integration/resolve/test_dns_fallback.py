"""A location without a resolvable POP name is warmed through the POP to which CloudFront sends its viewers."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    assert response["rejection"]["cause"].startswith("region: contains no POP: DOH (Doha): no POP is known there")


def test_run_of_a_country_continues_by_substitutes_where_all_pop_names_fail(machine: Machine) -> None:
    ran = machine.run({"url_list": fresh(), "region_type": "country", "region": ["tr"]})
    assert ran.output["warm"]
    assert plan(ran.name)["groups"][0]["pops"] == [FRANKFURT]


# ---- POP names that do not resolve any more ----

GULF = {"DXB": "DXB50-C1", "BAH": "BAH52-C1", "FJR": "FJR50-C1"}
ALL_FAIL = f"POP names of {DOMAIN} leads to its POP, so CloudFront may not resolve POP names any more"


@contextmanager
def without_pop_names(sent_to: dict[str, str]) -> Iterator[Machine]:
    """A CloudFront without POP names, which sends the clients of each location to a POP."""
    subnets = client_subnets()
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": list(dict.fromkeys([FRANKFURT, *sent_to.values()])),
        "default_object": {"size": 100},
        "pop_names": False,
        "client_subnets": {subnets[location]: pop for location, pop in sent_to.items()},
    }
    with strict_cloudfront(config) as edge, an_account(edge) as account:
        yield Machine(account.storage)


@pytest.mark.usefixtures("_moto")
def test_countries_are_reached_by_client_subnet_where_no_pop_name_resolves() -> None:
    request = {"url_list": fresh(2), "region_type": "country", "region": ["ae", "bh"]}
    with without_pop_names(GULF) as machine:
        ran = machine.run(request)
        assert ran.output["warm"]
        planned = plan(ran.name)
        (group,) = planned["groups"]
        assert sorted(group["pops"]) == sorted(GULF.values())
        (warning,) = [text for text in planned["warnings"] if ALL_FAIL in text]
        assert "by client subnet 3 of 3 locations are reached" in warning
        assert group["skipped"]
        assert all("CloudFront sends clients there to" in each["detail"] for each in group["skipped"])
        named = machine.resolve(request | {"region_type": "pop", "region": list(GULF.values())}).resolved
        assert "none of 3 POP names resolves" in named["rejection"]["cause"]


@pytest.mark.usefixtures("_moto")
@pytest.mark.parametrize("sent_to", [GULF | {"BAH": "DXB50-C1"}, {"BAH": "DXB50-C1"}])
def test_location_whose_clients_are_sent_elsewhere_is_not_warm(sent_to: dict[str, str]) -> None:
    selected = ["ae", "bh"] if len(sent_to) > 1 else ["bh"]
    with without_pop_names(sent_to) as machine:
        ran = machine.run({"url_list": fresh(), "region_type": "country", "region": selected})
        assert not ran.output["warm"]
        planned = plan(ran.name)
        assert any("viewers are sent elsewhere from BAH (to DXB)" in text for text in planned["warnings"])
        assert any(
            "their targets will fail: BAH52-C1 (the POP's name does not resolve" in text
            for text in planned["warnings"]
        )
        assert outcomes(ran.name)["unresolved_pop"] == 2  # both POPs of the catalogue in Bahrain


@pytest.mark.usefixtures("_moto")
def test_substitute_outside_the_networks_of_cloudfront_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with without_pop_names(GULF) as machine:
        # The nameserver's address is inside, those of the POPs are not.
        monkeypatch.setenv("PREWARM_EDGE_NETWORKS", "127.0.0.0/24")
        request = {"url_list": fresh(), "region_type": "country", "region": ["ae", "bh"]}
        ran = machine.resolve(request)
    assert any("not warmed" in text for text in plan(ran.name)["warnings"])
    assert not any("CloudFront sends clients there to" in text for text in plan(ran.name)["warnings"])
