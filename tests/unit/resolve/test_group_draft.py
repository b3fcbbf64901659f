"""Which POPs a distribution is warmed through: addresses of the edge, and the price class."""

from dataclasses import replace
from typing import Any

import pytest

from prewarm.errors import InvalidRequest
from resolve.group_draft import Placement, choose_pops
from tests.support.builders import DISTRIBUTION, parsed, request
from tests.support.planning import KNOWN, NETWORKS


def test_a_pop_is_asked_for_an_https_url_where_there_is_one() -> None:
    plain, secure = parsed("http://www.example.com/1", "https://www.example.com/2")
    assert Placement(DISTRIBUTION, [plain, secure]).probe_url() == secure.fetch
    assert Placement(DISTRIBUTION, [plain]).probe_url() == plain.fetch


@pytest.mark.parametrize(
    ("answered", "kept", "reason"),
    [
        (["192.0.2.9", "192.0.2.3"], ["192.0.2.9", "192.0.2.3"], None),
        (["10.0.0.1", "192.0.2.3"], ["192.0.2.3"], None),
        (["2001:db8::1"], ["2001:db8::1"], None),
        (["10.0.0.1"], None, "outside_edge_networks"),
        (["::1"], None, "outside_edge_networks"),
        ([], None, "unresolved_pop"),
    ],
)
def test_only_addresses_of_the_edge_are_kept(answered: list[str], kept: list[str] | None, reason: str | None) -> None:
    placement = Placement(DISTRIBUTION, parsed("https://www.example.com/"))
    placement.take_addresses("ATL56-C1", answered, NETWORKS)
    assert placement.addresses.get("ATL56-C1") == kept
    unfit = placement.unfit.get("ATL56-C1")
    assert (unfit.reason if unfit else None) == reason


def priced(price_class: str, **changes: Any) -> tuple[Placement, list[str]]:
    placement = Placement(replace(DISTRIBUTION, price_class=price_class), parsed("https://www.example.com/"))
    return placement, choose_pops([placement], request(**changes), KNOWN)


def test_pops_to_which_no_viewers_are_sent_are_left_out_of_a_country_or_region_with_the_reason() -> None:
    placement, warnings = priced("PriceClass_100", region_type="country", region=["de", "jp"])
    assert {KNOWN.pops[pop].location.country for pop in placement.pops} == {"DE"}
    assert {skipped.reason for skipped in placement.outside} == {"outside_price_class"}
    assert {skipped.detail for skipped in placement.outside} >= {"PriceClass_100 sends no viewers to Tokyo"}
    assert warnings == []


@pytest.mark.parametrize(
    ("price_class", "left_out"), [("PriceClass_200", {"AU"}), ("PriceClass_All", set()), ("", set())]
)
def test_a_wider_price_class_leaves_out_less(price_class: str, left_out: set[str]) -> None:
    placement, _ = priced(price_class, region_type="country", region=["de", "jp", "au"])
    assert {KNOWN.pops[each.pop].location.country for each in placement.outside} == left_out


def test_pops_asked_for_by_name_are_warmed_outside_the_price_class_with_one_warning() -> None:
    pops = [pop for pop in KNOWN.pops if pop.startswith("NRT")][:7]
    placement, (warning,) = priced("PriceClass_100", region=[*pops, "FRA2-C1"])
    assert placement.pops == [*pops, "FRA2-C1"]
    assert "and others: 7 POPs are warmed only because they were asked for" in warning


def test_a_selection_to_which_no_viewers_are_sent_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"region: d111\.cloudfront\.net has no POP there .* PriceClass_100"):
        priced("PriceClass_100", region_type="country", region=["jp"])
