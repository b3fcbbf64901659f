"""A service with distributions of each kind, a request to it, and its end."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from prewarm.catalogue import client_subnets
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.distribution import Distribution
from prewarm_local.stack.moto_cloudfront import Tenant
from prewarm_local.stack.stack import EmbeddedStack
from tests.support.strict_edge import strict_cloudfront

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
ENDPOINT, SHOP = "d777abcdef8.cloudfront.net", "shop.customer.example"
OFF, STAGING, FOREIGN = "off.example.com", "d333abcdef8.cloudfront.net", "www.example.org"
SYDNEY, MUMBAI, DUBAI = ["SYD1-C1", "SYD62-P1"], "BOM50-C1", "DXB50-C1"
# Another account, with its distribution and role.
OTHER_ACCOUNT, OTHER_DOMAIN, OTHER_HOST = "222222222222", "d555abcdef8.cloudfront.net", "www.team.example"
ROLE, EXTERNAL_ID = f"arn:aws:iam::{OTHER_ACCOUNT}:role/prewarm", "ext-7f3a"
POLICY = "8c1d2f34-0000-4000-8000-000000000001"
SITEMAP = f"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <url><loc>https://{HOST}/page/1</loc></url><url><loc>https://{HOST}/page/2</loc></url></urlset>"""
PLAYLIST = "#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXT-X-ENDLIST\n"


def text(content: str) -> dict[str, str]:
    return {"document": base64.b64encode(content.encode()).decode()}


@contextmanager
def edge_of_several_distributions() -> Iterator[SimulatedCloudFront]:
    """Simulate the edge of two distributions, one of them with a tenant's connection group."""
    config = {
        "distributions": [
            {"domain": DOMAIN, "aliases": [HOST, FOREIGN]},
            {"domain": ENDPOINT, "aliases": [SHOP]},
            {"domain": OTHER_DOMAIN, "aliases": [OTHER_HOST]},
        ],
        "pops": [*SYDNEY, MUMBAI, DUBAI],
        "default_object": {"size": 1_000},
        "objects": {"/sitemap.xml": text(SITEMAP), "/video/top.m3u8": text(PLAYLIST)},
        "client_subnets": {client_subnets()["DOH"]: DUBAI},
    }
    with strict_cloudfront(config) as running:
        yield running


@contextmanager
def stack_of_several_distributions(
    edge: SimulatedCloudFront, purged: list[tuple[str, list[str]]]
) -> Iterator[EmbeddedStack]:
    """Serve distributions of each kind; `purged` gets the domain and the paths of each invalidation."""
    nothing = {"PathPattern": "/api/*", "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
    by_country = {
        "Name": "by-country",
        "MinTTL": 0,
        "DefaultTTL": 60,
        "MaxTTL": 600,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "HeadersConfig": {
                "HeaderBehavior": "whitelist",
                "Headers": {"Quantity": 1, "Items": ["CloudFront-Viewer-Country"]},
            }
        },
    }
    distributions = [
        Distribution(
            DOMAIN,
            (HOST,),
            price_class="PriceClass_200",
            behaviour={"CachePolicyId": POLICY, "ViewerProtocolPolicy": "redirect-to-https"},
            behaviours=(nothing,),
            policies={POLICY: by_country},
        ),
        Distribution("d222abcdef8.cloudfront.net", (OFF,), enabled=False),
        Distribution(STAGING, staging=True),
        Distribution("d444abcdef8.cloudfront.net", tenants=(Tenant("dt_1", (SHOP,), ENDPOINT),)),
        Distribution(OTHER_DOMAIN, (OTHER_HOST,), account=OTHER_ACCOUNT),
    ]

    def purge(domain: str, paths: list[str]) -> None:
        purged.append((domain, paths))
        edge.purge(paths, domain=domain)

    environment = edge.settings() | {"PREWARM_ALLOW_INVALIDATION_PATTERNS": "true"}
    with EmbeddedStack(
        distributions=distributions,
        roles={ROLE: EXTERNAL_ID},
        parameters={"DistributionRoles": ROLE, "DistributionRolesExternalId": EXTERNAL_ID},
        environment=environment,
        on_invalidation=purge,
    ) as running:
        yield running


def post(stack: EmbeddedStack, **given: Any) -> requests.Response:
    body = {"region_type": "pop", "region": SYDNEY} | given
    return requests.post(f"{stack.api}/prewarm", json=body, headers={"x-api-key": stack.api_key}, timeout=60)


def get(stack: EmbeddedStack, path: str, **query: str) -> dict[str, Any]:
    response = requests.get(f"{stack.api}{path}", params=query, headers={"x-api-key": stack.api_key}, timeout=60)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def ended(stack: EmbeddedStack, **given: Any) -> dict[str, Any]:
    """Run a request to its end; returns its last status."""
    response = post(stack, **given)
    assert response.status_code == 200, response.text
    until = time.monotonic() + 120
    while time.monotonic() < until:
        status = get(stack, "/status", requestID=response.json()["requestID"])
        if status["status"] != "IN_PROGRESS":
            return status
        time.sleep(0.1)
    raise AssertionError("the run did not end")


def dry(stack: EmbeddedStack, **given: Any) -> dict[str, Any]:
    response = post(stack, dry_run=True, **given)
    assert response.status_code == 200, response.text
    estimate: dict[str, Any] = response.json()["dryRun"]
    return estimate


def urls(*paths: str, host: str = HOST) -> list[str]:
    return [f"https://{host}{path}" for path in paths]
