"""From access logs to the next day's hits, on the embedded stack; bench/next_day.py shows it at a larger size."""

from pathlib import Path

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.next_day import (
    NEW_EVERY,
    best_hits,
    first_day,
    next_day,
    planned_fetches,
    rectangle,
    traffic,
    warm,
)
from tests.support.service import ONE_SERVICE, Service
from tests.support.viewers import site

pytestmark = ONE_SERVICE

PATHS, BEFORE, DAY = 120, 4_000, 1_800


def test_pairs_of_the_logs_make_the_next_day_hits_at_a_tenth_of_the_rectangles_fetches(
    service: Service, edge: SimulatedCloudFront, tmp_path: Path
) -> None:
    demand = site(PATHS, sorted(edge.addresses))
    for path in {*demand.paths, *demand.renewed(NEW_EVERY).paths}:
        # Too small to be compressed, which would take longer than the rest.
        edge.put_object(path, {"size": 800})
    targets, logs = tmp_path / "targets.csv", tmp_path / "first"
    first_day(edge, demand.day(BEFORE, 1), logs)
    found = traffic(logs, "--cover", "99", "--output", targets)
    assert (found["lines"], found["requests"], found["ownRequests"]) == (BEFORE, BEFORE, 0)
    requests = demand.renewed(NEW_EVERY).day(DAY, 2)
    cold = next_day(edge, requests, tmp_path / "cold")
    warmed = next_day(edge, requests, tmp_path / "warmed", lambda: warm(service, "--targets", str(targets)))
    # A viewer's Hit may be that of the regional edge cache: both counts pass.
    assert warmed.pop_hits >= 0.9 >= cold.pop_hits + 0.05
    assert warmed.logged.hit_share >= 0.95 >= cold.logged.hit_share + 0.02
    assert cold.logged.own.total() == 0
    # Of what all URLs at all POPs could add to the hits, the pairs add at least two thirds.
    assert warmed.pop_hits - cold.pop_hits >= 2 / 3 * (best_hits(demand, requests) - cold.pop_hits)
    assert warmed.logged.fetches <= planned_fetches(service, rectangle(demand, tmp_path / "urls.txt")) / 10
    # The night's own fetches are in the next logs, and are not demand.
    after = traffic(warmed.logs)
    assert (after["requests"], after["ownRequests"]) == (DAY, warmed.logged.own.total())
