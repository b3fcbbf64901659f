"""A site whose missing routes are its index page, with status 200 and `X-Cache: Error`, opens no circuit breaker.

Developer Guide, "Generate custom error responses", section "Change response codes returned by CloudFront".
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.distribution import Distribution, simulation_of
from prewarm_local.stack.stack import EmbeddedStack
from tests.support.strict_edge import strict_cloudfront

POPS = ["SYD1-C1", "SYD62-P1", "SYD62-P2"]
HOST = "www.example.com"
PAGE = {"ErrorCode": 404, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 1}
APPLICATION = Distribution(
    "d111abcdef8.cloudfront.net", (HOST,), settings={"CustomErrorResponses": {"Quantity": 1, "Items": [PAGE]}}
)
ROUTES = [f"https://{HOST}/app/view/{number}" for number in range(30)]
ASSETS = [f"https://{HOST}/assets/{number}.js" for number in range(40)]
MOST_SECONDS = 90
# One stack per process.
pytestmark = pytest.mark.xdist_group("single-page")


@pytest.fixture
def edge() -> Iterator[SimulatedCloudFront]:
    paths = ["/index.html", *("/" + url.split("/", 3)[3] for url in ASSETS)]
    objects = {path: {"size": 2_000} for path in paths}
    with strict_cloudfront({"pops": POPS, "objects": objects, **simulation_of([APPLICATION])}) as running:
        yield running


def test_error_pages_with_status_200_do_not_open_the_origins_circuit_breaker(edge: SimulatedCloudFront) -> None:
    environment = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": "1"}
    with EmbeddedStack(distributions=[APPLICATION], environment=environment) as stack:
        key = {"x-api-key": stack.api_key}
        request = {"url_list": ROUTES + ASSETS, "region_type": "pop", "region": POPS}
        started = requests.post(f"{stack.api}/prewarm", json=request, headers=key, timeout=60)
        query = {"requestID": started.json()["requestID"]}
        until = time.monotonic() + MOST_SECONDS
        status: dict[str, Any] = {"status": "IN_PROGRESS"}
        while status["status"] == "IN_PROGRESS" and time.monotonic() < until:
            time.sleep(0.2)
            status = requests.get(f"{stack.api}/status", params=query, headers=key, timeout=30).json()
    assert status["status"] == "FAILED"
    assert sorted(status["successUrl"]) == sorted(ASSETS)
    assert sorted(status["failedUrl"]) == sorted(ROUTES)
    assert set(status["targets"]["outcomes"]) <= {"warmed", "already_warm", "error_page"}
