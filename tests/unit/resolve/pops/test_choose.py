"""The POPs through which a distribution is warmed, by its price class."""

from dataclasses import replace
from typing import Any

import pytest

from prewarm.errors import InvalidRequest
from resolve.pops.choose import choose_pops
from resolve.stages import ChosenGroup, Matched, MatchedGroup
from tests.support.builders import DISTRIBUTION, parsed, request
from tests.support.planning import CATALOGUE


def chosen(price_class: str, **changes: Any) -> tuple[ChosenGroup, tuple[str, ...]]:
    group = MatchedGroup(replace(DISTRIBUTION, price_class=price_class), parsed("https://www.example.com/"))
    result = choose_pops(Matched((group,), []), request(**changes), CATALOGUE)
    return result.groups[0], result.warnings


def test_pops_outside_the_price_class_are_skipped_with_the_reason_if_a_country_selects_them() -> None:
    group, warnings = chosen("PriceClass_100", region_type="country", region=["de", "jp"])
    assert {CATALOGUE.pops[pop].location.country for pop in group.pops} == {"DE"}
    assert {skipped.reason for skipped in group.skipped} == {"outside_price_class"}
    assert {skipped.detail for skipped in group.skipped} >= {"PriceClass_100 sends no viewers to Tokyo"}
    assert warnings == ()


@pytest.mark.parametrize(
    ("price_class", "skipped_countries"), [("PriceClass_200", {"AU"}), ("PriceClass_All", set()), ("", set())]
)
def test_wider_price_class_skips_fewer_countries(price_class: str, skipped_countries: set[str]) -> None:
    group, _ = chosen(price_class, region_type="country", region=["de", "jp", "au"])
    assert {CATALOGUE.pops[each.pop].location.country for each in group.skipped} == skipped_countries


def test_named_pops_outside_the_price_class_are_kept_with_one_warning() -> None:
    pops = [pop for pop in CATALOGUE.pops if pop.startswith("NRT")][:7]
    group, (warning,) = chosen("PriceClass_100", region=[*pops, "FRA2-C1"])
    assert group.pops == (*pops, "FRA2-C1")
    assert "and others: 7 POPs are warmed only because the request names them" in warning


def test_country_without_a_pop_inside_the_price_class_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match=r"region: d111\.cloudfront\.net has no POP there .* PriceClass_100"):
        chosen("PriceClass_100", region_type="country", region=["jp"])
