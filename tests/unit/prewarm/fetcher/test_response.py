"""What a response says about the cache that it comes from."""

import pytest

from tests.support.builders import Clock, response
from tests.support.worker import HIT, MISS, work

EDGE = 'cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="EDGE"'
REGIONAL = 'cdn-cache-hit,cdn-pop;desc="ATL56-C1",cdn-hit-layer;desc="REC"'
# Of an origin that is a CloudFront distribution: stored with the copy, where the distribution's own are not enabled.
STORED_EDGE = EDGE.replace("ATL56", "IAD89")
STORED_UPSTREAM = 'cdn-upstream-layer;desc="REC",cdn-cache-miss,cdn-pop;desc="IAD89-P1"'


@pytest.mark.parametrize(
    ("x_cache", "metrics", "layer"),
    [
        (HIT, EDGE, "EDGE"),
        (HIT, REGIONAL, "REC"),
        (HIT, 'cdn-hit-layer;desc="Origin Shield"', "Origin Shield"),
        (MISS, 'cdn-upstream-layer;desc="EDGE",cdn-cache-miss', "EDGE"),
        ("RefreshHit from cloudfront", 'cdn-upstream-layer;desc="REC",cdn-cache-refresh', "REC"),
        (HIT, "db;dur=53", ""),
        # Metrics of another distribution, alone or merged with those of this one.
        (HIT, STORED_EDGE, ""),
        (HIT, STORED_UPSTREAM, ""),
        (HIT, f"{REGIONAL}, {STORED_EDGE}", ""),
        (HIT, f"{EDGE}, {STORED_UPSTREAM}", ""),
        # They contradict X-Cache.
        (MISS, EDGE, ""),
        (HIT, 'cdn-upstream-layer;desc="REC",cdn-cache-miss,cdn-pop;desc="ATL56-C1"', ""),
    ],
)
def test_layer_is_the_only_one_and_of_the_pop_that_answered(x_cache: str, metrics: str, layer: str) -> None:
    assert response("ATL56-C1", x_cache, server_timing=metrics).layer == layer


def test_stored_metrics_of_another_distribution_prove_nothing_by_themselves(clock: Clock) -> None:
    worked = work(clock, lambda _: response(x_cache=HIT, server_timing=STORED_EDGE), verify="all")
    assert worked.result.outcomes == {"already_warm": 1}
    assert (worked.result.verified, worked.result.verified_in_pop) == (1, 0)
    assert len(worked.addresses) > 1


def test_stored_metrics_of_another_distribution_do_not_hide_a_hit(clock: Clock) -> None:
    worked = work(clock, lambda _: response(x_cache=HIT, server_timing=STORED_UPSTREAM), verify="all")
    assert worked.result.outcomes == {"already_warm": 1}
