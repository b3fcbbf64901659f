"""Measure the next day's hits at the simulated CloudFront: cold, after a run of pairs, after a run of all URLs.

    .venv/bin/python -m bench.next_day [--urls 200] [--pops 50] [--before 12000] [--day 4000]

Viewers' requests are drawn with skewed demand (tests/support/viewers.py), played at the simulated CloudFront, and
logged by it in CloudFront's format; `prewarm traffic` reads the logs, the embedded service warms the pairs, and the
next day is played, with 5 % new URLs. It takes about four minutes; the shares do not depend on the machine.
"""

import argparse
import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.page import markdown
from bench.section import Section, Target
from prewarm.catalogue import catalogue
from tests.support.next_day import NEW_EVERY, Outcome, first_day, next_day, rectangle, traffic, warm
from tests.support.service import DOMAIN, HOST, serve
from tests.support.strict_edge import strict_cloudfront
from tests.support.viewers import site

OBJECT_BYTES = 800
COVERS = (95, 99)
LEAST_HITS, MOST_FETCHES = 90.0, 0.1
# One process plays all POPs, and answers some hundred requests a second on a busy machine. A worker has up to 2,000
# in flight: without a limit, fetches of the rectangle wait for their first byte until they time out.
FETCHES_A_SECOND = 100


@dataclass(frozen=True)
class Night:
    """A way through the night, with the next day's outcome after it."""

    warmed: str
    outcome: Outcome

    def row(self) -> tuple[str, ...]:
        """Return the row of the table."""
        logged = self.outcome.logged
        shares = (self.outcome.pop_hits, logged.hit_share)
        return (self.warmed, f"{logged.fetches:,}", *(f"{100 * share:.1f} %" for share in shares))


def nights(urls: int, number_of_pops: int, before: int, day: int) -> list[Night]:
    """Return each way through the night: nothing, the pairs of each of COVERS, all URLs at all POPs."""
    # Every n-th of the catalogue: all areas have some.
    known = sorted(catalogue().pops)
    pops = known[:: len(known) // number_of_pops][:number_of_pops]
    demand = site(urls, pops)
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "default_object": {"size": OBJECT_BYTES},
    }
    with strict_cloudfront(config) as edge, tempfile.TemporaryDirectory(prefix="bench-next-day-") as name:
        folder = Path(name)
        service = serve(edge.settings(), "--distribution", f"{DOMAIN}={HOST}")
        try:
            first_day(edge, demand.day(before, 1), folder / "first")
            requests = demand.renewed(NEW_EVERY).day(day, 2)
            found = [Night("nothing", next_day(edge, requests, folder / "cold"))]
            for cover in COVERS:
                targets = folder / f"{cover}.csv"
                pairs = traffic(folder / "first", "--cover", str(cover), "--output", targets)["cover"]["pairs"]
                warm_up = functools.partial(warm, service, "--targets", str(targets))
                outcome = next_day(edge, requests, folder / f"{cover}", warm_up)
                found.append(Night(f"{pairs:,} pairs (`--cover {cover}`)", outcome))
            options = [*rectangle(demand, folder / "urls.txt"), "--max-rps", str(FETCHES_A_SECOND)]
            warm_up = functools.partial(warm, service, *options)
            whole = next_day(edge, requests, folder / "all", warm_up)
            return [*found, Night(f"all {urls * len(pops):,} pairs of URL and POP", whole)]
        finally:
            service.process.terminate()
            service.process.communicate(timeout=20)


def measure(*, quick: bool = False) -> Section:
    """Play 12,000 requests for 200 URLs at 50 POPs, then 4,000 of the next day after each way through the night."""
    return section(20, 10, 1_200, 400) if quick else section(200, 50, 12_000, 4_000)


def section(urls: int, pops: int, before: int, day: int) -> Section:
    """Measure days of so many requests for so many URLs at so many POPs."""
    found = nights(urls, pops, before, day)
    pairs, whole = found[1].outcome, found[-1].outcome
    notes = (
        f"{before:,} requests for {urls:,} URLs at {pops} POPs of the simulated CloudFront, then {day:,} of the next",
        "day, drawn with another seed, 5 % of the URLs new. Fetches contain proofs. The run of all URLs at all POPs",
        f"makes {FETCHES_A_SECOND} fetches a second at most, because one process plays all POPs.",
    )
    least = Target(
        f"hits after pairs of `--cover {COVERS[0]}`", 100 * pairs.pop_hits, LEAST_HITS, " %", at_least=True
    )
    most = Target("fetches, pairs / all URLs at all POPs", pairs.logged.fetches / whole.logged.fetches, MOST_FETCHES)
    columns = ("what was warmed", "fetches", "hits at the POP", "hits at the POP or its regional cache")
    return Section("The next day", columns, tuple(each.row() for each in found), notes, (least, most))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=200)
    parser.add_argument("--pops", type=int, default=50)
    parser.add_argument("--before", type=int, default=12_000)
    parser.add_argument("--day", type=int, default=4_000)
    wanted = parser.parse_args()
    print(markdown(section(wanted.urls, wanted.pops, wanted.before, wanted.day)))


if __name__ == "__main__":
    main()
