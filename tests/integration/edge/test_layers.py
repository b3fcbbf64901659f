"""Which layer answered, as Server-Timing says; and the caches of several servers in a POP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, DALLAS, DOMAIN, HOST, TOKYO, TOKYO_2, Client

PRAGMA = {"Pragma": "server-timing"}


def _config(*, rate: float = 100, enabled: bool = True, **more: Any) -> dict[str, Any]:
    distribution = {"domain": DOMAIN, "aliases": [HOST], "server_timing": enabled, "server_timing_rate": rate}
    return CONFIG | {"distributions": [distribution]} | more


# Developer Guide, "Server-Timing header": at a sampling rate of zero, and for the responses that are not sampled,
# a viewer request with "Pragma: server-timing" gets the header if the policy has it enabled.
def test_pragma_forces_server_timing_at_a_sampling_rate_of_zero() -> None:
    with SimulatedCloudFront(_config(rate=0)) as edge:
        client = Client(edge)
        assert "server-timing" not in client.request("/a").headers
        assert 'cdn-hit-layer;desc="EDGE"' in client.request("/a", headers=PRAGMA).headers["server-timing"]


def test_pragma_has_no_effect_without_the_policy() -> None:
    with SimulatedCloudFront(_config(enabled=False)) as edge:
        assert "server-timing" not in Client(edge).request("/a", headers=PRAGMA).headers


def test_sampled_server_timing_is_in_some_responses() -> None:
    with SimulatedCloudFront(_config(rate=50)) as edge:
        client = Client(edge)
        sampled = sum("server-timing" in client.request("/a").headers for _ in range(40))
        assert 5 < sampled < 35


# The same section: cdn-hit-layer is EDGE, REC or Origin Shield; cdn-upstream-layer names the layer that asked the
# origin.
def test_layers_are_named_for_hits_and_for_requests_to_the_origin() -> None:
    with SimulatedCloudFront(_config()) as edge:
        client = Client(edge)
        timing = [client.request("/a", pop).headers["server-timing"] for pop in (TOKYO, TOKYO, TOKYO_2)]
        assert 'cdn-upstream-layer;desc="REC"' in timing[0]
        assert 'cdn-hit-layer;desc="EDGE"' in timing[1]
        assert 'cdn-hit-layer;desc="REC"' in timing[2]


def test_origin_shield_is_a_layer_and_asks_the_origin_once() -> None:
    with SimulatedCloudFront(_config(origin_shield="shield")) as edge:
        client = Client(edge)
        first, second = (client.request("/a", pop).headers["server-timing"] for pop in (TOKYO, DALLAS))
        assert 'cdn-upstream-layer;desc="Origin Shield"' in first
        assert 'cdn-hit-layer;desc="Origin Shield"' in second
        assert client.asked("/a") == 1


# "How CloudFront works with regional edge caches": if the origin is an S3 bucket in the same Region as the regional
# edge cache, the POP asks the bucket directly.
def test_pops_of_a_bypassed_area_ask_the_origin_themselves() -> None:
    with SimulatedCloudFront(_config(regional_bypass=["NRT"])) as edge:
        client = Client(edge)
        for pop in (TOKYO, TOKYO_2):
            got = client.request("/a", pop)
            assert (got.x_cache, 'cdn-upstream-layer;desc="EDGE"' in got.headers["server-timing"]) == ("Miss", True)
        assert client.asked("/a") == 2
        assert client.request("/a", TOKYO).x_cache == "Hit"


# "Request and response behavior for custom origins", "Simultaneous requests for the same object (request
# collapsing)":
# CloudFront pauses before it forwards further requests for an object. That it is one request for all POPs of an area
# is the documented aim of regional edge caches; an origin that gets more is the other setting.
@pytest.mark.parametrize(("collapsing", "asked"), [(True, 1), (False, 2)])
def test_simultaneous_requests_of_an_area_are_one_at_the_origin(*, collapsing: bool, asked: int) -> None:
    with SimulatedCloudFront(_config(regional_collapsing=collapsing)) as edge:
        client = Client(edge)
        with ThreadPoolExecutor(2) as both:
            found = list(both.map(lambda pop: client.request("/slow", pop), (TOKYO, TOKYO_2)))
        assert [got.status for got in found] == [200, 200]
        assert client.asked("/slow") == asked


# "All distribution settings reference", "Connection attempts": 1 to 3 times, 3 by default, before an error.
@pytest.mark.parametrize("attempts", [1, 3])
def test_silent_origin_is_asked_as_often_as_the_switch_says(attempts: int) -> None:
    with SimulatedCloudFront(_config(origin_attempts=attempts)) as edge:
        client = Client(edge)
        client.edge.fault("/a", "no_answer")
        assert client.request("/a").status == 504
        assert client.asked("/a") == attempts


# Not documented: whether the servers of a POP share their cache. Both are possible here.
@pytest.mark.parametrize(("separate", "second"), [(True, "Miss"), (False, "Hit")])
def test_each_address_may_have_its_own_cache(*, separate: bool, second: str) -> None:
    with SimulatedCloudFront(_config(separate_servers=separate, regional_hits_visible=False)) as edge:
        client = Client(edge)
        assert client.request("/a", address=0).x_cache == "Miss"
        assert client.request("/a", address=1).x_cache == second
        assert client.request("/a", address=1).x_cache == "Hit"
        assert client.edge.purge(["/a"]) == (3 if separate else 2)
