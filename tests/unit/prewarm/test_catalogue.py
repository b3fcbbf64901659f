"""The shipped catalogue: complete, consistent, only of the standard partition."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import POP_PATTERN, Location, catalogue, client_subnets, distance_km
from prewarm.edge_networks import shipped

KNOWN = catalogue()


def test_every_pop_has_a_wellformed_id_and_the_place_of_its_code() -> None:
    assert len(KNOWN.pops) == 725
    for pop_id, pop in KNOWN.pops.items():
        assert POP_PATTERN.fullmatch(pop_id)
        assert pop.id == pop_id
        assert pop.location.code == pop_id[:3]
        assert len(pop.location.country) == 2
        assert pop.confidence in {"high", "medium", "low"}


def test_pops_are_sorted_and_exclude_the_china_partition() -> None:
    assert list(KNOWN.pops) == sorted(KNOWN.pops)
    assert not [pop for pop in KNOWN.pops if pop.endswith("-E1")]
    assert "CN" not in KNOWN.countries()


def test_coordinates_are_valid() -> None:
    for place in KNOWN.locations.values():
        assert -90 <= place.latitude <= 90
        assert -180 <= place.longitude <= 180


@pytest.mark.parametrize(
    ("here", "there", "kilometres"), [("FRA", "LHR", 655), ("NRT", "SYD", 7830), ("AKL", "GRU", 12040)]
)
def test_distances_are_great_circles(here: str, there: str, kilometres: float) -> None:
    places = KNOWN.locations
    assert distance_km(places[here], places[there]) == pytest.approx(kilometres, rel=0.02)


def test_distance_across_the_date_line_is_short() -> None:
    west, east = (Location("AAA", "", "", 0.0, longitude, "") for longitude in (179.5, -179.5))
    assert distance_km(west, east) == pytest.approx(111, rel=0.01)


@given(st.sampled_from(list(KNOWN.pops)))
def test_regional_cache_of_a_pop_is_the_nearest(pop_id: str) -> None:
    cache = KNOWN.regional_cache_of(pop_id)
    place = KNOWN.pops[pop_id].location
    distances = {each: distance_km(place, KNOWN.locations[each]) for each in KNOWN.regional_caches}
    assert distances[cache] == min(distances.values())


def test_pop_at_an_unknown_location_is_its_own_area() -> None:
    assert KNOWN.regional_cache_of("XXX1-C1") == "XXX"


def test_in_countries_returns_only_pops_of_those_countries() -> None:
    pops = KNOWN.in_countries(frozenset({"JP", "NZ"}))
    assert {KNOWN.pops[pop].location.country for pop in pops} == {"JP", "NZ"}
    assert KNOWN.in_countries(frozenset()) == []


def test_published_networks_are_public_and_of_both_families() -> None:
    networks = shipped().networks
    assert {network.version for network in networks} == {4, 6}
    assert all(network.is_global for network in networks)
    assert any(ipaddress.ip_address("13.32.0.1") in network for network in networks if network.version == 4)


def test_every_location_outside_china_has_a_public_client_network() -> None:
    subnets = {code: ipaddress.ip_network(text) for code, text in client_subnets().items()}
    expected = {place.code for place in catalogue().locations.values() if place.country != "CN"}
    assert expected <= set(subnets)
    assert all(network.is_global and network.prefixlen == 24 for network in subnets.values())
