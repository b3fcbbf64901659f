"""What a run learned is used by the next run's selection, its dry run and GET /pops; candidates are probed first.

This CloudFront has two POPs that the catalogue does not know: in Istanbul, to which it sends clients there, and in
Frankfurt; and one whose name leads to another POP.
"""

import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from prewarm.catalogue import catalogue, client_subnets
from prewarm.storage.keys import POPS_KEY
from prewarm.targets_csv import Pair, write_targets
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import BUCKET, DOMAIN, Machine, client, document, keys
from tests.support.rest import call
from tests.support.strict_edge import strict_cloudfront

FRANKFURT, ISTANBUL, NEW, POSING = "FRA50-C1", "IST98-P1", "FRA98-P7", "FRA98-P8"
GERMANY = {"region_type": "country", "region": ["de"]}
TURKEY = {"region_type": "country", "region": ["tr"]}


@pytest.fixture(scope="module")
def edge() -> Iterator[SimulatedCloudFront]:
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": [FRANKFURT, ISTANBUL, NEW, POSING],
        "impostors": {POSING: "ATL56-C1"},
        "default_object": {"size": 100},
        "client_subnets": {client_subnets()["IST"]: ISTANBUL},
    }
    with strict_cloudfront(config) as running:
        yield running


def selected(machine: Machine, run: str, **request: Any) -> tuple[list[str], list[str]]:
    """Resolve a run; return its POPs, and its warnings."""
    ran = machine.resolve(({} if "targets_s3" in request else {"url_list": fresh()}) | request, run)
    assert "rejection" not in ran.resolved, ran.resolved
    plan = document(run, "plan/plan.json")
    return plan["groups"][0]["pops"], plan["warnings"]


def targets(*pops: str) -> str:
    file = io.StringIO()
    write_targets([Pair(fresh()[0], pop, 10) for pop in pops], file)
    client("s3").put_object(Bucket=BUCKET, Key="lists/targets.csv", Body=file.getvalue().encode())
    return f"s3://{BUCKET}/lists/targets.csv"


def listed() -> tuple[dict[str, Any], list[str]]:
    """Return GET /pops' learned POPs by id, and its candidates."""
    status, response = call("GET", "/pops")
    assert status == 200
    learned = {pop["id"]: pop["learned"]["how"] for pop in response["pops"] if pop["learned"]}
    return learned, [each["id"] for each in response["candidates"]]


def test_substitute_of_one_run_is_in_the_next_runs_country(machine: Machine) -> None:
    assert ISTANBUL not in catalogue().pops
    assert "IST" in call("GET", "/pops")[1]["locationsWithoutPops"]
    pops, warnings = selected(machine, "first", **TURKEY)
    assert pops == [ISTANBUL]
    assert any(f"sends clients there to {ISTANBUL}" in text for text in warnings)
    assert listed() == ({ISTANBUL: ["substitute"]}, [])
    assert "IST" not in call("GET", "/pops")[1]["locationsWithoutPops"]

    pops, warnings = selected(machine, "second", **TURKEY)
    assert pops == [ISTANBUL]
    assert not any("no POP name resolves" in text for text in warnings)
    machine.resolve({"url_list": fresh(), "dry_run": True, "region_type": "pop", "region": [ISTANBUL]}, "dry")
    assert document("dry", "dry_run.json")["targets"] == 1
    assert listed()[0] == {ISTANBUL: ["run", "substitute"]}


def test_pair_at_a_pop_that_answers_is_learned_and_one_at_an_impostor_is_a_candidate(machine: Machine) -> None:
    selected(machine, "pairs", targets_s3=targets(FRANKFURT, NEW, POSING))
    learned, candidates = listed()
    assert learned == {FRANKFURT: ["traffic"], NEW: ["traffic"]}
    assert candidates == [POSING]
    pops, _ = selected(machine, "country", **GERMANY)
    assert sorted(pops) == sorted([FRANKFURT, NEW])


def test_candidate_is_probed_and_only_then_selected(machine: Machine, edge: SimulatedCloudFront) -> None:
    stored = {"first": _today(), "last": _today(), "how": ["traffic"]}
    knowledge = {"version": 1, "pops": {}, "candidates": {NEW: stored, POSING: stored, ISTANBUL: stored}}
    client("s3").put_object(Bucket=BUCKET, Key=POPS_KEY, Body=json.dumps(knowledge).encode())
    pops, _ = selected(machine, "first", **GERMANY)
    assert pops == [FRANKFURT]
    learned, candidates = listed()
    assert set(learned) == {FRANKFURT, NEW}
    assert sorted(candidates) == sorted([POSING, ISTANBUL])
    before = edge.stats()["pops"][POSING]["requests"]
    pops, _ = selected(machine, "second", **GERMANY)
    assert sorted(pops) == sorted([FRANKFURT, NEW])
    assert edge.stats()["pops"][POSING]["requests"] == before


def test_dry_run_learns_nothing(machine: Machine) -> None:
    machine.resolve({"url_list": fresh(), "dry_run": True} | TURKEY, "dry")
    assert keys("knowledge/") == []


@pytest.mark.parametrize("body", [b"{", b'{"version":1,"pops":{"x":1}}', b'{"version":9}'])
def test_damaged_knowledge_is_a_warning_of_the_run(machine: Machine, body: bytes) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=POPS_KEY, Body=body)
    pops, warnings = selected(machine, "damaged", **GERMANY)
    assert pops == [FRANKFURT]
    assert any(POPS_KEY in text and "the catalogue is used" in text for text in warnings)
    assert call("GET", "/pops")[0] == 200


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
