"""How much of `max_rps` a run reaches, and the most fetches in any second and in any ten, counted at the edge.

    .venv/bin/python -m bench.rates                                # 5, 20 and 50 workers at 100 a second, 3 minutes
    .venv/bin/python -m bench.rates --workers 5 --seconds 20       # a look whether it runs

The embedded stack with a process for each worker, in front of the simulated CloudFront. A batch takes 20 seconds
where its worker has an even share.
"""

import argparse
import os
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from bench.runs import finish
from bench.section import Section, Target
from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
WORKERS, LIMIT, SECONDS = (5, 20, 50), 100.0, 40.0
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


def reach(workers: int, limit: float = LIMIT, seconds: float = SECONDS) -> Reached:
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
            request = {"region_type": "pop", "region": pops, "verify": "none", "max_concurrency": workers}
            # A batch for each worker, all at once: the measured run must not wait for their processes to start.
            started = -(-workers * batch // POPS)
            finish(stack, request | {"url_list": listed("start", started)}, 1)
            before = len(edge.arrivals())
            finish(stack, request | {"url_list": listed("page", urls), "max_rps": limit}, 2)
        times = edge.arrivals()[before:]
    # While more is left than what each worker has in hand, the last batch has not begun.
    body = max(2, len(times) - workers * batch)
    share = (body - 1) / (times[body - 1] - times[0]) / limit
    return Reached(workers, limit, len(times), share, most_in(1, times) / limit, most_in(10, times) / limit / 10)


def listed(name: str, count: int) -> list[str]:
    """Return so many URLs of one name."""
    return [f"https://{HOST}/{name}-{number}.html" for number in range(count)]


def measure(*, quick: bool = False) -> Section:
    """Measure a run of each number of workers."""
    reached = [reach(5, 20.0, 6.0)] if quick else [reach(workers) for workers in WORKERS]
    rows = tuple(
        (f"{each.workers}", f"{each.limit:g}", f"{each.fetches:,}", f"{each.share:.1%}", f"{each.second:.1%}",
         f"{each.ten_seconds:.1%}")
        for each in reached
    )  # fmt: skip
    targets = (
        Target("share of max_rps, least", 100 * min(each.share for each in reached), 95.0, " %", at_least=True),
        Target("of max_rps in any second, most", 100 * max(each.second for each in reached), 110.0, " %"),
        Target("of max_rps in any 10 s, most", 100 * max(each.ten_seconds for each in reached), 100.0, " %"),
    )
    notes = (
        "Arrivals at a simulated CloudFront that shares the machine with the workers.",
        "Counted from the first fetch to the last batch, in worker processes that have made a run before.",
        "A slot that a worker without CPU misses is lost.",
    )
    columns = ("workers", "max_rps", "fetches", "share of the limit", "most in 1 s", "most in 10 s")
    return Section("max_rps", columns, rows, notes, targets)


def main() -> None:
    """Measure each number of workers, and print a line for each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workers", type=int, action="append", help=f"default: {', '.join(map(str, WORKERS))}")
    options.add_argument("--limit", type=float, default=LIMIT)
    options.add_argument("--seconds", type=float, default=SECONDS)
    chosen = options.parse_args()
    for workers in chosen.workers or WORKERS:
        print(reach(workers, chosen.limit, chosen.seconds).line(), flush=True)


if __name__ == "__main__":
    main()
