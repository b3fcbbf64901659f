"""Fixtures that run the whole service in front of the simulated CloudFront."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.browser import Visitor, chromium
from tests.support.service import DOMAIN, HOST, Service, serve
from tests.support.strict_edge import strict_cloudfront


@pytest.fixture(scope="session")
def edge() -> Iterator[SimulatedCloudFront]:
    """Simulate the catalogue's POPs in Singapore, Sydney, Seoul and Frankfurt; all others do not exist."""
    pops = [pop for pop in catalogue().pops if pop.startswith(("SIN", "SYD", "ICN", "FRA"))]
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "objects": {
            **{f"/page/{number}.html": {"size": 2_000 + number, "ttfb_ms": 20} for number in range(64)},
            "/slow.html": {"size": 1_000, "ttfb_ms": 2_000, "headers": {"Cache-Control": "no-store"}},
            **{f"/slow-{number}.html": {"size": 1_000, "ttfb_ms": 5_000} for number in (1, 2)},
            "/refused.html": {"fault": "refused"},
            "/cut.html": {"size": 50_000, "fault": "truncated"},
        },
        "error_ttl": 1,
    }
    with strict_cloudfront(config) as running:
        yield running


@pytest.fixture(scope="session")
def service(edge: SimulatedCloudFront, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    logs = tmp_path_factory.mktemp("logs")
    settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": "1"}
    running = serve(settings, "--distribution", f"{DOMAIN}={HOST}", "--log-dir", str(logs))
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Callable[..., Visitor]]:
    """Return a factory of visitors; at the end, no browser console may contain an unexpected error."""
    visitors: list[Visitor] = []

    def new_visitor(**context: Any) -> Visitor:
        visitors.append(Visitor(browser, service.ready["api"], service.ready["apiKey"], **context))
        return visitors[-1]

    yield new_visitor
    for visitor in visitors:
        visitor.close()
    assert [visitor.errors for visitor in visitors if visitor.errors] == []
