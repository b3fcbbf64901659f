"""Regional runs in front of the simulation: its counts show that viewers' misses do not reach the origin."""

from collections.abc import Iterator
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import Client
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import DOMAIN, Machine, an_account, document, records
from tests.support.strict_edge import strict_cloudfront

FRANKFURT, SINGAPORE = ["FRA2-C1", "FRA50-C1", "FRA53-C1"], ["SIN2-C1", "SIN2-P1"]
BYPASSED = ["NRT57-P3", "NRT12-C1"]


@pytest.fixture(scope="module")
def regional_edge() -> Iterator[SimulatedCloudFront]:
    pops = [*FRANKFURT, *SINGAPORE, *BYPASSED]
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST], "server_timing": True, "server_timing_rate": 0}],
        "pops": pops,
        "areas": {pop: pop[:3] for pop in pops},
        "regional_bypass": ["NRT"],
        "default_object": {"size": 500},
    }
    with strict_cloudfront(config) as running:
        yield running


def warmed(edge: SimulatedCloudFront, urls: list[str], pops: list[str], **fields: Any) -> Any:
    with an_account(edge) as account:
        request = {"url_list": urls, "region_type": "pop", "region": pops, "tier": "regional"}
        ran = Machine(account.storage).run(request | fields)
        return document(ran.name, "summary.json"), records(ran.name)


def origin_requests(edge: SimulatedCloudFront) -> int:
    return sum(edge.stats()["origin"].values())


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_after_a_run_viewers_at_every_pop_cause_no_origin_fetch(
    regional_edge: SimulatedCloudFront, verify: str
) -> None:
    urls, pops = fresh(4), [*FRANKFURT, *SINGAPORE]
    summary, _ = warmed(regional_edge, urls, pops, verify=verify)
    assert (summary["warm"], summary["outcomes"]) == (True, {"warmed": 8})
    before, client = origin_requests(regional_edge), Client(regional_edge)
    for url in urls:
        for pop in pops:
            client.request(path_of(url), pop, accept="br, gzip")
    assert origin_requests(regional_edge) == before


def test_bypassed_regional_cache_is_unproven(regional_edge: SimulatedCloudFront) -> None:
    summary, recorded = warmed(regional_edge, fresh(2), BYPASSED)
    assert (summary["warm"], summary["outcomes"]) == (False, {"unproven": 2})
    assert all("bypass" in record["detail"] for record in recorded)


def test_second_pop_that_is_warm_already_proves_nothing(regional_edge: SimulatedCloudFront) -> None:
    (url,) = fresh()
    client = Client(regional_edge)
    for pop in SINGAPORE:
        client.request(path_of(url), pop, accept="br, gzip")
    summary, recorded = warmed(regional_edge, [url], SINGAPORE)
    assert (summary["warm"], summary["outcomes"]) == (False, {"unproven": 1})
    assert "their own copies" in recorded[0]["detail"]


def test_first_pop_that_dies_after_planning_is_replaced_by_the_next_one(regional_edge: SimulatedCloudFront) -> None:
    (url,) = fresh()
    with an_account(regional_edge) as account:
        machine = Machine(account.storage)
        ran = machine.resolve({"url_list": [url], "region_type": "pop", "region": FRANKFURT, "tier": "regional"})
        first, second, third = account.storage.need_plan(ran.name).groups[0].areas[0]
        regional_edge.fault(path_of(url), "reset", pops=[first])
        (item,) = machine.items(ran)
        machine.warm(ran, item)
        (record,) = records(ran.name)
    assert (record["outcome"], record["pop"], record["proof_pop"]) == ("warmed", second, third)
