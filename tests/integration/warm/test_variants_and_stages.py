"""Variants and stages of a run: their order, the number of verifications, and POPs that go dark."""

from collections.abc import Iterator
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import Client
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import DOMAIN, OLD, SYDNEY, TOKYO, Machine, an_account, document, outcomes, records
from tests.support.strict_edge import strict_cloudfront

THREE = SYDNEY


def requests_at(edge: SimulatedCloudFront, pops: list[str]) -> int:
    counted = edge.stats()["pops"]
    return sum(counted[pop]["requests"] for pop in pops)


@pytest.mark.parametrize(
    ("verify", "requests", "verifications"),
    [("none", 12, 0), ("all", 24, 12), ("sample", 16, 4)],
)
def test_verify_makes_the_expected_number_of_requests(
    machine: Machine, edge: SimulatedCloudFront, verify: str, requests: int, verifications: int
) -> None:
    """Four URLs through three POPs; a sample is a diagonal: one verification per URL if there are more URLs."""
    urls = fresh(4)
    ran = machine.resolve({"url_list": urls, "region_type": "pop", "region": THREE, "verify": verify})
    before = requests_at(edge, THREE)
    (item,) = machine.items(ran)
    # Later POPs get a Hit from the regional edge cache that the first one filled, and not a Miss.
    machine.warm(ran, item)
    hits = outcomes(ran.name).get("already_warm", 0)
    assert outcomes(ran.name).get("warmed", 0) + hits == 12
    asked = requests_at(edge, THREE) - before
    assert requests - hits <= asked <= requests
    verified = [record for record in records(ran.name) if record["verified"]]
    assert len(verified) >= verifications
    if verify == "none":
        assert asked == 12


def test_sample_verifies_every_url_and_every_pop(blind_edge: SimulatedCloudFront) -> None:
    """On an edge that reports a hit in the regional edge cache as a Miss, so that only a second fetch verifies."""
    for count, pops in ((2, 7), (9, 3), (5, 5)):
        with an_account(blind_edge) as account:
            ran = Machine(account.storage).run(
                {"url_list": fresh(count), "region_type": "pop", "region": BLIND_POPS[:pops], "verify": "sample"}
            )
            verified = [(record["url"], record["pop"]) for record in records(ran.name) if record["verified"]]
            assert len(verified) == max(count, pops)
            assert len({url for url, _ in verified}) == count
            assert len({pop for _, pop in verified}) == pops
            assert outcomes(ran.name) == {"warmed": count * pops}


BLIND_POPS = ["FRA56-C1", "LHR50-C1", "NRT57-P3", "SIN2-P1", "ICN57-P1", "ICN57-P2", "FRA56-P1", "SIN2-P3"]


@pytest.fixture(scope="module")
def blind_edge() -> Iterator[SimulatedCloudFront]:
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": BLIND_POPS,
        "areas": {pop: pop[:3] for pop in BLIND_POPS},
        "default_object": {"size": 300, "ttfb_ms": 30, "content_type": "text/html"},
    }
    with strict_cloudfront(
        config,
        lenient={"regional_hits_visible": False, "origin_compresses": True},
        because="a Hit has to be the POP's own to count proofs, and each variant has another ETag to count copies",
    ) as running:
        yield running


def test_encoded_variants_precede_identity_once_per_target(blind_edge: SimulatedCloudFront) -> None:
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
        recorded = records(ran.name)
        assert document(ran.name, "plan/plan.json")["variants"] == ["br, gzip", "gzip", "identity"]
    assert sorted((r["url"], r["pop"], r["variant"]) for r in recorded) == sorted(
        (url, pop, variant) for url in urls for pop in BLIND_POPS[:2] for variant in ("br, gzip", "gzip", "identity")
    )
    # Three variants are three objects at the origin, per regional edge cache.
    asked = blind_edge.stats()["origin"]
    assert [asked[path_of(url)] for url in urls[1:]] == [6, 6]
    assert len({record["etag"] for record in recorded}) == 3 * 3


def test_default_warms_the_copy_that_browsers_select_by_scheme(machine: Machine, edge: SimulatedCloudFront) -> None:
    """Browsers do not accept br over http, so an http:// URL has viewers for another copy than an https:// URL."""
    (secure,), (plain,) = fresh(1), fresh(1, scheme="http")
    request = {"region_type": "pop", "region": THREE, "verify": "all"}
    mixed = machine.run({"url_list": [secure, plain], **request})
    (other,) = fresh(1, scheme="http")
    machine.run({"url_list": [other], **request})
    sent = {record["url"]: record["variant"] for record in records(mixed.name)}
    assert sent == {secure: "br, gzip", plain: "gzip"}
    viewer = Client(edge)
    by_browser = {secure: "gzip, deflate, br, zstd", plain: "gzip, deflate", other: "gzip, deflate"}
    for url, accept in by_browser.items():
        found = [viewer.request(path_of(url), pop, accept=accept).x_cache for pop in THREE]
        assert found == ["Hit"] * 3


def test_second_stage_makes_no_origin_requests(blind_edge: SimulatedCloudFront) -> None:
    urls = fresh(4)
    request: dict[str, Any] = {"url_list": urls, "region_type": "pop", "region": BLIND_POPS, "verify": "none"}

    def at_origin() -> int:
        counted = blind_edge.stats()["origin"]
        return sum(counted.get(path_of(url), 0) for url in urls)

    with an_account(blind_edge) as account:
        machine = Machine(account.storage)
        ran = machine.resolve(request | {"staged": True})
        probed = at_origin()
        first, second = (document(ran.name, key.split("/", 2)[2]) for key in ran.resolved["stages"])
        assert {pop[:3] for item in first for pop in item["pops"].split(", ")} == {"FRA", "LHR", "NRT", "SIN", "ICN"}
        for item in first:
            machine.warm(ran, item)
        assert at_origin() - probed == 5 * 4
        for item in second:
            machine.warm(ran, item)
        assert at_origin() - probed == 5 * 4
        assert machine.aggregate(ran)["passed"]
        assert outcomes(ran.name) == {"warmed": 8 * 4}


def test_unstaged_run_has_one_stage_with_all_pops(blind_edge: SimulatedCloudFront) -> None:
    with an_account(blind_edge) as account:
        machine = Machine(account.storage)
        ran = machine.resolve({"url_list": fresh(2), "region_type": "pop", "region": BLIND_POPS})
        assert len(ran.resolved["stages"]) == 1
        assert [item["targets"] for item in machine.items(ran)] == [16]


def test_pop_of_a_country_that_goes_dark_is_skipped_and_listed(machine: Machine, edge: SimulatedCloudFront) -> None:
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


def test_pop_requested_by_id_that_goes_dark_fails(machine: Machine, edge: SimulatedCloudFront) -> None:
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


def test_country_whose_pops_all_go_dark_fails(machine: Machine, edge: SimulatedCloudFront) -> None:
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


def test_pop_of_a_country_that_responds_as_another_is_skipped(machine: Machine, edge: SimulatedCloudFront) -> None:
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
