"""What the demo warms: a small shop's release, seen through every POP of Asia-Pacific and Europe that we know of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prewarm.catalogue import Catalogue, catalogue
from prewarm.request.pop_selection import expand

DOMAIN = "d111111abcdef8.cloudfront.net"
SHOP, IMAGES = "www.example.com", "img.example.com"
REGIONS = ["apac", "eu"]
# CloudFront lets each distribution set its "error caching minimum TTL"; a short one keeps the demo short.
ERROR_CACHE_SECONDS = 2
ORIGIN_MS = 60

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
# Each fails for a reason of its own, and at the origin, where most failures are.
FAILING: dict[str, dict[str, Any]] = {
    f"https://{SHOP}/downloads/price-list.pdf": {"status": 404},
    f"https://{SHOP}/legacy/terms.html": {"fault": "refused"},
    f"https://{IMAGES}/film/trailer.mp4": {"fault": "truncated", "size": 200_000},
}


@dataclass(frozen=True)
class Scenery:
    """The simulated world: its configuration, the POPs that a run names, and three where a viewer sits."""

    config: dict[str, Any]
    asked: list[str]
    viewers: list[str]


def scenery(known: Catalogue | None = None) -> Scenery:
    """Lay out the demo's world: most of the catalogue's POPs live, some are retired, two dark, one is another."""
    known = known or catalogue()
    asked, _ = expand("region", REGIONS, known)
    # The catalogue holds retired POPs, and nobody outside AWS knows which: here every twelfth of the less sure ones.
    unsure = [pop for pop in asked if known.pops[pop].confidence != "high"]
    retired = set(unsure[::12])
    living = [pop for pop in asked if pop not in retired]
    viewers = [next(pop for pop in living if pop.startswith(city)) for city in ("NRT", "FRA", "SYD")]
    odd = [pop for pop in living if pop not in viewers][10::60][:3]
    objects: dict[str, Any] = {}
    for url, size in PAGES.items():
        objects["/" + url.split("/", 3)[3]] = {"size": size, "ttfb_ms": ORIGIN_MS}
    for url, what in FAILING.items():
        objects["/" + url.split("/", 3)[3]] = {"ttfb_ms": ORIGIN_MS, **what}
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [SHOP, IMAGES]}],
        "pops": living,
        "areas": {pop: known.regional_cache_of(pop) for pop in living},
        "dark": odd[:2],
        "impostors": {odd[2]: "ATL56-C1"},
        "objects": objects,
        "error_ttl": ERROR_CACHE_SECONDS,
        "edge_latency_ms": 2,
    }
    return Scenery(config, asked, viewers)
