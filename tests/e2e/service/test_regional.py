"""`tier: regional` on the embedded stack: a fetch for each area fills its cache; without evidence it is unproven."""

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import Client
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

# No other test asks for these pages.
PATHS = ["/page/52.html", "/page/53.html"]
POPS = {"FRA": ["FRA2-C1", "FRA50-C1", "FRA53-C1"], "SIN": ["SIN2-C1", "SIN2-P1"]}


def test_regional_run_fills_each_areas_cache_and_is_unproven_without_server_timing(
    service: Service, edge: SimulatedCloudFront
) -> None:
    pops = [pop for area in POPS.values() for pop in area]
    urls = [f"https://{HOST}{path}" for path in PATHS]
    arn = service.start({"url_list": urls, "region_type": "pop", "region": pops, "tier": "regional"})
    last = service.statuses(arn)[-1]
    assert (last["targets"]["total"], last["targets"]["outcomes"]) == (4, {"unproven": 4})
    assert (last["status"], last["successUrl"]) == ("FAILED", [])
    before, client = sum(edge.stats()["origin"].values()), Client(edge)
    for path in PATHS:
        for pop in pops:
            client.request(path, pop, accept="br, gzip")
    assert sum(edge.stats()["origin"].values()) == before
