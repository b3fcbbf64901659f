"""What a run spares the first viewers, in front of a simulated CloudFront whose origin is slow."""

from collections.abc import Iterator
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import DOMAIN, SYDNEY, TOKYO, Machine, an_account, client, document
from tests.support.strict_edge import strict_cloudfront

DELAY_MS = 200
POPS = [SYDNEY[0], TOKYO]


@pytest.fixture(scope="module")
def slow() -> Iterator[SimulatedCloudFront]:
    """Two POPs, each in a regional edge cache's area of its own."""
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": POPS,
        "areas": {pop: pop[:3] for pop in POPS},
        "addresses_per_pop": 2,
        "default_object": {"size": 1_000, "ttfb_ms": DELAY_MS, "content_type": "text/html"},
    }
    with strict_cloudfront(config) as running:
        yield running


@pytest.fixture
def machine(slow: SimulatedCloudFront) -> Iterator[Machine]:
    with an_account(slow) as account:
        yield Machine(account.storage)


def request(urls: list[str], **fields: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": POPS, "verify": "all"} | fields


def test_gain_is_about_the_origins_delay_and_a_second_run_has_none(machine: Machine) -> None:
    urls = fresh(8)
    machine.run(request(urls), "cold")
    gain = document("cold", "summary.json")["gain"]
    assert (gain["fetched"], gain["warmBefore"], gain["pairs"]) == (16, 0, 16)
    assert 0.6 * DELAY_MS < gain["sparedMs"]["p50"] < 2 * DELAY_MS
    assert gain["text"].startswith("First viewers were spared a median of ")
    assert {each["region"]: (each["pairs"], each["fetched"]) for each in gain["regions"]} == {
        "Japan": (8, 8),
        "Australia, New Zealand": (8, 8),
    }
    report = document("cold", "report.json")
    assert report["gain"] == gain
    body = client("s3").get_object(Bucket="prewarm-runs", Key="runs/cold/report.html")["Body"].read().decode()
    assert gain["text"] in body

    machine.run(request(urls), "again")
    again = document("again", "summary.json")
    assert again["gain"]["warmBefore"] == again["gain"]["fetched"] == 16
    assert (again["gain"]["pairs"], again["gain"]["sparedMs"]) == (0, None)
    assert again["gain"]["text"] == "No difference was measured: all fetched targets (16) were warm before."
    assert again["outcomes"] == {"already_warm": 16}


def test_sample_has_the_gain_of_its_proven_targets_only(machine: Machine) -> None:
    machine.run(request(fresh(6), verify="sample"), "sampled")
    summary = document("sampled", "summary.json")
    assert 0 < summary["gain"]["pairs"] <= summary["verified"] < summary["gain"]["fetched"] == 12


def test_run_without_verification_says_why_it_has_no_gain(machine: Machine) -> None:
    machine.run(request(fresh(1), verify="none"), "unverified")
    gain = document("unverified", "summary.json")["gain"]
    assert (gain["fetched"], gain["pairs"], gain["sparedMs"]) == (2, 0, None)
    assert "verify: none" in gain["text"]
