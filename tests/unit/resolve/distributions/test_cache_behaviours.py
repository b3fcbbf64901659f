"""Cache behaviours: path patterns, and the behaviour of a URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.request.path_pattern import path_expression
from resolve.distributions.cache_behaviours import behaviours, by_behaviour, first_matches, policy_ids, uncacheable
from tests.support.builders import parsed
from tests.support.cache_policies import DISABLED, OPTIMIZED


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "/", True),
        ("/images/*", "/images/", True),
        ("images/*", "/images/a/b.jpg", True),
        ("/images/*", "/Images/a.jpg", False),
        ("*.jpg", "/a/b.jpg", True),
        ("*.jpg", "/a/b.jpg.gz", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a.c", "/abc", False),
        ("/api/*/v[1]", "/api/x/v[1]", True),
    ],
)
def test_path_pattern_matches_the_paths_that_cloudfront_matches(pattern: str, path: str, *, matches: bool) -> None:
    assert bool(path_expression(pattern).fullmatch(path)) is matches


@given(st.lists(st.sampled_from(["/a/*", "*.js", "/b?", "/a/b*", "x*"]), max_size=5, unique=True))
def test_every_url_belongs_to_the_first_behaviour_that_matches(patterns: list[str]) -> None:
    urls = parsed(*(f"https://www.example.com{path}" for path in ("/", "/a/b", "/b1?q=.js", "/x/y.js", "/a/b/c.js")))
    items = [{"PathPattern": pattern} for pattern in patterns]
    in_order = behaviours(
        {"CacheBehaviors": {"Quantity": len(items), "Items": items}, "DefaultCacheBehavior": {}}, {}
    )
    grouped = by_behaviour(in_order, urls)
    assert sorted(url.fetch for matching in grouped.values() for url in matching) == sorted(url.fetch for url in urls)
    for number, matching in grouped.items():
        for url in matching:
            path = "/" + url.fetch.split("/", 3)[3].partition("?")[0]
            assert in_order[number].expression.fullmatch(path)
            assert not any(each.expression.fullmatch(path) for each in in_order[:number])


def test_policy_ids_are_those_of_all_behaviours() -> None:
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "CachePolicyId": "OFF"}]},
        "DefaultCacheBehavior": {"CachePolicyId": "P"},
    }
    assert policy_ids(config) == {"OFF", "P"}


def test_uncacheable_urls_have_the_reason_by_position() -> None:
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "CachePolicyId": "OFF"}]},
        "DefaultCacheBehavior": {"CachePolicyId": "P"},
    }
    in_order = behaviours(config, {"OFF": DISABLED, "P": OPTIMIZED})
    urls = parsed("https://www.example.com/b", "https://www.example.com/api/1")
    reason = "its cache policy Managed-CachingDisabled caches nothing (maximum TTL 0)"
    assert uncacheable(in_order, first_matches(in_order, urls)) == {1: reason}
    assert uncacheable(in_order[1:], first_matches(in_order[1:], urls)) == {}
