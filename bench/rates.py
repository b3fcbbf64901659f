"""How much of `max_rps` a run reaches, and the most fetches in any second and in any ten, counted at the edge.

    .venv/bin/python -m bench.rates                                # 5, 20 and 50 workers at 100 a second, 5 minutes
    .venv/bin/python -m bench.rates --workers 5 --seconds 20       # a look whether it runs

The embedded stack with a process for each worker, in front of the simulated CloudFront. A batch takes 20 seconds
where its worker has an even share.
"""

import argparse
import os
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
WORKERS, LIMIT, SECONDS = (5, 20, 50), 100.0, 60.0
BATCH_SECONDS = 20
POPS = 4
# Loaded by each worker at its start: sets how many targets a batch has at least.
SHIM = Path(__file__).parents[1] / "tests/trust/clock"


@dataclass(frozen=True)
class Reached:
    """One run: the share of the limit from its first fetch to its last batch, and the most in any 1 and 10 seconds.

    `second` and `ten_seconds` are parts of what the limit allows in that time.
    """

    workers: int
    limit: float
    fetches: int
    share: float
    second: float
    ten_seconds: float

    def line(self) -> str:
        """Return it as a line of text."""
        return (
            f"{self.workers} workers, {self.limit:g} a second, {self.fetches:,} fetches: "
            f"{self.share:.1%} of the limit; most in a second {self.second:.1%}, in ten {self.ten_seconds:.1%}"
        )


def most_in(seconds: float, times: list[float]) -> int:
    """Return the most fetches in any interval of this length; `times` in order."""
    return max((bisect_left(times, start + seconds) - place for place, start in enumerate(times)), default=0)


def measure(workers: int, limit: float = LIMIT, seconds: float = SECONDS) -> Reached:
    """Make one run that takes so many seconds at the limit, and count what arrives at the edge."""
    pops = list(catalogue().pops)[:POPS]
    batch = max(POPS, int(limit * BATCH_SECONDS / workers))
    urls = -(-int(limit * seconds) // POPS)
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "default_object": {"size": 300, "content_type": "text/html"},
    }
    code = Path(__file__).parents[1] / "functions"
    shim = {"PYTHONPATH": f"{SHIM}{os.pathsep}{code}", "PREWARM_TRUST_BATCH": str(batch)}
    with SimulatedCloudFront(config) as edge:
        environment = edge.settings() | shim | {"POWERTOOLS_LOG_LEVEL": "ERROR"}
        with EmbeddedStack(distributions=[f"{DOMAIN}={HOST}"], environment=environment, cap=workers) as stack:
            finish(stack, pops, urls, {"max_rps": limit, "max_concurrency": workers})
        times = edge.arrivals()
    # While more is left than what each worker has in hand, the last batch has not begun.
    body = max(2, len(times) - workers * batch)
    share = (body - 1) / (times[body - 1] - times[0]) / limit
    return Reached(workers, limit, len(times), share, most_in(1, times) / limit, most_in(10, times) / limit / 10)


def finish(stack: EmbeddedStack, pops: list[str], urls: int, fields: dict[str, Any]) -> None:
    """Make one run to its end."""
    listed = [f"https://{HOST}/page-{number}.html" for number in range(urls)]
    request = {"url_list": listed, "region_type": "pop", "region": pops, "verify": "none"} | fields
    headers = {"x-api-key": stack.api_key}
    response = requests.post(f"{stack.api}/prewarm", json=request, headers=headers, timeout=60)
    response.raise_for_status()
    query, status = {"requestID": response.json()["requestID"], "limit": "1"}, "IN_PROGRESS"
    while status == "IN_PROGRESS":
        time.sleep(2)
        answer = requests.get(f"{stack.api}/status", params=query, headers=headers, timeout=60)
        status = answer.json()["status"]


def main() -> None:
    """Measure each number of workers, and print a line for each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workers", type=int, action="append", help=f"default: {', '.join(map(str, WORKERS))}")
    options.add_argument("--limit", type=float, default=LIMIT)
    options.add_argument("--seconds", type=float, default=SECONDS)
    chosen = options.parse_args()
    for workers in chosen.workers or WORKERS:
        print(measure(workers, chosen.limit, chosen.seconds).line(), flush=True)


if __name__ == "__main__":
    main()
