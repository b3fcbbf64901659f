"""POP selection: the selected POPs, and a problem for each unknown name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue, data_text, location_of
from prewarm.errors import PROBLEMS_SHOWN
from prewarm.request.pop_selection import expand, places, selection_names

CATALOGUE = catalogue()
TABLES = json.loads(data_text("selections.json"))


@given(st.lists(st.sampled_from(list(CATALOGUE.pops)), min_size=1, max_size=20))
def test_pop_ids_are_deduplicated_in_the_order_of_the_request(ids: list[str]) -> None:
    pops, problems = expand("pop", [f" {pop.lower()} " for pop in ids], CATALOGUE)
    assert (pops, problems) == (list(dict.fromkeys(ids)), [])


@given(
    st.sampled_from(["country", "region"]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(
                st.sampled_from(sorted(TABLES[{"country": "countries", "region": "regions"}[kind]])), min_size=1
            ),
        )
    )
)
def test_names_expand_to_sorted_pops_without_duplicates(selection: tuple[str, list[str]]) -> None:
    kind, names = selection
    pops, problems = expand(kind, names, CATALOGUE)
    assert not problems
    assert len(set(pops)) == len(pops)
    assert set(pops) <= set(CATALOGUE.pops)
    countries = {code for name in names for code in TABLES[{"country": "countries", "region": "regions"}[kind]][name]}
    assert set(pops) == {pop.id for pop in CATALOGUE.pops.values() if pop.location.country in countries}
    if len(names) == 1:
        assert pops == sorted(pops)


@pytest.mark.parametrize("kind", ["country", "region"])
def test_every_name_selects_pops_or_locations(kind: str) -> None:
    names = [*TABLES[{"country": "countries", "region": "regions"}[kind]]]
    names += [code.lower() for code in CATALOGUE.countries()] if kind == "country" else []
    assert sorted(names) == sorted({*selection_names(kind, CATALOGUE), *names})
    selected = {name: expand(kind, [name], CATALOGUE)[0] + places(kind, [name], CATALOGUE) for name in names}
    assert [name for name, result in selected.items() if not result] == []


def test_countries_without_known_pops_have_locations() -> None:
    assert expand("country", ["qatar", "TR"], CATALOGUE) == ([], [])
    assert places("country", ["qatar", "TR"], CATALOGUE) == ["DOH", "IST"]
    assert {"DOH", "IST", "BCN"} <= set(places("region", ["all"], CATALOGUE))
    assert places("pop", ["ATL56-C1"], CATALOGUE) == []


def test_locations_have_no_known_pop_and_exclude_the_china_partition() -> None:
    with_pops = {location_of(pop) for pop in CATALOGUE.pops}
    locations = places("region", ["all"], CATALOGUE)
    assert with_pops.isdisjoint(locations)
    assert "CN" not in {CATALOGUE.locations[place].country for place in locations}


@pytest.mark.parametrize(
    ("name", "country"),
    [("uk", "GB"), ("USA", "US"), ("uae", "AE"), ("Czech Republic", "CZ"), ("korea", "KR"), ("viet-nam", "VN")],
)
def test_common_country_names_are_valid(name: str, country: str) -> None:
    pops, problems = expand("country", [name], CATALOGUE)
    assert not problems
    assert {CATALOGUE.pops[pop].location.country for pop in pops} == {country}


def test_contract_codes_and_names_are_valid() -> None:
    assert {"apac", "au", "ca", "sa", "eu", "jp", "us", "me", "af", "mx"} <= set(TABLES["regions"])
    contract = "india japan new_zealand australia malaysia china indonesia philippines singapore thailand vietnam"
    assert {*contract.split(), "south_korea"} <= set(TABLES["countries"])
    assert {"JP", "AU"} <= set(TABLES["regions"]["apac"])


@pytest.mark.parametrize("kind", ["pop", "country", "region"])
@pytest.mark.parametrize("word", ["all", " ALL "])
def test_all_alone_selects_every_pop_for_each_type(kind: str, word: str) -> None:
    assert expand(kind, [word], CATALOGUE) == (list(CATALOGUE.pops), [])


@pytest.mark.parametrize(("kind", "other"), [("pop", "ATL56-C1"), ("country", "japan"), ("region", "apac")])
def test_all_with_other_names_is_rejected_with_the_fix(kind: str, other: str) -> None:
    problem = expand(kind, [other, "all"], CATALOGUE)[1][0]
    assert problem.sentence() == "region[1]: 'all' already selects every POP; remove the other names"


@pytest.mark.parametrize("spelling", ["New Zealand", "new-zealand", "NEW_ZEALAND", " new  zealand ", "nz", "NZ"])
def test_countries_are_found_in_every_common_spelling(spelling: str) -> None:
    assert expand("country", [spelling], CATALOGUE)[0] == expand("country", ["new_zealand"], CATALOGUE)[0] != []


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("region", "apca", "apac"),
        ("country", "japn", "japan"),
        ("country", "Brasil", "brazil"),
        ("country", "south korea republic", "south_korea"),
        ("pop", "ATL56-C", "ATL56-C4"),
        ("pop", "atl56c1", "ATL56-C1"),
        ("pop", "ATL56-C99", "ATL56-C4"),
    ],
)
def test_unknown_name_has_similar_names(kind: str, name: str, near: str) -> None:
    pops, problems = expand(kind, ["nrt57-p3" if kind == "pop" else "jp", name], CATALOGUE)
    assert pops, "the valid name next to it is expanded"
    assert [problem.field for problem in problems] == ["region[1]"]
    assert repr(name) in problems[0].message
    assert near in problems[0].near


def test_unknown_region_without_similar_names_lists_all_regions() -> None:
    (problem,) = expand("region", ["qqqqqq"], CATALOGUE)[1]
    assert all(code in problem.message for code in TABLES["regions"])


def test_pop_of_the_china_partition_is_not_in_the_catalogue() -> None:
    assert "not in the catalogue" in expand("pop", ["PEK50-E1"], CATALOGUE)[1][0].message


def test_allow_unknown_pops_accepts_only_valid_pop_ids() -> None:
    assert expand("pop", ["XXX1-C1"], CATALOGUE, allow_unknown_pops=True) == (["XXX1-C1"], [])
    for text in ("evil.example", "XXX1-C1.evil", "XX1-C1", "XXX1-C1\n.x", "XXX\uff11-C1", ""):
        assert (
            "expected a value such as ATL56-C1"
            in expand("pop", [text], CATALOGUE, allow_unknown_pops=True)[1][0].message
        )


def test_many_unknown_names_have_similar_names_for_the_listed_ones_only() -> None:
    problems = expand("pop", [f"QQQ{number}-X1" for number in range(3000)], CATALOGUE)[1]
    assert len(problems) == 3000
    assert problems[PROBLEMS_SHOWN - 1].near
    assert not problems[PROBLEMS_SHOWN].near


def test_long_name_is_truncated() -> None:
    for kind in ("pop", "country", "region"):
        assert len(expand(kind, ["x" * 100_000], CATALOGUE)[1][0].message) < 400
