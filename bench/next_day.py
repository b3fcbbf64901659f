"""Measure the next day's hits at the simulated CloudFront: cold, after a run of pairs, after a run of all URLs.

Call: `python -m bench.next_day [--urls 200] [--pops 50] [--before 12000] [--day 4000] [--cover 95 --cover 99]`.
Viewers' requests are drawn with skewed demand (tests/support/viewers.py), played at the simulated CloudFront, and
logged by it in CloudFront's format; `prewarm traffic` reads the logs, the embedded service warms the pairs, and the
next day is played, with 5 % new URLs. It takes about four minutes; the shares do not depend on the machine.
"""

import argparse
import functools
import tempfile
import time
from pathlib import Path

from prewarm.catalogue import catalogue
from tests.support.next_day import NEW_EVERY, Outcome, first_day, next_day, rectangle, traffic, warm
from tests.support.service import DOMAIN, HOST, serve
from tests.support.strict_edge import strict_cloudfront
from tests.support.viewers import site

OBJECT_BYTES = 800
# One process plays all POPs, and answers some hundred requests a second on a busy machine. A worker has up to 2,000
# in flight: without a limit, fetches of the rectangle wait for their first byte until they time out.
FETCHES_A_SECOND = 100


def main() -> None:
    """Print a row for each way through the night."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=200)
    parser.add_argument("--pops", type=int, default=50)
    parser.add_argument("--before", type=int, default=12_000)
    parser.add_argument("--day", type=int, default=4_000)
    parser.add_argument("--cover", type=float, action="append")
    parser.add_argument("--max-rps", type=int, default=FETCHES_A_SECOND, help="of the run of all URLs at all POPs")
    wanted = parser.parse_args()
    # Every n-th of the catalogue: all areas have some.
    known = sorted(catalogue().pops)
    pops = known[:: len(known) // wanted.pops][: wanted.pops]
    demand = site(wanted.urls, pops)
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "default_object": {"size": OBJECT_BYTES},
    }
    started = time.monotonic()
    with strict_cloudfront(config) as edge, tempfile.TemporaryDirectory(prefix="bench-next-day-") as name:
        folder = Path(name)
        service = serve(edge.settings(), "--distribution", f"{DOMAIN}={HOST}")
        try:
            first_day(edge, demand.day(wanted.before, 1), folder / "first")
            requests = demand.renewed(NEW_EVERY).day(wanted.day, 2)
            print(
                f"{wanted.before:,} requests for {wanted.urls:,} URLs at {len(pops)} POPs, "
                f"then {wanted.day:,} of the next day, 5 % of the URLs new",
                flush=True,
            )
            _row("cold", next_day(edge, requests, folder / "cold"))
            for cover in wanted.cover or [95.0, 99.0]:
                targets = folder / f"{cover:g}.csv"
                found = traffic(folder / "first", "--cover", str(cover), "--output", targets)
                warm_up = functools.partial(warm, service, "--targets", str(targets))
                outcome = next_day(edge, requests, folder / f"{cover:g}", warm_up)
                _row(f"{found['cover']['pairs']:,} pairs: {cover:g} %", outcome)
            options = [*rectangle(demand, folder / "urls.txt"), "--max-rps", str(wanted.max_rps)]
            warm_up = functools.partial(warm, service, *options)
            _row("all URLs at all POPs", next_day(edge, requests, folder / "all", warm_up))
        finally:
            service.process.terminate()
            service.process.communicate(timeout=20)
    print(f"in {time.monotonic() - started:.0f} s")


def _row(name: str, outcome: Outcome) -> None:
    print(
        f"{name:24} {outcome.logged.fetches:9,} fetches {100 * outcome.pop_hits:6.1f} % hits of the POP "
        f"{100 * outcome.logged.hit_share:6.1f} % with its regional cache",
        flush=True,
    )


if __name__ == "__main__":
    main()
