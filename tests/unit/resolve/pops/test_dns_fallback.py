"""Substitutes: which locations need one, and how a probed substitute joins its group."""

from dataclasses import replace

import pytest

from prewarm.planning.plan import Skipped
from resolve.planner import plan_run
from resolve.pops.dns_fallback import LOCATIONS_IN_WARNING, add_substitutes, not_warmed, unreached_locations
from resolve.pops.pop_probe import PopProbe
from resolve.stages import MatchedGroup, Probed, ProbedGroup
from tests.support.builders import DISTRIBUTION, parsed, request
from tests.support.planning import CATALOGUE, probed

GROUP = MatchedGroup(DISTRIBUTION, parsed("https://www.example.com/"))
DUBAI, ADDRESSES = "DXB50-C1", ["192.0.2.7"]


def responding(pop: str = DUBAI, failure: str = "") -> list[tuple[str, PopProbe]]:
    """Return the probe of Doha's substitute, as it ended."""
    return [("DOH", PopProbe(pop, ADDRESSES, "https://www.example.com/", failure))]


def failing(reasons: dict[str, str], pops: list[str]) -> ProbedGroup:
    return probed(GROUP, pops, None, {pop: Skipped(pop, reason) for pop, reason in reasons.items()})


def test_location_needs_a_substitute_only_if_no_pop_name_resolves_there() -> None:
    checked = request(region_type="country", region=["qatar", "ae", "bh"])
    reasons = {"DXB50-C1": "unresolved_pop", "BAH52-C1": "unresolved_pop", "FJR50-P1": "dns_silent"}
    group = failing(reasons, ["DXB50-C1", "DXB50-P1", "BAH52-C1", "FJR50-P1"])
    assert sorted(unreached_locations(group, checked)) == sorted({*checked.places, "BAH"})
    assert "DOH" in checked.places


def test_named_pop_has_no_substitute() -> None:
    group = failing({DUBAI: "unresolved_pop"}, [DUBAI])
    assert unreached_locations(group, request(region=[DUBAI])) == []


def test_new_pop_is_added_with_its_addresses() -> None:
    before = probed(GROUP, ["FRA2-C1"])
    group, (warning,) = add_substitutes(before, responding(), CATALOGUE)
    assert group.pops == ("FRA2-C1", DUBAI)
    assert group.addresses == {"FRA2-C1": ["192.0.2.1"], DUBAI: ADDRESSES}
    assert warning == (
        f"DOH (Doha): no POP name resolves there; CloudFront sends clients there to {DUBAI}, which is warmed instead"
    )
    assert before.pops == ("FRA2-C1",)
    assert DUBAI not in before.addresses


def test_unusable_pop_becomes_usable_through_its_substitute_addresses() -> None:
    before = probed(GROUP, [DUBAI], {}, {DUBAI: Skipped(DUBAI, "unresolved_pop")})
    group, (warning,) = add_substitutes(before, responding(), CATALOGUE)
    assert (group.pops, group.addresses, group.unusable) == ((DUBAI,), {DUBAI: ADDRESSES}, {})
    assert "warmed instead" in warning
    assert DUBAI in before.unusable


def test_pop_that_the_run_has_already_keeps_its_own_addresses() -> None:
    before = probed(GROUP, [DUBAI])
    group, (warning,) = add_substitutes(before, responding(), CATALOGUE)
    assert group == before
    assert "warmed anyway" in warning


def test_failed_substitute_is_a_warning() -> None:
    before = probed(GROUP, [])
    group, (warning,) = add_substitutes(before, responding("", "connect_error"), CATALOGUE)
    assert group == before
    assert warning.endswith("clients there fails: the POP refused or broke the connection")


def test_own_pops_of_a_location_that_is_not_reached_fail_where_no_other_is_left() -> None:
    unusable = {pop: Skipped(pop, "unresolved_pop") for pop in ("DXB52-P1", "BAH52-C1")}
    sent = [(place, PopProbe(DUBAI, ADDRESSES, "https://www.example.com/")) for place in ("DXB", "BAH")]
    group, (summary, *_) = add_substitutes(probed(GROUP, list(unusable), None, unusable), sent, CATALOGUE)
    assert group.unreached == {"BAH52-C1"}
    assert "1 of 2 locations are reached (DXB), and viewers are sent elsewhere from BAH (to DXB)" in summary


def test_no_pop_has_to_fail_where_another_name_leads_to_its_pop() -> None:
    unusable = {"BAH52-C1": Skipped("BAH52-C1", "unresolved_pop")}
    sent = [("BAH", PopProbe(DUBAI, ADDRESSES, "https://www.example.com/"))]
    group, warnings = add_substitutes(probed(GROUP, [DUBAI, "BAH52-C1"], None, unusable), sent, CATALOGUE)
    assert not group.unreached
    assert len(warnings) == 1


@pytest.mark.parametrize("tier", ["edge", "regional"])
def test_unreached_pop_is_planned_and_the_others_are_skipped(tier: str) -> None:
    unusable = {pop: Skipped(pop, "unresolved_pop") for pop in ("FRA2-C1", "NRT57-P3", "NRT20-C1")}
    group = replace(probed(GROUP, [*unusable, "FRA50-C1"], None, unusable), unreached=frozenset({"NRT57-P3"}))
    fields = request(region_type="country", region=["de", "jp"], tier=tier).fields
    planned = plan_run("r", fields, Probed((group,)), [], (), CATALOGUE, started_at=0.0, clock=lambda: 0.0)
    (stored,) = planned.plan.groups
    assert "FRA50-C1" in stored.pops
    assert "NRT57-P3" in (stored.pops if tier == "edge" else set().union(*stored.areas))
    assert "FRA2-C1" in {each.pop for each in stored.skipped}


def test_locations_that_are_not_warmed_are_named_with_their_cities() -> None:
    known, unknown = not_warmed(["MAN", "DOH"], ["DOH"], CATALOGUE)
    assert known.startswith("MAN (Manchester): no POP name resolves there, ")
    assert unknown.startswith("DOH (Doha): no POP is known there, ")
    assert list(not_warmed([], [], CATALOGUE)) == []


def test_many_locations_are_counted_with_the_first_and_where_all_are_listed() -> None:
    codes = sorted({pop[:3] for pop in CATALOGUE.pops})
    (warning,) = not_warmed(codes, [], CATALOGUE)
    assert warning.startswith(f"{len(codes)} locations, such as {codes[0]} (")
    assert warning.count(" (") == LOCATIONS_IN_WARNING
    assert warning.endswith("the run's report lists all of their POPs as skipped")
    assert len(warning) < 400
