"""How a run asks: variants in order, how much is proven, stage by stage, and what it leaves out on the way."""

from collections.abc import Iterator
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import DOMAIN, OLD, SYDNEY, TOKYO, Machine, an_account, document, outcomes, records

THREE = SYDNEY


def requests_at(edge: SimulatedCloudFront, pops: list[str]) -> int:
    counted = edge.stats()["pops"]
    return sum(counted[pop]["requests"] for pop in pops)


@pytest.mark.parametrize(
    ("verify", "requests", "proven"),
    [("none", 12, 0), ("all", 24, 12), ("sample", 16, 4)],
)
def test_verify_asks_as_often_as_it_says(
    machine: Machine, edge: SimulatedCloudFront, verify: str, requests: int, proven: int
) -> None:
    """Four URLs through three POPs; a sample is a diagonal, so one proof per URL where there are more URLs."""
    urls = fresh(4)
    ran = machine.resolve({"url_list": urls, "region_type": "pop", "region": THREE, "verify": verify})
    before = requests_at(edge, THREE)
    (item,) = machine.items(ran)
    # One POP after the other: whoever comes later finds the regional edge cache filled, which is a hit, not a miss.
    machine.warm(ran, item)
    hits = outcomes(ran.name).get("already_warm", 0)
    assert outcomes(ran.name).get("warmed", 0) + hits == 12
    asked = requests_at(edge, THREE) - before
    assert requests - hits <= asked <= requests
    verified = [record for record in records(ran.name) if record["verified"]]
    assert len(verified) >= proven
    if verify == "none":
        assert asked == 12


def test_a_sample_proves_every_url_and_every_pop_at_least_once(blind_edge: SimulatedCloudFront) -> None:
    """On an edge that shows a hit of the regional edge cache as a miss, so that only a second fetch proves."""
    for count, pops in ((2, 7), (9, 3), (5, 5)):
        with an_account(blind_edge) as account:
            ran = Machine(account.storage).run(
                {"url_list": fresh(count), "region_type": "pop", "region": BLIND_POPS[:pops], "verify": "sample"}
            )
            proven = [(record["url"], record["pop"]) for record in records(ran.name) if record["verified"]]
            assert len(proven) == max(count, pops)
            assert len({url for url, _ in proven}) == count
            assert len({pop for _, pop in proven}) == pops
            assert outcomes(ran.name) == {"warmed": count * pops}


BLIND_POPS = ["FRA56-C1", "LHR50-C1", "NRT57-P3", "SIN2-P1", "ICN57-P1", "ICN57-P2", "FRA56-P1", "SIN2-P3"]


@pytest.fixture(scope="module")
def blind_edge() -> Iterator[SimulatedCloudFront]:
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": BLIND_POPS,
        "areas": {pop: pop[:3] for pop in BLIND_POPS},
        "regional_hits_visible": False,
        "default_object": {"size": 300, "ttfb_ms": 30, "content_type": "text/html"},
    }
    with SimulatedCloudFront(config) as running:
        yield running


def test_encoded_variants_come_before_identity_each_once_per_target(blind_edge: SimulatedCloudFront) -> None:
    urls = fresh(3)
    with an_account(blind_edge) as account:
        ran = Machine(account.storage).run(
            {
                "url_list": urls,
                "region_type": "pop",
                "region": BLIND_POPS[:2],
                "accept_encodings": ["identity", "br, gzip", "gzip", "identity"],
                "verify": "none",
            }
        )
        found = records(ran.name)
        assert document(ran.name, "plan/plan.json")["variants"] == ["br, gzip", "gzip", "identity"]
    assert sorted((r["url"], r["pop"], r["variant"]) for r in found) == sorted(
        (url, pop, variant) for url in urls for pop in BLIND_POPS[:2] for variant in ("br, gzip", "gzip", "identity")
    )
    # Three variants are three objects at the origin, per regional edge cache.
    asked = blind_edge.stats()["origin"]
    assert [asked[path_of(url)] for url in urls[1:]] == [6, 6]
    assert len({record["etag"] for record in found}) == 3 * 3


def test_the_first_stage_asks_one_pop_per_area_and_the_others_ask_no_origin(blind_edge: SimulatedCloudFront) -> None:
    urls = fresh(4)
    given: dict[str, Any] = {"url_list": urls, "region_type": "pop", "region": BLIND_POPS, "verify": "none"}

    def at_origin() -> int:
        counted = blind_edge.stats()["origin"]
        return sum(counted.get(path_of(url), 0) for url in urls)

    with an_account(blind_edge) as account:
        machine = Machine(account.storage)
        ran = machine.resolve(given | {"staged": True})
        probed = at_origin()
        first, second = (document(ran.name, f"stages/{number}.json") for number in (1, 2))
        assert {pop[:3] for item in first for pop in item["pops"].split(", ")} == {"FRA", "LHR", "NRT", "SIN", "ICN"}
        for item in first:
            machine.warm(ran, item)
        assert at_origin() - probed == 5 * 4
        for item in second:
            machine.warm(ran, item)
        assert at_origin() - probed == 5 * 4
        assert machine.aggregate(ran)["passed"]
        assert outcomes(ran.name) == {"warmed": 8 * 4}


def test_without_stages_all_pops_are_asked_in_one(blind_edge: SimulatedCloudFront) -> None:
    with an_account(blind_edge) as account:
        machine = Machine(account.storage)
        ran = machine.resolve({"url_list": fresh(2), "region_type": "pop", "region": BLIND_POPS})
        assert ran.resolved["stages"] == [f"runs/{ran.name}/stages/1.json"]
        assert [item["targets"] for item in machine.items(ran)] == [16]


def test_a_pop_of_a_region_that_goes_dark_after_the_probe_is_skipped_and_listed(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    ran = machine.resolve({"url_list": fresh(3), "region_type": "country", "region": ["JP"]})
    edge.dark(TOKYO)
    try:
        for item in machine.items(ran):
            machine.warm(ran, item)
        machine.aggregate(ran)
    finally:
        edge.dark(TOKYO, dark=False)
    summary = document(ran.name, "summary.json")
    assert {"pop": TOKYO, "reason": "connect_error"}.items() <= next(
        entry.items() for entry in summary["skippedPops"] if entry["pop"] == TOKYO
    )
    assert ran.output["passed"]
    assert summary["outcomes"] == {"warmed": 3}
    assert summary["targetsDone"] == 6


def test_a_pop_asked_for_by_name_that_goes_dark_after_the_probe_fails(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    ran = machine.resolve({"url_list": fresh(12), "region_type": "pop", "region": [TOKYO, OLD]})
    edge.dark(TOKYO)
    try:
        for item in machine.items(ran):
            machine.warm(ran, item)
    finally:
        edge.dark(TOKYO, dark=False)
    machine.aggregate(ran)
    assert (ran.output["passed"], ran.output["failed"]) == (False, 12)
    assert {r["outcome"] for r in records(ran.name) if r["pop"] == TOKYO} == {"connect_error"}
    assert max(record["tries"] for record in records(ran.name) if record["pop"] == TOKYO) <= 3
    assert document(ran.name, "summary.json")["skippedPops"] == []


def test_a_region_all_of_whose_pops_go_dark_after_the_probe_fails(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    ran = machine.resolve({"url_list": fresh(2), "region_type": "country", "region": ["JP"]})
    for pop in (TOKYO, OLD):
        edge.dark(pop)
    try:
        for item in machine.items(ran):
            machine.warm(ran, item)
    finally:
        for pop in (TOKYO, OLD):
            edge.dark(pop, dark=False)
    machine.aggregate(ran)
    assert (ran.output["passed"], ran.output["failed"]) == (False, 2)
    assert document(ran.name, "summary.json")["failures"][0]["reasons"] == {"connect_error": 2}


def test_a_pop_of_a_region_that_begins_to_answer_as_another_is_skipped(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    urls = fresh(3)
    ran = machine.resolve({"url_list": urls, "region_type": "country", "region": ["JP"]})
    for url in urls:
        edge.fault(path_of(url), "lie_pop", pops=[TOKYO])
    for item in machine.items(ran):
        machine.warm(ran, item)
    machine.aggregate(ran)
    skipped = {entry["pop"]: entry["reason"] for entry in document(ran.name, "summary.json")["skippedPops"]}
    assert skipped[TOKYO] == "wrong_pop"
    assert ran.output["passed"]
