"""The cost of a run: the parts of the formula and how they grow."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue
from prewarm.planning.batching import stage_batches, url_blocks
from prewarm.planning.cost import (
    UNKNOWN_LOCATION_REGION,
    Work,
    estimate,
    price_region,
    prices,
    verification_fetches,
    work_of_group,
)
from prewarm.planning.plan import Group
from tests.support.builders import POP_NAMES, plan

EUROPE = "Europe, Israel"
SMALL = Work(fetches={EUROPE: 10_000}, plain_http=0.0, bytes={EUROPE: 10**9}, batches=10, stages=1)


def dollars(**changes: object) -> float:
    return estimate(dataclasses.replace(SMALL, **changes)).dollars  # type: ignore[arg-type]


def part(name: str, work: Work = SMALL) -> float:
    (match,) = [each for each in estimate(work).parts if each.name == name]
    return match.dollars


def test_requests_and_transfer_are_charged_by_price_region() -> None:
    assert part(f"CloudFront requests, {EUROPE}") == pytest.approx(0.0120)
    assert part(f"CloudFront transfer, {EUROPE}") == pytest.approx(0.085)


def test_plain_http_is_cheaper() -> None:
    assert dollars(plain_http=1.0) == pytest.approx(dollars() - 0.0030)


def test_unknown_bytes_are_omitted() -> None:
    assert not [each for each in estimate(dataclasses.replace(SMALL, bytes=None)).parts if "transfer" in each.name]


def test_measured_seconds_replace_the_estimated_ones() -> None:
    measured = dataclasses.replace(SMALL, worker_seconds=100.0, worker_gb=2.0)
    assert part("Lambda time", measured) == pytest.approx((200 + 17.3) * 0.0000133334)


@given(st.integers(0, 10**8), st.integers(0, 10**13), st.integers(0, 5_000), st.integers(0, 10**6))
def test_cost_grows_with_work_and_is_the_sum_of_its_parts(fetches: int, size: int, batches: int, paths: int) -> None:
    work = Work({EUROPE: fetches}, 0.5, {EUROPE: size}, batches, 1, invalidation_paths=paths, invalidation_rounds=1)
    more = Work({EUROPE: fetches + 1}, 0.5, {EUROPE: size + 1}, batches + 1, 2, paths + 1, 2)
    total = estimate(work)
    assert sum(each.dollars for each in total.parts) == pytest.approx(total.dollars)
    assert estimate(more).dollars >= total.dollars
    assert all(each.dollars >= 0 for each in total.parts)


def test_every_pop_has_a_price() -> None:
    regions = {price_region(pop, catalogue()) for pop in catalogue().pops}
    assert regions == set(prices()["cloudfront"])
    assert price_region("XXX1-C1", catalogue()) == UNKNOWN_LOCATION_REGION
    assert prices()["date"]
    assert prices()["source"]


@given(st.integers(1, 300), st.integers(1, 6), st.integers(1, 2))
def test_verification_fetches_match_the_sample(urls: int, pops: int, variants: int) -> None:
    group = Group("d1.cloudfront.net", "E1", 0, urls, POP_NAMES[:pops], pops)
    names = ("br, gzip", "identity")[:variants]
    blocks = url_blocks((group,), variants, 200)
    batches = list(stage_batches((group,), blocks, variants, 1))
    whole = plan(url_count=urls, groups=(group,), variants=names, verify="sample", targets=urls * pops * variants)
    counted = sum(
        batch.cells.sample().has(url, pop) * variants
        for batch in batches
        for url in range(batch.url_to - batch.url_from)
        for pop in range(batch.pop_to - batch.pop_from)
    )
    assert verification_fetches(whole, batches) == counted
    assert verification_fetches(dataclasses.replace(whole, verify="all"), batches) == whole.targets
    assert verification_fetches(dataclasses.replace(whole, verify="none"), batches) == 0


def test_work_of_a_group_is_divided_by_price_region() -> None:
    group = Group("d1.cloudfront.net", "E1", 0, 10, ("NRT57-P3", "FRA2-C1", "LHR3-C1"), 3)
    fetches, size = work_of_group(dict.fromkeys(group.pops, group.urls), 2, 0.5, 100.0, catalogue())
    assert fetches == {"Japan": 30, EUROPE: 60}
    assert size == {"Japan": 3000, EUROPE: 6000}
    assert work_of_group(dict.fromkeys(group.pops, group.urls), 2, 0.5, None, catalogue())[1] is None
