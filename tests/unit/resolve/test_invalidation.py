"""Invalidations: each path once, in rounds that CloudFront carries out, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Group
from prewarm.request.url_parser import parse_url
from resolve.distributions.finder import Found
from resolve.distributions.model import Distribution
from resolve.invalidation import (
    INVALIDATION_PATHS,
    LONGEST_PATH,
    InvalidationBatch,
    batches_of_round,
    invalidation_path,
)
from resolve.planner import place
from tests.support.builders import request
from tests.support.planning import FOUND, refusal


def rounds(groups: list[Group], paths: list[list[str]]) -> list[list[InvalidationBatch]]:
    """Go through all rounds of a run's invalidations."""
    found, number, more = [], 0, True
    while more:
        batches = list(batches_of_round("run", groups, paths, number))
        more = any(left for _, left in batches)
        found.append([batch for batch, _ in batches])
        number += 1
    return found


@given(st.lists(st.integers(0, 3 * INVALIDATION_PATHS + 1), min_size=1, max_size=3))
@bounded(max_examples=20, deadline=None)
def test_every_path_is_invalidated_once_in_rounds_that_cloudfront_carries_out(sizes: list[int]) -> None:
    groups = [Group(f"d{n}.cloudfront.net", f"E{n}", 0, size, (), 0) for n, size in enumerate(sizes)]
    paths = [[f"/{n}" for n in range(size)] for size in sizes]
    gone = rounds(groups, paths)
    assert len(gone) == max(1, *(-(-size // INVALIDATION_PATHS) for size in sizes))
    assert all(0 < len(batch.paths) <= INVALIDATION_PATHS for each in gone for batch in each)
    for number, listed in enumerate(paths):
        of_this = [batch for each in gone for batch in each if batch.distribution_id == f"E{number}"]
        assert [path for batch in of_this for path in batch.paths] == listed
    references = [batch.reference for each in gone for batch in each]
    assert len(set(references)) == len(references)


def test_groups_of_one_distribution_share_an_invalidation_and_tenants_have_their_own() -> None:
    groups = [
        Group("d1.cloudfront.net", "E1", 0, 1, (), 0),
        Group("d1.cloudfront.net", "E1", 1, 2, (), 0),
        Group("d2.cloudfront.net", "E9", 2, 3, (), 0, tenant="dt_1"),
        Group("d2.cloudfront.net", "E9", 3, 4, (), 0, tenant="dt_2"),
    ]
    ((first, second, third),) = rounds(groups, [["/a"], ["/b", "/a"], ["/c"], ["/d"]])
    assert (first.distribution_id, first.tenant, first.paths) == ("E1", "", ["/a", "/b"])
    assert [(each.tenant, each.reference, each.paths) for each in (second, third)] == [
        ("dt_1", "run-dt_1-0", ["/c"]),
        ("dt_2", "run-dt_2-0", ["/d"]),
    ]


def test_a_path_longer_than_an_invalidation_takes_is_refused() -> None:
    long = "https://www.example.com/" + "a" * LONGEST_PATH
    assert "has a path of 4,001 characters; CloudFront invalidates 4,000" in refusal(url_list=[long], invalidate=True)
    place(request(url_list=[long[:-1]], invalidate=True), FOUND)


def test_what_only_dns_calls_a_distribution_cannot_be_invalidated() -> None:
    foreign = Found({"www.example.com": Distribution("", "d999.cloudfront.net", ())})
    with pytest.raises(InvalidRequest, match=r"invalidate: d999\.cloudfront\.net is no distribution of this account"):
        place(request(invalidate=True), foreign)


def test_a_url_that_would_invalidate_more_than_itself_is_refused() -> None:
    sentence = refusal(url_list=["https://www.example.com/a*", "https://www.example.com/b*c"], invalidate=True)
    assert sentence == (
        "invalidate: 'https://www.example.com/a*' ends in *; that would invalidate all that begins so"
    )
    place(request(url_list=["https://www.example.com/a*"]), FOUND)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://www.example.com", "/"),
        ("https://www.example.com/a/b", "/a/b"),
        ("https://www.example.com/a?b=c/d", "/a?b=c/d"),
        ("https://www.example.com/?", "/?"),
        ("https://www.example.com//a", "//a"),
        ("https://www.example.com/ä", "/%C3%A4"),
        ("https://www.example.com/a|b?x[]={y}^", "/a%7Cb?x%5B%5D=%7By%7D%5E"),
    ],
)
def test_an_invalidation_path_is_path_and_query_with_unsafe_characters_encoded(url: str, path: str) -> None:
    assert invalidation_path(parse_url(url)) == path
