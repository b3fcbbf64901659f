"""The demo's site: a small shop's release, warmed at every catalogued POP of Asia-Pacific."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm.catalogue import Catalogue, catalogue
from prewarm.request.pop_selection import expand

if TYPE_CHECKING:
    from prewarm_local.edge.process import SimulatedCloudFront
    from prewarm_local.stack.distribution import Distribution

DOMAIN = "d111111abcdef8.cloudfront.net"
SHOP, IMAGES = "www.example.com", "img.example.com"
# A continent: each further POP costs ten TLS handshakes and 40 responses of the simulation, which has one processor.
REGIONS = ["apac"]
# A distribution's "error caching minimum TTL" is configurable; a short one keeps the demo short.
ERROR_CACHE_SECONDS = 1
ORIGIN_MS = 60
REPAIRED_BYTES = 40_000

PAGES = {
    f"https://{SHOP}/": 18_000,
    f"https://{SHOP}/index.html": 18_000,
    f"https://{SHOP}/sale.html": 24_000,
    f"https://{SHOP}/cart.html": 9_000,
    f"https://{SHOP}/assets/app-4f2a91.js": 48_000,
    f"https://{SHOP}/assets/app-4f2a91.css": 16_000,
    f"https://{SHOP}/assets/vendor-77c0de.js": 64_000,
    f"https://{SHOP}/assets/fonts/body.woff2": 28_000,
    f"https://{SHOP}/assets/fonts/head.woff2": 26_000,
    f"https://{SHOP}/api/catalogue.json?locale=en": 6_000,
    f"https://{SHOP}/api/catalogue.json?locale=de": 6_000,
    f"https://{SHOP}/api/catalogue.json?locale=ja": 6_000,
    f"https://{IMAGES}/hero.avif": 72_000,
    **{f"https://{IMAGES}/product/{number}.webp": 12_000 + 500 * number for number in range(1, 9)},
}
# Each fails for a different reason, at the origin, where most failures occur.
FAILING: dict[str, dict[str, Any]] = {
    f"https://{SHOP}/downloads/price-list.pdf": {"status": 404},
    f"https://{SHOP}/legacy/terms.html": {"fault": "refused"},
    f"https://{IMAGES}/film/trailer.mp4": {"fault": "truncated", "size": 200_000},
}


@dataclass(frozen=True)
class DemoSite:
    """The site's distribution, a strict simulation of it, the POPs that a run requests, and three with a viewer."""

    distribution: Distribution
    config: dict[str, Any]
    requested_pops: list[str]
    viewer_pops: list[str]

    def repair(self, edge: SimulatedCloudFront) -> None:
        """Serve the broken URLs from the origin."""
        for url in FAILING:
            edge.put_object(_target(url), {"size": REPAIRED_BYTES, "ttfb_ms": ORIGIN_MS})


def _target(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def demo_site(pop_catalogue: Catalogue | None = None) -> DemoSite:
    """Return the demo's site: most catalogued POPs work, some are retired, two are dark, one is an impostor."""
    # Imported here: the command without the extra [local] has neither.
    from prewarm_local.edge.strict import strict  # noqa: PLC0415
    from prewarm_local.stack.distribution import Distribution, simulation_of  # noqa: PLC0415

    pop_catalogue = pop_catalogue or catalogue()
    requested, _ = expand("region", REGIONS, pop_catalogue)
    # The catalogue contains retired POPs, unknown outside AWS: here, every twelfth of the less certain ones.
    uncertain = [pop for pop in requested if pop_catalogue.pops[pop].confidence != "high"]
    retired = set(uncertain[::12])
    working = [pop for pop in requested if pop not in retired]
    viewers = [next(pop for pop in working if pop.startswith(city)) for city in ("NRT", "SIN", "SYD")]
    faulty = [pop for pop in working if pop not in viewers][10::60][:3]
    objects: dict[str, Any] = {}
    for url, size in PAGES.items():
        objects[_target(url)] = {"size": size, "ttfb_ms": ORIGIN_MS}
    for url, fault in FAILING.items():
        objects[_target(url)] = {"ttfb_ms": ORIGIN_MS, **fault}
    distribution = Distribution(DOMAIN, (SHOP, IMAGES))
    config = {
        **simulation_of([distribution]),
        "pops": working,
        "areas": {pop: pop_catalogue.regional_cache_of(pop) for pop in working},
        "dark": faulty[:2],
        "impostors": {faulty[2]: "ATL56-C1"},
        "objects": objects,
        "error_ttl": ERROR_CACHE_SECONDS,
        "edge_latency_ms": 2,
    }
    return DemoSite(distribution, strict(config), requested, viewers)
