from prewarm.catalogue import catalogue, client_subnets
from resolve.diagnose_edge import CONTINENTS, SUBNETS_OF, TRIED, candidates_of, ranked
from resolve.pops.pop_probe import PopProbe


def probe(pop: str, failure: str = "") -> PopProbe:
    return PopProbe(pop, ["192.0.2.1"], "https://www.example.com/", failure)


def test_each_continent_has_candidates_of_different_locations_that_no_other_has() -> None:
    candidates = candidates_of(catalogue())
    assert candidates.keys() == CONTINENTS.keys()
    every = [pop for pops in candidates.values() for pop in pops]
    assert len(every) == len(set(every)) == TRIED * len(CONTINENTS)
    assert all(len({pop[:3] for pop in pops}) == TRIED for pops in candidates.values())
    assert {catalogue().pops[pop].confidence for pop in every} == {"high"}


def test_client_subnets_of_the_check_are_known() -> None:
    assert set(SUBNETS_OF) <= client_subnets().keys()


def test_pops_that_responded_are_ranked_by_continent_and_price_class() -> None:
    candidates = {"Europe": ["FRA56-P5", "LHR3-P3"], "Asia": ["NRT57-P3"], "North America": ["IAD12-P1"]}
    probed = {pop: probe(pop) for pops in candidates.values() for pop in pops}
    assert ranked(candidates, probed, "") == ("FRA56-P5", "NRT57-P3", "IAD12-P1", "LHR3-P3")
    assert ranked(candidates, probed, "PriceClass_100") == ("FRA56-P5", "IAD12-P1", "LHR3-P3", "NRT57-P3")
    probed["FRA56-P5"] = probe("FRA56-P5", "connect_error")
    del probed["NRT57-P3"]
    assert ranked(candidates, probed, "") == ("LHR3-P3", "IAD12-P1")
