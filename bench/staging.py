"""The number of origin fetches, staged and unstaged: a simulated CloudFront whose POPs share regional edge caches.

.venv/bin/python -m bench.staging
"""

import time
from typing import Any

from bench.page import markdown
from bench.runs import finish
from bench.section import Section
from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
URLS = 20


def measure(*, quick: bool = False) -> Section:
    """Compare with caches that collapse requests and with caches that do not."""
    urls, every = (2, 60) if quick else (URLS, 3)
    pops = list(catalogue().pops)[::every]
    raw = [row for collapsing in (True, False) for row in compare(pops, urls, collapsing=collapsing)]
    rows = tuple(
        (caches, kind, f"{asked:,}", f"{whole:,}", f"{seconds:.0f}") for caches, kind, asked, whole, seconds in raw
    )
    areas = len({catalogue().regional_cache_of(pop) for pop in pops})
    notes = (
        f"{urls} URLs through {len(pops)} POPs of a simulated CloudFront, behind {areas} regional edge caches.",
        "The origin takes 300 ms; probes are not counted.",
    )
    columns = ("the regional edge caches", "run", "fetches at the origin", "warm targets", "seconds")
    return Section("The origin's part, staged and unstaged", columns, rows, notes, raw=raw)


def compare(pops: list[str], urls: int, *, collapsing: bool) -> list[tuple[str, str, int, int, float]]:
    """Warm the same number of fresh URLs in each way; return caches, run, origin fetches, warm targets, seconds."""
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "default_object": {"size": 1000, "ttfb_ms": 300},
        "regional_collapsing": collapsing,
    }
    caches = "make one fetch of many at the same time" if collapsing else "make each fetch they are asked for"
    rows = []
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
            whole = warm(stack, pops, folder, urls, fields)
            # The probe requests the first URL from every POP.
            asked = sum(n for path, n in edge.stats()["origin"].items() if path.startswith(f"/{folder}/w"))
            rows.append((caches, kind, asked, whole, round(time.monotonic() - began, 1)))
    return rows


QUIET = {"POWERTOOLS_LOG_LEVEL": "ERROR"}


def warm(stack: EmbeddedStack, pops: list[str], name: str, count: int, fields: dict[str, Any]) -> int:
    """Run one request to its end; return the number of warm targets."""
    urls = [f"https://{HOST}/{name}/{kind}.js" for kind in ("probed", *(f"w{n}" for n in range(count)))]
    request = {"url_list": urls, "region_type": "pop", "region": pops, "verify": "none"} | fields
    status = finish(stack, request, 0.5)
    assert status["status"] == "COMPLETED", status
    done: int = status["targets"]["done"]
    return done


if __name__ == "__main__":
    print(markdown(measure()))
