"""Addresses with separate caches, and copies that a busy edge did not compress, in front of the simulation.

Both are CloudFront's, as far as documented ("Serve compressed files", "Conditions for compression"); whether the
addresses of a POP share a cache is not documented, so both are possible (docs/proof.md).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.cache_policies import OPTIMIZED
from tests.support.edge_client import Client
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import DOMAIN, SYDNEY, Machine, an_account, document, records
from tests.support.strict_edge import strict_cloudfront

POPS = SYDNEY[:2]
ADDRESSES = 3


def simulation(*, separate: bool) -> SimulatedCloudFront:
    settings = {
        "Origins": {"Items": [{"Id": "o"}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "CachePolicyId": "optimized", "Compress": True},
    }
    distribution = {"domain": DOMAIN, "aliases": [HOST], "config": settings}
    config = {
        "distributions": [distribution],
        "cache_policies": {"optimized": OPTIMIZED},
        "pops": POPS,
        "addresses_per_pop": ADDRESSES,
        "default_object": {"size": 2000, "content_type": "text/html"},
    }
    lenient = {"separate_servers": separate, "regional_hits_visible": False, "origin_compresses": False}
    return strict_cloudfront(
        config, lenient=lenient, because="both kinds of caches are tested, and compression is the edge's own"
    )


@pytest.fixture(scope="module")
def separate_edge() -> Iterator[SimulatedCloudFront]:
    with simulation(separate=True) as edge:
        yield edge


@pytest.fixture(scope="module")
def shared_edge() -> Iterator[SimulatedCloudFront]:
    with simulation(separate=False) as edge:
        yield edge


def run(edge: SimulatedCloudFront, urls: list[str], **fields: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with an_account(edge) as account:
        ran = Machine(account.storage).run({"url_list": urls, "region_type": "pop", "region": POPS} | fields)
        summary = document(ran.name, "summary.json")
        # What one worker finds about a POP is there for the run's next ones.
        assert account.storage.ledger.control(ran.name).separate_pops == set(summary["separatePops"])
        return summary, records(ran.name)


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_viewers_get_a_hit_at_every_address_with_a_cache_of_its_own(
    separate_edge: SimulatedCloudFront, verify: str
) -> None:
    urls = fresh(4)
    summary, _ = run(separate_edge, urls, verify=verify)
    assert (summary["warm"], summary["outcomes"]) == (True, {"warmed": 8})
    assert summary["separatePops"] == sorted(POPS)
    assert (summary["addresses"], summary["addressesProven"]) == (len(POPS) * ADDRESSES, len(POPS) * ADDRESSES)
    client = Client(separate_edge)
    places = [(url, pop, address) for url in urls for pop in POPS for address in range(ADDRESSES)]
    answers = [client.request(path_of(url), pop, accept="br, gzip", address=n) for url, pop, n in places]
    assert {answer.x_cache for answer in answers} == {"Hit"}


def test_shared_caches_are_proven_at_another_address_with_one_fetch_more(shared_edge: SimulatedCloudFront) -> None:
    summary, recorded = run(shared_edge, fresh(2), verify="all")
    assert (summary["verified"], summary["verifiedElsewhere"], summary["separatePops"]) == (4, 4, [])
    assert {record["tries"] for record in recorded} == {2}


def test_plain_copy_of_a_busy_pop_is_warm_and_named_in_summary_and_reports(shared_edge: SimulatedCloudFront) -> None:
    plain, usual = fresh(2)
    shared_edge.fault(path_of(plain), "uncompressed", pops=POPS[:1])
    with an_account(shared_edge) as account:
        ran = Machine(account.storage).run({"url_list": [usual, plain], "region_type": "pop", "region": POPS})
        summary, report = document(ran.name, "summary.json"), document(ran.name, "report.json")
    assert (summary["warm"], summary["uncompressedUrls"]) == (True, 1)
    assert summary["uncompressed"] == [{"url": plain, "pops": 1, "examples": POPS[:1]}]
    assert any("served uncompressed" in each and POPS[0] in each for each in summary["warnings"])
    assert not any("different contents" in each for each in summary["warnings"])
    assert {entry["url"]: entry.get("uncompressed") for entry in report["urls"]} == {usual: None, plain: 1}


def test_plain_copy_at_one_address_of_several_caches_is_named(separate_edge: SimulatedCloudFront) -> None:
    """The other addresses have a compressed copy; viewers at this one get the plain one until it expires."""
    (url,) = fresh()
    separate_edge.fault(path_of(url), "uncompressed", pops=POPS[1:], times=1)
    summary, recorded = run(separate_edge, [url], verify="all")
    assert (summary["warm"], summary["outcomes"]) == (True, {"warmed": 2})
    assert summary["uncompressed"] == [{"url": url, "pops": 1, "examples": POPS[1:]}]
    assert {record["encoding"] for record in recorded} == {"br"}
