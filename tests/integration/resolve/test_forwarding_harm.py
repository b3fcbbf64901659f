"""A header that reaches the origin and is not in the cache key: the harm at the simulated edge, and the warning."""

from typing import Any

import pytest

from prewarm_local.stack.distribution import Distribution, simulation_of
from resolve.distributions.cache_behaviours import behaviours
from resolve.distributions.config_warnings import settings_warnings
from resolve.distributions.forwarding import Policies
from tests.support.builders import parsed
from tests.support.cache_policies import header_list, policy
from tests.support.edge_client import DOMAIN, HOST, Client
from tests.support.strict_edge import strict_cloudfront

CORS_S3 = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"
OWN, WITH_ORIGIN = "7b2c0000-0000-4000-8000-000000000001", "7b2c0000-0000-4000-8000-000000000002"
FONT, POP = "/body.woff2", "NRT57-P3"
SHOP = {"Origin": "https://shop.example"}
POLICIES: dict[str, Any] = {
    OWN: {"Name": "ours", "HeadersConfig": {"HeaderBehavior": "allViewer"}},
    WITH_ORIGIN: policy(HeadersConfig=header_list("Origin")),
}


def warned(distribution: Distribution) -> str:
    """Return the warnings of a run, from the documents that the simulation has."""
    simulation, config = simulation_of([distribution]), distribution.config()
    policies = Policies(simulation["origin_request_policies"])
    in_order = behaviours(config, simulation["cache_policies"], policies)
    return "\n".join(settings_warnings(DOMAIN, config, in_order, parsed(f"https://{HOST}{FONT}"), ["br"], {}))


@pytest.mark.parametrize(
    ("behaviour", "harmed"),
    [
        ({"OriginRequestPolicyId": CORS_S3}, True),
        ({"OriginRequestPolicyId": OWN}, True),
        ({"OriginRequestPolicyId": CORS_S3, "CachePolicyId": WITH_ORIGIN}, False),
    ],
)
def test_copy_without_cors_headers_is_given_to_everyone_where_the_run_warns(
    behaviour: dict[str, Any], *, harmed: bool
) -> None:
    distribution = Distribution(DOMAIN, (HOST,), behaviour=behaviour, policies=POLICIES)
    config = {"pops": [POP], "objects": {FONT: {"cors": True}}, **simulation_of([distribution])}
    with strict_cloudfront(config) as edge:
        client = Client(edge)
        for _ in range(2):
            assert client.request(FONT, POP).status == 200  # the run's fetches, without Origin
        viewers = [client.request(FONT, POP, headers=SHOP) for _ in range(2)]
        assert [got.x_cache for got in viewers] == (["Hit", "Hit"] if harmed else ["Miss", "Hit"])
        allowed = {got.headers.get("access-control-allow-origin") for got in viewers}
        assert allowed == ({None} if harmed else {"https://shop.example"})
        assert edge.errors == ""
    assert ("forwards Origin, which the cache key does not have" in warned(distribution)) is harmed
