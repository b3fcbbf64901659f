"""The number of origin fetches, staged and unstaged: a simulated CloudFront whose POPs share regional edge caches.

.venv/bin/python -m bench.staging
"""

import time
from typing import Any

import requests

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
URLS = 20


def main() -> None:
    """Compare with caches that collapse requests and with caches that do not."""
    for collapsing in (True, False):
        compare(collapsing=collapsing)


def compare(*, collapsing: bool) -> None:
    """Warm the same number of fresh URLs in each way, and print the number of origin fetches."""
    known = catalogue()
    pops = list(known.pops)[::3]
    areas = {pop: known.regional_cache_of(pop) for pop in pops}
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": areas,
        "default_object": {"size": 1000, "ttfb_ms": 300},
        "regional_collapsing": collapsing,
    }
    how = "that make one fetch of many at the same time" if collapsing else "that make each fetch they are asked for"
    print(f"{URLS} URLs through {len(pops)} POPs behind {len(set(areas.values()))} regional edge caches {how}:")
    with (
        SimulatedCloudFront(config) as edge,
        EmbeddedStack(distributions=[f"{DOMAIN}={HOST}"], environment=edge.settings() | QUIET) as stack,
    ):
        for kind, fields in (
            ("unstaged", {}),
            ("staged", {"staged": True}),
            ("staged, one worker", {"staged": True, "max_concurrency": 1}),
        ):
            began = time.monotonic()
            folder = kind.replace(", ", "-").replace(" ", "-")
            whole = warm(stack, pops, folder, fields)
            # The probe requests the first URL from every POP.
            asked = sum(n for path, n in edge.stats()["origin"].items() if path.startswith(f"/{folder}/w"))
            seconds = time.monotonic() - began
            print(f"  {kind}: {asked:,} fetches at the origin for {whole:,} targets, {seconds:.0f} s")


QUIET = {"POWERTOOLS_LOG_LEVEL": "ERROR"}


def warm(stack: EmbeddedStack, pops: list[str], name: str, fields: dict[str, Any]) -> int:
    """Run one request to its end; return the number of warm targets."""
    urls = [f"https://{HOST}/{name}/{kind}.js" for kind in ("probed", *(f"w{n}" for n in range(URLS)))]
    request = {"url_list": urls, "region_type": "pop", "region": pops, "verify": "none"} | fields
    headers = {"x-api-key": stack.api_key}
    run = requests.post(f"{stack.api}/prewarm", json=request, headers=headers, timeout=60).json()["requestID"]
    while True:
        time.sleep(0.5)
        status = requests.get(f"{stack.api}/status", params={"requestID": run}, headers=headers, timeout=60).json()
        if status["status"] != "IN_PROGRESS":
            assert status["status"] == "COMPLETED", status
            done: int = status["targets"]["done"]
            return done


if __name__ == "__main__":
    main()
