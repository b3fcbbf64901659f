"""Invalidations: paths, rounds within CloudFront's quota, and URLs that cannot be invalidated."""

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Group
from prewarm.request.url_parser import parse_url
from resolve.distributions.finder import FoundDistributions
from resolve.distributions.model import Distribution
from resolve.invalidation import (
    INVALIDATION_PATHS,
    LONGEST_PATH,
    InvalidationBatch,
    batches_of_round,
    invalidation_path,
)
from tests.support.planning import matched, rejected


def rounds(groups: list[Group], paths: list[list[str]]) -> list[list[InvalidationBatch]]:
    """Return the invalidations of all rounds of a run."""
    all_rounds, number, more = [], 0, True
    while more:
        batches = list(batches_of_round("run", groups, paths, number))
        more = any(left for _, left in batches)
        all_rounds.append([batch for batch, _ in batches])
        number += 1
    return all_rounds


@given(st.lists(st.integers(0, 3 * INVALIDATION_PATHS + 1), min_size=1, max_size=3))
@bounded(max_examples=20, deadline=None)
def test_every_path_is_invalidated_once_in_rounds_within_the_quota(sizes: list[int]) -> None:
    groups = [Group(f"d{n}.cloudfront.net", f"E{n}", 0, size, (), 0) for n, size in enumerate(sizes)]
    paths = [[f"/{n}" for n in range(size)] for size in sizes]
    created = rounds(groups, paths)
    assert len(created) == max(1, *(-(-size // INVALIDATION_PATHS) for size in sizes))
    assert all(0 < len(batch.paths) <= INVALIDATION_PATHS for each in created for batch in each)
    for number, listed in enumerate(paths):
        of_this = [batch for each in created for batch in each if batch.distribution_id == f"E{number}"]
        assert [path for batch in of_this for path in batch.paths] == listed
    references = [batch.reference for each in created for batch in each]
    assert len(set(references)) == len(references)


def test_groups_of_one_distribution_share_an_invalidation_and_tenants_do_not() -> None:
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


def test_path_over_the_length_limit_is_rejected() -> None:
    long = "https://www.example.com/" + "a" * LONGEST_PATH
    assert "has a path of 4,001 characters; CloudFront invalidates 4,000" in rejected(
        url_list=[long], invalidate=True
    )
    matched(url_list=[long[:-1]], invalidate=True)


def test_distribution_known_only_by_dns_is_rejected() -> None:
    foreign = FoundDistributions({"www.example.com": Distribution("", "d999.cloudfront.net", ())}, {})
    assert rejected(foreign, invalidate=True) == (
        "invalidate: d999.cloudfront.net is not a distribution of this account, so it cannot be invalidated"
    )


@pytest.mark.parametrize(
    "url", ["https://www.example.com/a*", "https://www.example.com/b*c", "https://*.example.com/"]
)
def test_url_that_ends_in_a_wildcard_is_rejected(url: str) -> None:
    with pytest.raises(InvalidRequest, match="warming takes no patterns"):
        matched(url_list=[url])


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
def test_invalidation_path_is_path_and_query_with_unsafe_characters_encoded(url: str, path: str) -> None:
    assert invalidation_path(parse_url(url)) == path
